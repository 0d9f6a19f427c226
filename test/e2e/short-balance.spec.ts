/** A click with too little in the wallet: the window says what is missing, offers to top up, and keeps the offer. */
import type { Page } from "@playwright/test";
import { expectBooksAddUp, type StockedReader, totalOf } from "../support/books.ts";
import { expect, launchExtension, test, waitForLoad } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approve,
  decideCheckout,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
  setUpWallet,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

let provider: RunningProvider;
let site: MerchantSite;
let reader: StockedReader;
let page: Page;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  site = await startMerchantSite(provider);
});
test.beforeEach(async () => {
  reader = { extension: await launchExtension(), toppedUp: 0n };
  await setUpWallet(reader.extension, provider.origin);
  page = await reader.extension.context.newPage();
});
const readers: StockedReader[] = [];
test.afterAll(async () => {
  try {
    await expectBooksAddUp(provider, readers);
  } finally {
    await Promise.all(readers.map(({ extension }) => extension.close()));
    await site.close();
    await provider.close();
  }
});
test.afterEach(() => void readers.push(reader));

test("an empty wallet tops up in the window and goes on to the payment, without a second click on the page", async () => {
  await site.publishArticle("/first.html", { title: "First", paid: "<p>Read at last.</p>", price: "5¢" });
  await page.goto(site.addressOf("/first.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByText("Missing in your wallet").locator("..")).toContainText("5¢");
  await expect(question.getByRole("button", { name: /^Pay / })).toHaveCount(0);
  expect(await totalOf(reader)).toBe(0n);

  // Declined at first: the question stands, and another try is offered.
  const declined = await topUpInWindow(question);
  await expect(question.getByText("Waiting for the payment page…")).toBeVisible();
  await decideCheckout(declined, "Decline");
  await declined.close();
  await expect(question.getByRole("button", { name: "Top up $5", exact: true })).toBeEnabled();
  await expect(question.getByText("Missing in your wallet")).toBeVisible();

  const approved = await topUpInWindow(question);
  await decideCheckout(approved, "Approve");
  reader.toppedUp = 5_000_000n;
  await approved.close();
  await expect(question.getByText("Balance after", { exact: true }).locator("..")).toContainText("$4.95");
  await approve(question);
  await expectArticleOpen(page);
  await expect(page.getByText("Read at last.")).toBeVisible();
  expect(await totalOf(reader)).toBe(4_950_000n);
});

test("a window that is closed for want of money keeps the offer: it is answered from the popup after the top-up", async () => {
  await site.publishArticle("/kept.html", { title: "Kept", paid: "<p>Kept for you.</p>", price: "$2" });
  await page.goto(site.addressOf("/kept.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByText("Missing in your wallet")).toBeVisible();
  await question.close();
  const popup = await reader.extension.openPopup();
  await expect(popup.getByText("Waiting for your answer")).toBeVisible();
  await expect(page.locator("tuppence-paywall"), "the page still waits").toHaveAttribute("state", "asking");

  await popup.getByRole("button", { name: "Top up", exact: true }).click();
  const opened = reader.extension.context.waitForEvent("page");
  await popup.getByRole("button", { name: "Top up $5", exact: true }).click();
  const checkout = await opened;
  await decideCheckout(checkout, "Approve");
  reader.toppedUp = 5_000_000n;
  await checkout.close();
  await expect(popup.locator("#balance")).toHaveText("$5.00");
  const again = reader.extension.waitForApproval();
  await popup.getByRole("button", { name: /^Answer Test Site: Kept/ }).click();
  await approve(await again);
  await expectArticleOpen(page);
  await expect(page.getByText("Kept for you.")).toBeVisible();
  expect(await totalOf(reader)).toBe(3_000_000n);
  const { payments } = await readSnapshot(reader.extension);
  expect(payments.map(({ state, amount }) => `${state} ${amount}`)).toEqual(["paid 2000000"]);
});

test("the offer is not lost when the worker dies while the reader is at the payment page", async () => {
  await site.publishArticle("/killed.html", { title: "Killed", paid: "<p>Still there.</p>", price: "5¢" });
  await page.goto(site.addressOf("/killed.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  const checkout = await topUpInWindow(question);
  await reader.extension.killWorker();
  await decideCheckout(checkout, "Approve");
  reader.toppedUp = 5_000_000n;
  await checkout.close();
  await approve(question);
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(4_950_000n);
});

async function topUpInWindow(question: Page): Promise<Page> {
  const opened = reader.extension.context.waitForEvent("page");
  await question.getByRole("button", { name: "Top up $5", exact: true }).click();
  const checkout = await opened;
  await waitForLoad(checkout);
  return checkout;
}
