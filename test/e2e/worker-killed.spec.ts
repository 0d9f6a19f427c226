/**
 * The browser ends the extension's worker at each step of a payment that can be told apart from outside. Each payment ends
 * paid, with the article open, or not charged: never both, never neither, and never twice.
 */
import type { Page } from "@playwright/test";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type FaultProxy, startProviderBehindProxy } from "../support/fault-proxy.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import type { RunningProvider } from "../support/provider.ts";
import {
  approve,
  approveAndClose,
  decline,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
  topUp,
} from "../support/reader.ts";
import { paidPartOf, type ServedSite, startServedSite } from "../support/served-site.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;
const SETTLE = "/x402/settle";

let provider: RunningProvider;
let proxy: FaultProxy;
let reader: StockedReader;
let site: MerchantSite;
let served: ServedSite;
let page: Page;
let before: Money;
let articles = 0;

interface Money {
  readonly reader: bigint;
  readonly merchants: bigint;
}

test.beforeAll(async () => {
  const environment = { ...SANDBOX_ENVIRONMENT, TUPPENCE_PROVISIONAL_LIMIT: "100" };
  ({ provider, proxy } = await startProviderBehindProxy({ environment }));
  [reader, site, served] = await Promise.all([
    stockReader(provider),
    startMerchantSite(provider),
    startServedSite(provider, { id: "served", name: "Served" }),
  ]);
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
  before = await money();
});
test.afterEach(async () => {
  await page.close();
  expect(proxy.pending(), "faults that no request met").toBe(0);
  await expectBooksAddUp(provider, [reader]);
});
test.afterAll(async () => {
  await reader.extension.close();
  await site.close();
  await served.close();
  await provider.close();
});

test("killed after the click, while it asks who the merchant is, it asks the reader all the same, once", async () => {
  // A merchant that the wallet has not met, and whose page does not bring its record.
  const stranger = await startMerchantSite(provider, { id: "stranger", name: "Stranger" });
  await stranger.publishArticle("/new.html", ARTICLE, { merchantRecord: undefined });
  await page.goto(stranger.addressOf("/new.html"));
  const asked = proxy.plan(`/merchants/${stranger.id}`, { kind: "held" });
  await paywallButton(page).click();
  await asked.met;
  await reader.extension.killWorker();
  asked.drop();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectPaidOnce();
  await stranger.close();
});

test("killed under the open window, it loses neither the question nor the reader's yes", async () => {
  await openNewArticle();
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("button", { name: "Pay 5¢" })).toBeEnabled();
  await reader.extension.killWorker();
  await approveAndClose(question);
  await expectPaidOnce();
});

test("killed under the open window, it does not take the reader's no for anything else", async () => {
  await openNewArticle();
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await reader.extension.killWorker();
  await decline(question);
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "error");
  expect(await money()).toEqual(before);
  expect(proxy.pending()).toBe(0);
});

test("killed in the moment of the reader's yes, it pays once", async () => {
  await openNewArticle();
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await approve(question);
  await reader.extension.killWorker();
  await expectPaidOnce();
});

for (const { what, path, fault } of [
  { what: "before the provider heard of the withdraw", path: "/v1/mint/quote/account", fault: "held" },
  { what: "after the provider made the quote", path: "/v1/mint/quote/account", fault: "answer held" },
  { what: "before the coins were asked for", path: "/v1/mint/account", fault: "held" },
  { what: "after the provider signed the coins", path: "/v1/mint/account", fault: "answer held" },
] as const) {
  test(`killed after the approval, while the coins come, ${what}, it withdraws them once and pays once`, async () => {
    const dollars = await priceAboveDrawer();
    await openNewArticle(`$${dollars}`);
    await paywallButton(page).click();
    const question = await reader.extension.waitForApproval();
    const met = proxy.plan(path, { kind: fault });
    await approve(question);
    await met.met;
    await reader.extension.killWorker();
    met.drop();
    await expectPaidOnce(BigInt(dollars) * 1_000_000n);
  });
}

