/** Money back in one click, inside the merchant's window; and what was given back is no longer open. */
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test, turnClock } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  readSnapshot,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;
/** Longer than a test, so that it ends when the clock is turned and not before. */
const SHORT_WINDOW_SECONDS = 900;

let provider: RunningProvider;
let reader: StockedReader;
let generous: MerchantSite;
let final: MerchantSite;
let brief: MerchantSite;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, generous, final, brief] = await Promise.all([
    stockReader(provider),
    startMerchantSite(provider, { id: "generous", name: "Generous" }),
    startMerchantSite(provider, { id: "final", name: "Final", refundWindowSeconds: 0 }),
    startMerchantSite(provider, { id: "brief", name: "Brief", refundWindowSeconds: SHORT_WINDOW_SECONDS }),
  ]);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await generous.close();
  await final.close();
  await brief.close();
  await provider.close();
});

test("one click in the popup brings the money back, and the article is not kept with it", async () => {
  const address = await publish(generous, "/regretted.html", "Regretted");
  const before = await totalOf(reader);
  const paid = await paidToMerchants(provider);
  const page = await reader.extension.context.newPage();
  await page.goto(address);
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);

  const popup = await reader.extension.openPopup();
  await expectBalance(popup, "$4.95");
  await popup.getByRole("button", { name: /^Money back for Regretted, until / }).click();
  await expectBalance(popup, "$5.00");
  await expect(popup.getByText("Money is back")).toBeVisible();
  await expect(popup.getByRole("button", { name: /^Money back/ })).toHaveCount(0);
  await popup.close();
  expect(await totalOf(reader)).toBe(before);
  expect(await paidToMerchants(provider), "the merchant has it no longer").toBe(paid);

  await page.reload();
  await expect(paywallButton(page)).toHaveText("Read on for 5¢");
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("button", { name: "Pay 5¢" })).toBeEnabled();
  await expect(page.getByText("The paid part.")).toHaveCount(0);

  // Bought again, it costs again, once.
  await approveAndClose(question);
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before - PRICE);
  await page.close();
});

test("a refund is not lost, nor made twice, when the worker dies under it", async () => {
  const address = await publish(generous, "/killed.html", "Killed");
  const before = await totalOf(reader);
  const page = await reader.extension.context.newPage();
  await page.goto(address);
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  const { payments } = await readSnapshot(reader.extension);
  const id = payments[0]?.id ?? "";
  const popup = await reader.extension.openPopup();
  const paid = await paidToMerchants(provider);
  await provider.kill();
  await popup.getByRole("button", { name: /^Money back for Killed, until / }).click();
  await expect.poll(() => stateOf(id)).toBe("refunding");
  await provider.restart();
  await reader.extension.killWorker();
  await expect.poll(() => stateOf(id)).toBe("refunded");
  await popup.close();
  expect(await totalOf(reader)).toBe(before);
  expect(await paidToMerchants(provider)).toBe(paid - PRICE);
  await page.close();
});

test("a merchant without a window is not offered as one that gives money back", async () => {
  const address = await publish(final, "/final.html", "Final words");
  const page = await reader.extension.context.newPage();
  await page.goto(address);
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByText("Balance after", { exact: true })).toBeVisible();
  await expect(question.getByText("Money back", { exact: true })).toHaveCount(0);
  await approveAndClose(question);
  await expectArticleOpen(page);
  const popup = await reader.extension.openPopup();
  await expect(popup.getByText("Final words")).toBeVisible();
  await expect(popup.getByRole("button", { name: /^Money back for Final words/ })).toHaveCount(0);
  await popup.close();
  // And asked for all the same, the wallet says why not, and the article stays.
  const { payments } = await readSnapshot(reader.extension);
  const answer = await reader.extension.ask({ kind: "ui", type: "refund", paymentId: payments[0]?.id ?? "" });
  expect(answer).toMatchObject({ error: { code: "refund_window_closed" } });
  await page.reload();
  await expectArticleOpen(page);
  await page.close();
});

test("money back is not offered any more, in an open page either, when the merchant's window has ended", async () => {
  const page = await reader.extension.context.newPage();
  await page.goto(await publish(brief, "/brief.html", "Brief words"));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  const { payments } = await readSnapshot(reader.extension);
  const options = await reader.extension.context.newPage();
  await options.goto(`${reader.extension.url(OPTIONS_PAGE)}#/spending/payment/${payments[0]?.id}`);
  const popup = await reader.extension.openPopup();
  const inPopup = popup.getByRole("button", { name: /^Money back for Brief words, until / });
  const inOptions = options.getByRole("button", { name: "Ask the money back" });
  await expect(inPopup).toBeVisible();
  await expect(inOptions).toBeVisible();
  await expect(options.getByText(/^One click, until /)).toBeVisible();

  const aheadMs = (SHORT_WINDOW_SECONDS + 1) * 1_000;
  await turnClock(reader.extension, aheadMs, [popup, options]);
  await expect(inPopup).toHaveCount(0);
  await expect(inOptions).toHaveCount(0);
  await expect(
    options.getByText("The time for that is over. The site may still give it back."),
  ).toBeVisible();
  // What was bought stays.
  await expect(popup.getByText("Brief words")).toBeVisible();
  await turnClock(reader.extension, -aheadMs);
  await Promise.all([popup.close(), options.close(), page.close()]);
});

async function publish(site: MerchantSite, path: string, title: string): Promise<string> {
  await site.publishArticle(path, { title, paid: "<p>The paid part.</p>", price: "5¢" });
  return site.addressOf(path);
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await readSnapshot(reader.extension)).payments.find((payment) => payment.id === id)?.state;
}
