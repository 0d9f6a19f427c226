/**
 * A wallet that was used in Chromium, brought back in Firefox by its twelve words: balance, what was bought, its titles, the
 * allowance, the limit and the pause. Nothing passes between the two browsers but the words.
 */
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WalletSnapshot } from "../../../shared/protocol/ui.ts";
import { type Extension, launchExtension } from "../../support/extension.ts";
import { type FaultProxy, type PlannedFault, startProviderBehindProxy } from "../../support/fault-proxy.ts";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import { askWallet, restoreWallet, snapshotOf, waitFor } from "../../support/firefox-reader.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import type { RunningProvider } from "../../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  paywallButton,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../../support/reader.ts";

/** Of five dollars, after 5¢ and 2¢. */
const LEFT = 4_930_000n;
const PAID = "The last paragraph, which was paid for.";
const TITLES = ["An article", "Another"];
/** Pauses of the restore among them: they are meant to be long. */
const TIMEOUT_MS = 600_000;

let provider: RunningProvider;
let proxy: FaultProxy;
let site: MerchantSite;
let chromium: Extension | undefined;
let firefox: FirefoxExtension;
let phrase: string;

beforeAll(async () => {
  ({ provider, proxy } = await startProviderBehindProxy());
  site = await startMerchantSite(provider);
  const prices = { "/a.html": "5¢", "/b.html": "2¢", "/c.html": "1¢" };
  for (const [index, [path, price]] of Object.entries(prices).entries())
    await site.publishArticle(path, {
      title: TITLES[index] ?? "A third one",
      paid: `<p id="paid">${PAID}</p>`,
      price,
    });
}, TIMEOUT_MS);
afterAll(async () => {
  await chromium?.close();
  await firefox?.close();
  await site?.close();
  await provider?.close();
}, TIMEOUT_MS);

it(
  "a reader fills a wallet in Chromium, buys, gives a site an allowance and all of them a limit, and pauses",
  async () => {
    chromium = await launchExtension();
    phrase = await setUpWallet(chromium, provider.origin);
    const popup = await chromium.openPopup();
    await topUp(chromium, popup, "$5");
    await waitForCoins(chromium);
    const page = await chromium.context.newPage();
    await page.goto(site.addressOf("/a.html"));
    const asked = chromium.waitForApproval();
    await paywallButton(page).click();
    await approveAndClose(await asked, { allowance: "$1" });
    await expectArticleOpen(page);
    await page.goto(site.addressOf("/b.html"));
    await paywallButton(page).click();
    await expectArticleOpen(page);
    for (const request of [
      { kind: "ui", type: "setMonthlyLimit", limit: "2000000" },
      { kind: "ui", type: "setPaused", paused: true },
      { kind: "ui", type: "saveBackup" },
    ] as const)
      expect(await chromium.ask(request)).toEqual({ ok: {} });
    const answer = await chromium.ask({ kind: "ui", type: "snapshot" });
    expect(snapshotIn(answer).backup).toMatchObject({ isUnsaved: false });
    await chromium.close();
    chromium = undefined;
  },
  TIMEOUT_MS,
);

it(
  "in Firefox the twelve words bring back balance, history, allowance, limit and pause, and say how far they are",
  async () => {
    firefox = await launchFirefox();
    const reading = holdCoins();
    await restoreWallet(firefox, provider, phrase);
    await reading.met;
    const welcome = await firefox.welcomePage();
    await welcome.locator("::-p-text(Bringing your wallet back)").wait();
    await welcome.locator("::-p-text(Receipts that are here: 2 of 2.)").wait();
    const search = proxy.plan("/v1/restore", { kind: "held" });
    reading.release();
    await search.met;
    await welcome.locator("::-p-text(Receipts that are here: 2. Now looking for what is newer)").wait();
    search.release();
    const { balance, payments, allowances, month, paused } = await snapshotOf(firefox);
    expect(balance.total).toBe(LEFT);
    expect(payments.map(({ title, state }) => [title, state]).sort()).toEqual(
      TITLES.map((title) => [title, "paid"]),
    );
    expect(allowances).toMatchObject([{ origin: site.origin, limit: 1_000_000n, left: 980_000n }]);
    expect(month.budget).toMatchObject({ limit: 2_000_000n, left: 1_930_000n });
    expect(paused).toBe(true);
  },
  TIMEOUT_MS,
);

it(
  "and what was bought opens there without paying, and when the pause is over the next one within the allowance",
  async () => {
    for (const path of ["/a.html", "/b.html"]) {
      const page = await firefox.browser.newPage();
      await page.goto(site.addressOf(path));
      await page.waitForSelector("tuppence-paywall[state=open]");
      expect(await page.$eval("#paid", (element) => element.textContent)).toBe(PAID);
      await page.close();
    }
    await askWallet(firefox, { kind: "ui", type: "setPaused", paused: false });
    const page = await firefox.browser.newPage();
    await page.goto(site.addressOf("/c.html"));
    await page.locator("tuppence-paywall >>> button").click();
    await page.waitForSelector("tuppence-paywall[state=open]");
    const { payments, approvals } = await snapshotOf(firefox);
    expect(payments).toHaveLength(3);
    expect(approvals).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  "and when every coin was looked at, the balance is the same",
  async () => {
    await waitFor(async () => (await snapshotOf(firefox)).restore === null);
    const { balance, restoring } = await snapshotOf(firefox);
    expect([restoring, balance.total]).toEqual([false, LEFT - 10_000n]);
  },
  TIMEOUT_MS,
);

/** After the list of the backup's parts, its head, and the number that the wallet takes. */
function holdCoins(): PlannedFault {
  const path = "/accounts/me/backup";
  for (let passed = 0; passed < 3; passed++) proxy.plan(path, { kind: "answer held" }).release();
  return proxy.plan(path, { kind: "answer held" });
}

function snapshotIn(answer: object): WalletSnapshot {
  if (!("ok" in answer)) throw new Error(JSON.stringify(answer));
  return v.parse(WalletSnapshot, answer.ok);
}