const moments = [
  { what: "before its request reaches the provider", fault: "held", end: "drop" },
  { what: "while its request is on its way", fault: "held", end: "release" },
  { what: "after the provider committed, with the answer lost", fault: "answer held", end: "drop" },
  { what: "after the provider committed, with the answer on its way", fault: "answer held", end: "release" },
] as const;

for (const { what, fault, end } of moments) {
  test(`killed ${what}, it pays once, and the page that waited opens`, async () => {
    await openNewArticle();
    const met = proxy.plan(SETTLE, { kind: fault });
    await paywallButton(page).click();
    await approve(await reader.extension.waitForApproval());
    await met.met;
    await reader.extension.killWorker();
    met[end]();
    await expectPaidOnce();
  });
}

test("killed again and again while its request is at the provider, it pays once", async () => {
  await openNewArticle();
  const mets = Array.from({ length: 3 }, () => proxy.plan(SETTLE, { kind: "answer held" }));
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  for (const met of mets) {
    await met.met;
    await reader.extension.killWorker();
    met.drop();
  }
  await expectPaidOnce();
});

test("killed in the moment of the answer, it has the article or asks for it again, and pays once", async () => {
  await openNewArticle();
  const met = proxy.plan(SETTLE, { kind: "answer held" });
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await met.met;
  met.release();
  await reader.extension.killWorker();
  await expectPaidOnce();
});

test("killed right after the article opened, it forgets neither what was bought nor the change", async () => {
  const address = await openNewArticle("0.1¢");
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await reader.extension.killWorker();
  await page.goto(address);
  await expectPaidOnce(1_000n);
});

for (const moment of ["before the site settles", "after the site settled"] as const) {
  test(`killed while a site carries the payment, ${moment}, it learns that it is paid`, async () => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    served.conduct(async (taken) => {
      const answer = moment === "after the site settled" ? await served.honestly(taken) : undefined;
      reached.resolve();
      await goOn.promise;
      return answer ?? served.honestly(taken);
    });
    const title = `Carried ${moment}`;
    await page.goto(served.offer(title));
    await paywallButton(page).click();
    await approve(await reader.extension.waitForApproval());
    await reached.promise;
    await reader.extension.killWorker();
    goOn.resolve();
    await expectPaidOnce();
    await expect(page.getByText(paidPartOf(title))).toBeVisible();
  });
}

const ARTICLE = { title: "An article", paid: "<p>The paid part.</p>", price: "5¢" };

/** Publishes an article that nobody has bought, and goes to it. */
async function openNewArticle(price = "5¢"): Promise<string> {
  articles += 1;
  const path = `/article-${articles}.html`;
  await site.publishArticle(path, { ...ARTICLE, title: `Article ${articles}`, price });
  await page.goto(site.addressOf(path));
  return site.addressOf(path);
}

/**
 * Tops up, and gives a price in whole dollars that the drawer does not hold: the rest has to come from the account. The most
 * that may be paid at once, because the account may be visited more than once after a top-up, for the same sum each time.
 */
async function priceAboveDrawer(): Promise<number> {
  const popup = await reader.extension.openPopup();
  await topUp(reader.extension, popup, "$20");
  reader.toppedUp += 20_000_000n;
  await expect.poll(() => totalOf(reader)).toBe(before.reader + 20_000_000n);
  await popup.close();
  before = await money();
  return 20;
}

/** The article is open, and reader, merchants and history say the same of it. */
async function expectPaidOnce(price = PRICE): Promise<void> {
  await expectArticleOpen(page);
  await expect.poll(money).toEqual({ reader: before.reader - price, merchants: before.merchants + price });
  const { payments, approvals } = await readSnapshot(reader.extension);
  expect(payments.map(({ state }) => state)).not.toContain("pending");
  expect(approvals.map(({ state }) => state)).not.toContain("asking");
}

async function money(): Promise<Money> {
  return { reader: await totalOf(reader), merchants: await paidToMerchants(provider) };
}
