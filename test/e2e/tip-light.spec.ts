/** The light of the toolbar's icon, and tips to a page that has no tip element, or none that the reader clicks. */
import type { Page } from "@playwright/test";
import { type ErrorCode, ERRORS, tellReader } from "../../shared/errors.ts";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, decline, readSnapshot } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const LIT = "Tuppence – this page takes tips";
const UNLIT = "Tuppence";
const NAME = "Letters from a Lighthouse";

let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;
let page: Page;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
  site = await startMerchantSite(provider, { id: "lighthouse", name: NAME });
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
});

for (const [what, name] of [
  ["a tip element", () => tipElement()],
  ["a Web Monetization link", () => link("monetization")],
  ["a facilitated payment link", () => link("facilitated-payment")],
  ["a link with more than one relation, in capitals", () => link("Alternate MONETIZATION")],
  ["a link in its body", () => `</head><body>${link("monetization")}`],
] as const) {
  test(`the icon does not stay dark over a page with ${what}`, async () => {
    await open("/named.html", name());
    await expectTitle(LIT);
  });
}

test("the light goes out when the tab goes on to another page, and is there again on the way back", async () => {
  await open("/there.html", link("monetization"));
  await expectTitle(LIT);
  await open("/elsewhere.html", "");
  expect(await titleOf(page)).toBe(UNLIT);
  await page.goBack();
  await expectTitle(LIT);
});

function link(rel: string, href = merchantAddress()): string {
  return `<link rel="${rel}" href="${href}">`;
}

function merchantAddress(merchant = site.id): string {
  return `${provider.origin}/merchants/${merchant}`;
}

function tipElement(merchant = site.id, from = provider.origin): string {
  return `<tuppence-tip merchant="${merchant}" provider="${from}" amount="25¢" least="1¢" most="$5"></tuppence-tip>`;
}

/** Publishes a page with this in its head, and opens it. */
async function open(path: string, head: string): Promise<void> {
  publish(path, head);
  await page.goto(site.addressOf(path));
}

function publish(path: string, head: string): void {
  site.publish(
    path,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>On fog</title><link rel="icon" href="data:,">${head}</head><body><h1>On fog</h1></body></html>`,
  );
}

/** What the toolbar's button says over the tab of the page; a screen reader says the same. */
async function titleOf(of: Page): Promise<string> {
  const worker = await reader.extension.serviceWorker();
  return worker.evaluate(async (address) => {
    const [tab] = await chrome.tabs.query({ url: address });
    return chrome.action.getTitle(tab?.id === undefined ? {} : { tabId: tab.id });
  }, of.url());
}

async function expectTitle(title: string): Promise<void> {
  await expect.poll(() => titleOf(page)).toBe(title);
}
