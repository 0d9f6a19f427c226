/**
 * The whole loop, as a reader, a site owner and a provider live through it, in a headless Chromium with the built
 * extension. Every step prints its time and leaves a picture; a step that did not really happen throws.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, type Page } from "@playwright/test";
import * as v from "valibot";
import { readStories } from "../demo/stories.ts";
import { formatBalance, type Micros, parseMicros, subtract, ZERO } from "../shared/money.ts";
import { RESPONSE_EVENT } from "../shared/protocol/page.ts";
import { Jwks } from "../shared/protocol/provider.ts";
import { APPROVE_PAGE, POPUP_PAGE } from "../shared/protocol/ui.ts";
import { verifyReceipt } from "../shared/receipt.ts";
import { type Extension, launchExtension } from "../test/support/extension.ts";
import {
  approve,
  decideCheckout,
  expectArticleOpen,
  expectBalance,
  openCheckout,
  paywallButton,
  readSnapshot,
  setUpWallet,
  waitForCoins,
} from "../test/support/reader.ts";
import { timeToArticle } from "../test/support/timing.ts";
import { NEWSPAPER_ID, SANDBOX_ENVIRONMENT, type World } from "../test/support/world.ts";
import { requireBrowser } from "./browsers.ts";

export interface TourOptions {
  readonly world: World;
  readonly picturesFolder: string;
  readonly print: (line: string) => void;
}

export interface TourResult {
  readonly toppedUp: Micros;
  readonly paid: Micros;
  readonly clickToArticleMs: number;
  readonly receiptVerified: boolean;
  readonly settled: { readonly merchant: string; readonly payout: Micros };
}

/** The size of a laptop's browser, for the pictures. */
const WINDOW_SIZE = "--window-size=1280,900";
const TOP_UP = "$5";
const ALLOWANCE = "$1";
/** The wallet's own window, as the background opens it: without a screen every window is as large as the browser's. */
const APPROVAL_PIXELS = { width: 420, height: 600 };
/** A receipt says its second, the ledger its millisecond: a window may close this much later than the wallet shows. */
const MATURED_AFTER_MS = 1_000;

