/**
 * How soon the popup is drawn, and how soon the reader sees the balance. Beside it, in the same run and turn by turn, a page
 * of the same extension that has one word and no script: no page of an extension can be drawn sooner. That page is put into
 * a copy of what was built, and never ships.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { POPUP_PAGE } from "../shared/protocol/ui.ts";
import { type Extension, launchExtension } from "../test/support/extension.ts";
import { startProvider } from "../test/support/provider.ts";
import { setUpWallet } from "../test/support/reader.ts";
import { type Part, percentile } from "./row.ts";

const OPENINGS = 40;
/** After each: what a closed page leaves to be done would be the next one's time. */
const REST_MS = 500;
const EMPTY_PAGE = "extension/ui/empty/index.html";
const EMPTY = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Empty</title></head><body><p>Empty</p></body></html>`;

export const popup: Part = {
  name: "popup",
  async measure() {
    const extensionFolder = await mkdtemp(join(tmpdir(), "tuppence-bench-popup-"));
    await cp("dist/chrome", extensionFolder, { recursive: true });
    await mkdir(dirname(join(extensionFolder, EMPTY_PAGE)), { recursive: true });
    await writeFile(join(extensionFolder, EMPTY_PAGE), EMPTY);
    const provider = await startProvider();
    const extension = await launchExtension({ extensionFolder });
    try {
      await setUpWallet(extension, provider.origin);
      const paints: number[] = [];
      const empties: number[] = [];
      const balances: number[] = [];
      for (let opening = 0; opening < OPENINGS; opening += 1) {
        empties.push((await open(extension, EMPTY_PAGE)).paintMs);
        const { paintMs, balanceMs } = await open(extension, POPUP_PAGE);
        paints.push(paintMs);
        balances.push(balanceMs);
      }
      const paint = percentile(paints, 0.5);
      const empty = percentile(empties, 0.5);
      return [
        {
          name: "popup.first_paint_ms.p50",
          value: paint,
          unit: "ms",
          baseline: `an empty page of the same extension: ${empty.toFixed(0)} ms`,
        },
        // No unit: less is better, and beside it is 1.
        { name: "popup.first_paint_ratio", value: paint / empty, unit: "", aim: 1.2 },
        {
          name: "popup.balance_ms.p50",
          value: percentile(balances, 0.5),
          unit: "ms",
          baseline: `${OPENINGS} openings`,
        },
      ];
    } finally {
      await extension.close();
      await provider.close();
      await rm(extensionFolder, { recursive: true, force: true });
    }
  },
};

/** Milliseconds since the page was asked for; `balanceMs` of a page without a balance is that of its painting. */
async function open(
  extension: Extension,
  file: string,
): Promise<{ readonly paintMs: number; readonly balanceMs: number }> {
  const page = await extension.context.newPage();
  try {
    if (file === POPUP_PAGE) await page.addInitScript(NOTE_BALANCE);
    await page.goto(extension.url(file));
    const paintMs = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            const paint = list.getEntriesByName("first-contentful-paint")[0];
            if (paint) resolve(paint.startTime);
          }).observe({ type: "paint", buffered: true });
        }),
    );
    // As text, because the promise is the init script's and has no type here.
    const balanceMs = file === POPUP_PAGE ? await page.evaluate<number>("balanceMs") : paintMs;
    return { paintMs, balanceMs };
  } finally {
    await page.close();
    await setTimeout(REST_MS);
  }
}

/** Runs before the page's own scripts: when the balance stands in the page, at the frame that shows it. */
const NOTE_BALANCE = `globalThis.balanceMs = new Promise((resolve) => {
  const look = () => document.querySelector("#balance")?.textContent ? resolve(performance.now()) : requestAnimationFrame(look);
  requestAnimationFrame(look);
});`;
