/**
 * A wallet that was used in Chromium, brought back in Firefox by its twelve words: balance, what was bought, its titles, and
 * the allowance. Nothing passes between the two browsers but the words.
 */
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WalletSnapshot } from "../../../shared/protocol/ui.ts";
import { type Extension, launchExtension } from "../../support/extension.ts";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import { snapshotOf, waitFor } from "../../support/firefox-reader.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import { type RunningProvider, startProvider } from "../../support/provider.ts";
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
let site: MerchantSite;
let chromium: Extension | undefined;
let firefox: FirefoxExtension;
let phrase: string;

beforeAll(async () => {
  provider = await startProvider();
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
  "a reader fills a wallet in Chromium, buys, and gives a site an allowance",
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
    expect(await chromium.ask({ kind: "ui", type: "saveBackup" })).toEqual({ ok: {} });
    const answer = await chromium.ask({ kind: "ui", type: "snapshot" });
    expect(snapshotIn(answer).backup).toMatchObject({ isUnsaved: false });
    await chromium.close();
    chromium = undefined;
  },
  TIMEOUT_MS,
);

it(
  "in Firefox the twelve words bring back balance, history and allowance",
  async () => {
    firefox = await launchFirefox();
    const welcome = await firefox.welcomePage();
    await welcome.locator("::-p-text(I have a recovery phrase)").click();
    await welcome.locator("#phrase").fill(phrase);
    await welcome.locator("summary").click();
    await welcome.locator("#provider").fill(provider.origin);
    await welcome.locator("button[type=submit]").click();
    await welcome.locator("::-p-text(Bringing your wallet back)").wait();
    await waitFor(async () => (await snapshotOf(firefox)).restore?.phase !== "reading");
    const { balance, payments, allowances } = await snapshotOf(firefox);
    expect(balance.total).toBe(LEFT);
    expect(payments.map(({ title, state }) => [title, state]).sort()).toEqual(
      TITLES.map((title) => [title, "paid"]),
    );
    expect(allowances).toMatchObject([{ origin: site.origin, limit: 1_000_000n, left: 980_000n }]);
  },
  TIMEOUT_MS,
);

it(
  "and what was bought opens there without paying, and the next one within the allowance",
  async () => {
    for (const path of ["/a.html", "/b.html"]) {
      const page = await firefox.browser.newPage();
      await page.goto(site.addressOf(path));
      await page.waitForSelector("tuppence-paywall[state=open]");
      expect(await page.$eval("#paid", (element) => element.textContent)).toBe(PAID);
      await page.close();
    }
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

function snapshotIn(answer: object): WalletSnapshot {
  if (!("ok" in answer)) throw new Error(JSON.stringify(answer));
  return v.parse(WalletSnapshot, answer.ok);
}