export async function tour(options: TourOptions): Promise<TourResult> {
  const { world, print } = options;
  mkdirSync(options.picturesFolder, { recursive: true });
  const step = stepper(print);
  const picture = photographer(options.picturesFolder);
  const stories = await readStories();
  const sealed = stories.filter(({ served }) => !served);
  const [first, second] = sealed;
  const behindBackEnd = stories.find(({ served }) => served);
  if (!first || !second || !behindBackEnd) throw new Error("the paper has too few stories for a tour");
  const addressOf = (slug: string) => `${world.newspaper.origin}/articles/${slug}.html`;

  const profileFolder = mkdtempSync(join(tmpdir(), "tuppence-reader-"));
  let extension = await step("Chromium starts with the extension; its welcome page opens by itself", () =>
    launchExtension({ profileFolder, extraFlags: [WINDOW_SIZE] }),
  );
  try {
    await step("The welcome page makes a wallet and shows the recovery phrase", async () => {
      const welcome = await extension.welcomePage();
      // The page waits for the background, which has just been started for the first time.
      await expect(welcome.getByRole("button", { name: "Create my wallet" })).toBeVisible();
      await picture(welcome, "welcome");
      await setUpWallet(extension, world.provider.origin);
      await picture(welcome, "ready");
    });

    let popup = await extension.openPopup();
    await step(
      `The reader tops up ${TOP_UP} on the gateway's page; the popup shows it without being opened again`,
      async () => {
        await expectBalance(popup, "$0.00");
        const checkout = await openCheckout(extension, popup, TOP_UP);
        await picture(checkout, "checkout");
        await decideCheckout(checkout, "Approve");
        await expectBalance(popup, "$5.00");
        await picture(popup, "popup-topped-up");
        await checkout.close();
      },
    );
    const toppedUp = await balanceOf(extension);

    await step("In the background the wallet withdraws blind-signed coins", () => waitForCoins(extension));

    const reading = await extension.context.newPage();
    await step(
      `“${first.title}” ends at the paywall; the wallet's own window asks, with a budget for the site`,
      async () => {
        await reading.goto(world.newspaper.origin);
        await picture(reading, "newspaper");
        await reading.goto(addressOf(first.slug));
        await paywallButton(reading).scrollIntoViewIfNeeded();
        await picture(reading, "article-locked");
        await paywallButton(reading).click();
        const question = await extension.waitForApproval();
        await expect(question.getByRole("button", { name: /^Pay / })).toBeEnabled();
        await picture(question, "approval");
        await approve(question, { allowance: ALLOWANCE });
        await expectArticleOpen(reading);
        await picture(reading, "article-open");
      },
    );

    const receipts = await listenForReceipts(reading, addressOf(second.slug));
    const clickToArticleMs = await step(
      `“${second.title}” opens with one click, inside the budget`,
      async () => {
        const measured = await timeToArticle(reading);
        await paywallButton(reading).click();
        return measured();
      },
    );
    print(`    ${clickToArticleMs.toFixed(0)} ms from the click to the article`);

    const receiptVerified = await step(
      "The receipt verifies with the provider's published keys, and for no other article",
      async () => {
        const receipt = (await receipts())[0] ?? "";
        const jwks = v.parse(
          Jwks,
          await (await fetch(`${world.provider.origin}/.well-known/jwks.json`)).json(),
        );
        const expected = {
          issuer: world.provider.origin,
          merchant: NEWSPAPER_ID,
          resource: addressOf(second.slug),
          leastAmount: ZERO,
        };
        const claims = await verifyReceipt(receipt, jwks, expected);
        if (!claims) throw new Error("the receipt does not verify");
        if (await verifyReceipt(receipt, jwks, { ...expected, resource: addressOf(first.slug) }))
          throw new Error("the receipt opens another article");
        return true;
      },
    );

    await step(
      `“${behindBackEnd.title}” lies behind a back end that answers 402: one click, paid through stock x402 middleware`,
      async () => {
        await reading.goto(addressOf(behindBackEnd.slug));
        await paywallButton(reading).click();
        await expectArticleOpen(reading);
        await picture(reading, "article-402");
      },
    );

    await step("A tip: the reader chooses the amount in the wallet", async () => {
      await reading.goto(`${world.newspaper.origin}/about.html`);
      await reading.locator("tuppence-tip").getByRole("button").click();
      const question = await extension.waitForApproval();
      await question.getByLabel("Or your own amount").fill("20¢");
      await picture(question, "tip");
      await approve(question);
      await expect(reading.locator("tuppence-tip")).toHaveAttribute("state", "thanks");
    });

    const left = await balanceOf(extension);
    await step("Coming back costs nothing: in a new tab", () => comeBack(extension, addressOf(first.slug)));
    await step("… after the extension's worker was killed", async () => {
      await extension.killWorker();
      await comeBack(extension, addressOf(second.slug));
    });
    await step("… after a restart of the browser", async () => {
      await extension.close();
      extension = await launchExtension({ profileFolder, extraFlags: [WINDOW_SIZE] });
      await comeBack(extension, addressOf(first.slug));
      await comeBack(extension, addressOf(behindBackEnd.slug));
      if ((await balanceOf(extension)) !== left) throw new Error("coming back was charged");
    });

    popup = await extension.openPopup();
    await expectBalance(popup, formatBalance(left));
    await picture(popup, "popup");
    await popup.emulateMedia({ colorScheme: "dark" });
    await picture(popup, "popup-dark");

    await step("Without the extension the page says how to get it, and stays usable", async () => {
      const browser = await chromium.launch({
        executablePath: requireBrowser("chromium"),
        args: ["--no-sandbox"],
      });
      const page = await browser.newPage();
      await page.goto(addressOf(first.slug));
      await paywallButton(page).click();
      await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "no-wallet");
      await picture(page, "no-wallet");
      await browser.close();
    });

    const paid = subtract(toppedUp, left);
    const payout = await step(
      "The refund window closes, and the provider settles: once, however often it is told to",
      () => settleMatured(extension, world, paid),
    );
    await step("The books balance to the micro", async () => {
      const { code, output } = await command(world, "server/cli/audit.ts");
      if (code !== 0) throw new Error(output);
    });
    return { toppedUp, paid, clickToArticleMs, receiptVerified, settled: { merchant: NEWSPAPER_ID, payout } };
  } finally {
    await extension.close();
    rmSync(profileFolder, { recursive: true, force: true });
  }
}

