/**
 * What the extension costs a page that it has nothing to do with: time on the page's main thread, summed over the tasks of
 * a trace from before the navigation to a while after the load, with the extension and without.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "@playwright/test";
import * as v from "valibot";
import { requireBrowser } from "../scripts/browsers.ts";
import { BROWSER_FLAGS, launchExtension } from "../test/support/extension.ts";
import { serveSite } from "../test/support/site.ts";
import { type Part, percentile } from "./row.ts";

const LOADS = 25;
const WATCHED_MS = 500;

export const idle: Part = {
  name: "idle",
  async measure() {
    const site = await serveSite({ "/": { html: "<!doctype html><title>Empty</title>" } });
    const extension = await launchExtension();
    const profile = mkdtempSync(join(tmpdir(), "tuppence-bare-"));
    const bare = await chromium.launchPersistentContext(profile, {
      executablePath: requireBrowser("chromium"),
      headless: true,
      viewport: null,
      args: [...BROWSER_FLAGS],
    });
    try {
      const withExtension: number[] = [];
      const without: number[] = [];
      // In turn, so that a machine that grows slower or faster does so for both.
      for (let i = 0; i < LOADS; i++) {
        withExtension.push(await mainThreadMs(extension.context, site.origin));
        without.push(await mainThreadMs(bare, site.origin));
      }
      const [own, empty] = [percentile(withExtension, 0.5), percentile(without, 0.5)];
      const baseline = `${own.toFixed(1)} with, ${empty.toFixed(1)} without; web-monetization-extension 6.2, Alby 7.3`;
      return [{ name: "page.idle_ms", value: Math.max(0, own - empty), unit: "ms", aim: 1, baseline }];
    } finally {
      await extension.close();
      await bare.close();
      rmSync(profile, { recursive: true, force: true });
      await site.close();
    }
  },
};

const TraceEvent = v.object({
  name: v.string(),
  pid: v.number(),
  tid: v.number(),
  dur: v.optional(v.number(), 0),
  args: v.optional(v.looseObject({ name: v.optional(v.unknown()), data: v.optional(v.unknown()) }), {}),
});
const Collected = v.object({ value: v.array(TraceEvent) });
const Committed = v.object({ url: v.string() });

/** Over the whole browser, because nobody knows beforehand which process the page will get. */
async function mainThreadMs(context: BrowserContext, origin: string): Promise<number> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const events: v.InferOutput<typeof TraceEvent>[] = [];
  session.on(
    "Tracing.dataCollected",
    (collected) => void events.push(...v.parse(Collected, collected).value),
  );
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    categories: "toplevel,devtools.timeline,__metadata",
  });
  await page.goto(origin);
  await page.waitForTimeout(WATCHED_MS);
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await page.close();

  const committed = events.filter(({ name, args }) => name === "CommitLoad" && isOf(origin, args.data));
  const pids = new Set(committed.map(({ pid }) => pid));
  const threads = events.filter(
    ({ name, args, pid }) => name === "thread_name" && args.name === "CrRendererMain" && pids.has(pid),
  );
  if (threads.length === 0) throw new Error("the trace does not show the page");
  const mainThreads = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = events.filter(({ name, pid, tid }) => name === "RunTask" && mainThreads.has(`${pid} ${tid}`));
  return tasks.reduce((sum, { dur }) => sum + dur, 0) / 1_000;
}

function isOf(origin: string, data: unknown): boolean {
  const parsed = v.safeParse(Committed, data);
  return parsed.success && parsed.output.url.startsWith(origin);
}
