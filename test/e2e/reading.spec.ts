/** Paying for articles as a reader does: budgets, refusals, second thoughts, and coming back. */
import type { Page } from "@playwright/test";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approve, expectArticleOpen, paywallButton, readSnapshot } from "../support/reader.ts";

const TABS = 8;
const PAID = "The part that was paid for.";

let provider: RunningProvider;
let site: MerchantSite;
let reader: StockedReader;

test.beforeAll(async () => {
  provider = await startProvider();
  site = await startMerchantSite(provider);
  reader = await stockReader(provider);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
});

/** A paid question closes by itself a moment later; the next test must not take it for its own. */
test.afterEach(async () => {
  const open = () =>
    reader.extension.context.pages().filter((page) => page.url().includes("/approve/")).length;
  await expect.poll(open).toBe(0);
});

test("the window shows the provider's word for who asks, and what is left; the paid text is nowhere before", async () => {
  const page = await openArticle("/first", "5¢");
  expect(await page.content()).not.toContain(PAID);
  const before = await totalOf(reader);
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("heading", { name: /Test Site/ })).toBeVisible();
  await expect(question.getByText(new URL(site.origin).host)).toBeVisible();
  await expect(question.getByText("$4.95").first()).toBeVisible();
  await approve(question);
  await expectArticleOpen(page);
  await expect(page.getByText(PAID)).toBeVisible();
  expect(await totalOf(reader)).toBe(before - 50_000n);
  await page.close();
});

test("a closed window is a no: nothing is charged, the page hears it, and another click asks again", async () => {
  const page = await openArticle("/closed", "5¢");
  const before = await totalOf(reader);
  await paywallButton(page).click();
  await (await reader.extension.waitForApproval()).close();
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "error");
  await expect(page.getByText("You were not charged.")).toBeVisible();
  expect(await totalOf(reader)).toBe(before);
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before - 50_000n);
  await page.close();
});

test("a worker that is killed while the window is open loses no question, and pays once", async () => {
  const page = await openArticle("/killed", "5¢");
  const before = await totalOf(reader);
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("button", { name: /^Pay / })).toBeEnabled();
  await reader.extension.killWorker();
  await approve(question);
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before - 50_000n);
  await page.close();
});

test("an article that was sealed anew at a higher price opens without being paid again", async () => {
  const page = await openArticle("/resealed", "5¢");
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  const before = await totalOf(reader);
  await publish("/resealed", "50¢");
  await page.reload();
  await expectArticleOpen(page);
  await expect(page.getByText(PAID)).toBeVisible();
  expect(await totalOf(reader)).toBe(before);
  await page.close();
});

test("money back in one click: the balance returns, and the article is closed again", async () => {
  const page = await openArticle("/regretted", "20¢");
  const before = await totalOf(reader);
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  const popup = await reader.extension.openPopup();
  await popup.getByRole("button", { name: "Money back for /regretted" }).click();
  await expect(popup.getByText("Money is back").first()).toBeVisible();
  await expect.poll(() => totalOf(reader)).toBe(before);
  await popup.close();
  await page.reload();
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  await expect(paywallButton(page)).toHaveText(/20¢/);
  await page.close();
});

test("many tabs at once never spend more than the budget of their site", async () => {
  const first = await openArticle("/budget", "5¢");
  await paywallButton(first).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$1" });
  await expectArticleOpen(first);
  const before = await totalOf(reader);

  const pages = await Promise.all(
    Array.from({ length: TABS }, (_, tab) => openArticle(`/tab-${tab}`, "30¢")),
  );
  for (const page of pages) await paywallButton(page).click({ noWaitAfter: true });
  const settled = async () => {
    const states = await Promise.all(
      pages.map((page) => page.locator("tuppence-paywall").getAttribute("state")),
    );
    const asked = (await readSnapshot(reader.extension)).approvals.filter(
      ({ state }) => state === "asking",
    ).length;
    return states.filter((state) => state === "open").length + asked;
  };
  await expect.poll(settled, { timeout: 30_000 }).toBe(TABS);
  const { allowances } = await readSnapshot(reader.extension);
  expect(allowances.find(({ origin }) => origin === site.origin)?.left).toBe("100000");
  expect(await totalOf(reader)).toBe(before - 900_000n);

  for (const window of reader.extension.context.pages().filter((page) => page.url().includes("/approve/")))
    await window.close();
  await Promise.all(pages.map((page) => page.close()));
});

async function publish(path: string, price: string): Promise<void> {
  await site.publishArticle(path, { title: path, paid: `<p>${PAID}</p>`, price });
}

async function openArticle(path: string, price: string): Promise<Page> {
  await publish(path, price);
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf(path));
  return page;
}