/** Runs a step, prints how long it took. */
function stepper(print: (line: string) => void) {
  return async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      const result = await run();
      print(`${seconds(start)}  ${name}`);
      return result;
    } catch (error) {
      print(`${seconds(start)}  FAILED: ${name}`);
      throw error;
    }
  };
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1_000).toFixed(2).padStart(6)} s`;
}

function photographer(folder: string) {
  let number = 0;
  return async (page: Page, name: string): Promise<void> => {
    number += 1;
    if (page.url().includes(APPROVE_PAGE)) await page.setViewportSize(APPROVAL_PIXELS);
    const content = page.url().includes(POPUP_PAGE) ? await page.locator("body").boundingBox() : null;
    await page.screenshot({
      path: join(folder, `${String(number).padStart(2, "0")}-${name}.png`),
      // As the reader sees it when it has come to rest.
      animations: "disabled",
      // The browser cuts the popup to its content; a window of its own is larger.
      ...(content ? { clip: content } : {}),
    });
  };
}

/** Opens the page and hears what the wallet answers it, as any script of the page could. Gives the receipts heard so far. */
async function listenForReceipts(page: Page, address: string): Promise<() => Promise<string[]>> {
  await page.goto(address);
  const heard = await page.evaluateHandle((event) => {
    const details: string[] = [];
    document.addEventListener(event, (response) => {
      if (response instanceof CustomEvent && typeof response.detail === "string")
        details.push(response.detail);
    });
    return details;
  }, RESPONSE_EVENT);
  const Answer = v.object({ ok: v.object({ receipt: v.string() }) });
  return async () => {
    const details = await heard.jsonValue();
    return details.flatMap((detail) => {
      const answer = v.safeParse(Answer, JSON.parse(detail));
      return answer.success ? [answer.output.ok.receipt] : [];
    });
  };
}

async function comeBack(extension: Extension, address: string): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(address);
  await expectArticleOpen(page);
  await page.close();
}

async function balanceOf(extension: Extension): Promise<Micros> {
  const { balance } = await readSnapshot(extension);
  return parseMicros(balance.total) ?? ZERO;
}

/** Settles when everything has matured, checks the statement, settles again. Gives the payout. */
async function settleMatured(extension: Extension, world: World, paid: Micros): Promise<Micros> {
  const { payments } = await readSnapshot(extension);
  const maturesAt =
    Math.max(...payments.map(({ refundableUntil }) => refundableUntil ?? 0)) + MATURED_AFTER_MS;
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, maturesAt - Date.now())));

  const first = await command(world, "server/cli/settle.ts");
  if (first.code !== 0) throw new Error(first.output);
  const file = join(world.provider.dataFolder, "statements", `${NEWSPAPER_ID}-1.json`);
  const statement = v.parse(Statement, JSON.parse(readFileSync(file, "utf8")));
  if (parseMicros(statement.payments) !== paid)
    throw new Error(`the reader paid ${paid}, the statement says ${statement.payments}`);

  const again = await command(world, "server/cli/settle.ts");
  if (again.code !== 0 || existsSync(file.replace("-1.json", "-2.json")))
    throw new Error(`settling again paid again: ${again.output}`);
  return parseMicros(statement.payout) ?? ZERO;
}

const Statement = v.object({ payments: v.string(), payout: v.string() });

/** Runs one of the operator's commands on the provider's data, while the provider runs. */
function command(
  world: World,
  file: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [file], {
    env: {
      ...process.env,
      ...SANDBOX_ENVIRONMENT,
      TUPPENCE_DATA: world.provider.dataFolder,
      TUPPENCE_ORIGIN: world.provider.origin,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
