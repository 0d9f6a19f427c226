/** The privacy meter: before the payment, after it, and for everything that the wallet does. */
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { violations } from "../support/accessibility.ts";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, decline, expectArticleOpen, paywallButton, topUp } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const NOBODY = "Nobody learns from this payment whose it is.";
const PERHAPS = "Coins are fetched for this payment: by the moment, the provider may guess whose it is.";

let provider: RunningProvider;
let site: MerchantSite;
let reader: StockedReader;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, site] = await Promise.all([stockReader(provider), startMerchantSite(provider)]);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
});

test("the question says in a line who learns what, and opens to all of it; Enter on the line pays nothing", async () => {
  await site.publishArticle("/a.html", { title: "Tides", paid: "<p>High.</p>", price: "5¢" });
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf("/a.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  const before = await totalOf(reader);
  const line = question.getByText(NOBODY);
  await expect(line).toBeVisible();
  await expect(question.getByText("The top-up service")).toBeHidden();
  // The guard is open by then: anywhere else this key would pay.
  await expect(question.getByRole("button", { name: "Pay 5¢" })).toBeEnabled();
  await question.locator("summary").focus();
  await question.keyboard.press("Enter");
  for (const [party, learned] of [
    ["Test Site", "that you have a wallet, for which page, how much"],
    ["The provider", "coins that do not show where they come from"],
    ["The top-up service", "Nothing."],
  ] as const)
    await expect(question.locator(".privacy-parties > div", { hasText: party })).toContainText(learned);
  await expect(question.getByText("the internet address that it comes from, and the moment")).toBeVisible();
  expect(await violations(question)).toEqual([]);
  expect(await totalOf(reader)).toBe(before);

  await approveAndClose(question);
  await expectArticleOpen(page);
  await page.close();
});

test("a payment that has to fetch coins first does not promise what others do, before it or after it", async () => {
  // More than the drawer holds: one visit brings no more than five dollars.
  const popup = await reader.extension.openPopup();
  await topUp(reader.extension, popup, "$20");
  reader.toppedUp += 20_000_000n;
  await expect.poll(() => totalOf(reader)).toBe(24_950_000n);
  await popup.close();
  await site.publishArticle("/dear.html", { title: "Dear", paid: "<p>All.</p>", price: "$18" });
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf("/dear.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByText(PERHAPS)).toBeVisible();
  await approveAndClose(question);
  await expectArticleOpen(page);
  await page.close();

  const options = await openOptions("/spending");
  await options.getByRole("link", { name: /Dear/ }).first().click();
  await expect(options.getByText(PERHAPS)).toBeVisible();
  await options.goBack();
  await options.getByRole("link", { name: /Tides/ }).first().click();
  await expect(options.getByText(NOBODY)).toBeVisible();
  await expect(
    options.getByText("The site learns that this was bought before, and not by whom."),
  ).toBeVisible();
  await options.close();
});

test("a page that does not say who its merchant is makes the provider hear of the question, and the meter says so", async () => {
  const stranger = await startMerchantSite(provider, { id: "stranger", name: "Stranger" });
  await stranger.publishArticle(
    "/new.html",
    { title: "New", paid: "<p>The paid part.</p>", price: "5¢" },
    { merchantRecord: undefined },
  );
  const page = await reader.extension.context.newPage();
  await page.goto(stranger.addressOf("/new.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await question.getByText(NOBODY).click();
  await expect(question.getByText("that somebody asked who this site is")).toBeVisible();
  await decline(question);
  await page.close();
  await stranger.close();
});

test("whoever tops up is told before who learns of it", async () => {
  const popup = await reader.extension.openPopup();
  await popup.getByRole("button", { name: "Top up" }).click();
  const meter = popup.locator(".privacy");
  await expect(meter.getByText("The top-up service")).toBeHidden();
  await meter.locator("summary").click();
  for (const [party, learned] of [
    ["The provider", "your account"],
    ["The top-up service", "what its own payment page asks you for"],
  ] as const)
    await expect(meter.locator(".privacy-parties > div", { hasText: party })).toContainText(learned);
  expect(await violations(popup)).toEqual([]);
  await popup.close();
});

test("a section of the settings has the meter for everything that the wallet does", async () => {
  const options = await openOptions("/privacy");
  await expect(options.locator(".privacy")).toHaveCount(9);
  for (const summary of await options.locator(".privacy summary").all()) await summary.click();
  await expect(options.getByText("which payments are one reader’s, and not whose")).toBeVisible();
  expect(await violations(options)).toEqual([]);
  await options.close();
});

async function openOptions(place: string) {
  const page = await reader.extension.context.newPage();
  await page.goto(reader.extension.url(`${OPTIONS_PAGE}#${place}`));
  await expect(page.locator("h1").first()).toBeVisible();
  return page;
}
