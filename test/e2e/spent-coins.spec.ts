/** Coins in the drawer that were spent elsewhere, by a copy of the wallet: they are put aside, and nothing else is lost. */
import type { Page } from "@playwright/test";
import { tellReader } from "../../shared/errors.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { firstCoins, readCoins, spendElsewhere, valueOf } from "../support/drawer.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approve,
  approveAndClose,
  expectArticleOpen,
  paywallButton,
  pressToClose,
  readSnapshot,
} from "../support/reader.ts";
import { paidPartOf, type ServedSite, startServedSite } from "../support/served-site.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

/**
 * Each test spends coins of its own denomination, and of none so many that the drawer would be composed anew: it is known
 * beforehand which coins the wallet takes, and a single one makes the price.
 */
const DIRECT = { price: "10¢", coin: 100_000n };
const CARRIED = 20_000n;
const REPEATED = { price: "5¢", coin: 50_000n };
/** So that a test sees the end of a payment's time. */
const SHORT_SECONDS = 2;
/** A payment is tried this often, each time with other coins. */
const ATTEMPTS = 4;

let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;
let served: ServedSite;
let page: Page;
let before: bigint;
let paidBefore: bigint;
let asideBefore: bigint;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, site, served] = await Promise.all([
    stockReader(provider),
    startMerchantSite(provider),
    startServedSite(provider, { id: "served", name: "Served" }),
  ]);
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
  before = await totalOf(reader);
  paidBefore = await paidToMerchants(provider);
  asideBefore = await valueAside();
});
test.afterEach(async () => {
  await page.close();
  await expectBooksAddUp(provider, [reader]);
});
test.afterAll(async () => {
  await reader.extension.close();
  await site.close();
  await served.close();
  await provider.close();
});

test("a coin that was spent elsewhere does not keep the article shut: it is put aside, and others pay", async () => {
  await spendFirst(DIRECT.coin, 1);
  await openArticle("/one.html", DIRECT.price);
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await expectMoney({ spentElsewhere: DIRECT.coin, paid: DIRECT.coin });
  expect(await newestStates(2)).toEqual(["paid", "failed"]);
});

test("a spent coin in a payment that a site carries is found when its time is over, and the next click pays with others", async () => {
  await spendFirst(CARRIED, 1);
  const title = "Carried";
  await page.goto(served.offer(title, { amount: CARRIED, maxTimeoutSeconds: SHORT_SECONDS }));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await approve(question);
  await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("site_failed"));
  // The window that still says that it pays must not say so for ever.
  await expect(question.getByRole("alert")).toContainText("A coin was spent already");
  await pressToClose(question, question.getByRole("button", { name: "Close" }));
  expect(await newestStates(1)).toEqual(["failed"]);
  await expectMoney({ spentElsewhere: CARRIED, paid: 0n });

  await page.goto(served.offer(title, { amount: CARRIED }));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await expect(page.getByText(paidPartOf(title))).toBeVisible();
  await expectMoney({ spentElsewhere: CARRIED, paid: CARRIED });
});

test("a reader whose coins are spent one after the other is told in words, charged nothing, and pays with the next click", async () => {
  await spendFirst(REPEATED.coin, ATTEMPTS);
  await openArticle("/many.html", REPEATED.price);
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await approve(question);
  await expect(question.getByRole("alert")).toContainText("A coin was spent already");
  await pressToClose(question, question.getByRole("button", { name: "Close" }));
  await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("coin_spent"));
  const spentElsewhere = REPEATED.coin * BigInt(ATTEMPTS);
  await expectMoney({ spentElsewhere, paid: 0n });

  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await expectMoney({ spentElsewhere, paid: REPEATED.coin });
});

/** Those that the wallet is going to take first for an article at the price of one. */
async function spendFirst(amount: bigint, count: number): Promise<void> {
  for (const coin of await firstCoins(reader.extension, amount, count))
    await spendElsewhere(provider, site, [coin]);
  expect(await totalOf(reader), "the wallet knows nothing of it").toBe(before);
}

async function openArticle(path: string, price: string): Promise<void> {
  await site.publishArticle(path, { title: path, paid: "<p>The paid part.</p>", price });
  await page.goto(site.addressOf(path));
}

async function expectMoney({
  spentElsewhere,
  paid,
}: {
  readonly spentElsewhere: bigint;
  readonly paid: bigint;
}): Promise<void> {
  const money = async () => ({
    reader: await totalOf(reader),
    merchants: await paidToMerchants(provider),
    aside: await valueAside(),
  });
  await expect.poll(money).toEqual({
    reader: before - spentElsewhere - paid,
    merchants: paidBefore + spentElsewhere + paid,
    aside: asideBefore + spentElsewhere,
  });
}

async function valueAside(): Promise<bigint> {
  return valueOf((await readCoins(reader.extension)).filter(({ state }) => state === "spent"));
}

async function newestStates(count: number): Promise<string[]> {
  return (await readSnapshot(reader.extension)).payments.slice(0, count).map(({ state }) => state);
}
