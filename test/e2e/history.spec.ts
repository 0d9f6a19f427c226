/** Where the money went, in the real extension: found, shown, taken out as a file, and given back, while the page is open. */
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { violations } from "../support/accessibility.ts";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { copyPayments } from "../support/long-history.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { movedIn } from "../support/moved.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  readSnapshot,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

/** What a page may call itself to do harm in a spreadsheet. */
const FORMULA = '=HYPERLINK("https://evil.example")';
const ARTICLES = [
  { path: "/ferry.html", title: "The last ferry", price: "5¢" },
  { path: "/cafe.html", title: "Café on the quay", price: "20¢" },
  { path: "/formula.html", title: FORMULA, price: "10¢" },
] as const;

/** More than two pages of the export. */
const MANY = 1_200;
/** Payments in the list before "show more". */
const LISTED = 50;
/** A provider and a wallet of its own, and all those rows: on a busy machine that is most of what a test may take. */
const LONG_TIMEOUT_MS = 480_000;

let provider: RunningProvider;
let reader: StockedReader;
let gazette: MerchantSite;
let almanac: MerchantSite;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, gazette, almanac] = await Promise.all([
    stockReader(provider),
    startMerchantSite(provider, { id: "gazette", name: "The Gazette" }),
    startMerchantSite(provider, { id: "almanac", name: "The Almanac" }),
  ]);
  for (const { path, title, price } of ARTICLES) {
    await gazette.publishArticle(path, { title, paid: "<p>The paid part.</p>", price });
    await buy(gazette.addressOf(path));
  }
  await almanac.publishArticle("/tides.html", { title: "Tides", paid: "<p>High.</p>", price: "50¢" });
  await buy(almanac.addressOf("/tides.html"));
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await gazette.close();
  await almanac.close();
  await provider.close();
});

test("the popup leads to the month: its sum, a bar for the day, the sites, and each payment", async () => {
  const popup = await reader.extension.openPopup();
  const opened = reader.extension.context.waitForEvent("page");
  await popup.getByRole("button", { name: "All payments" }).click();
  const page = await opened;
  await expect(page.getByRole("heading", { name: "Spending", level: 1 })).toBeVisible();
  await expect(page.locator(".spending-amount")).toHaveText("$0.85");
  await expect(page.getByText("in 4 payments", { exact: true })).toBeVisible();
  const sites = page
    .getByRole("list")
    .filter({ has: page.locator(".site") })
    .getByRole("listitem");
  await expect(sites).toHaveCount(2);
  await expect(sites.first()).toContainText(/127\.0\.0\.1.*1 payment.*\$0\.50/);
  await expect(rows(page)).toHaveCount(4);
  await expect(rows(page).first()).toContainText("Tides");
  expect(await movedIn(page), "when the answers came").toEqual([]);

  // By keyboard, the bar says what it stands for and leads to its day; the same figures stand in a table.
  const bar = page.getByRole("link", { name: /: \$0\.85 in 4 payments$/ });
  await bar.focus();
  await expect(page.locator(".chart-said")).toHaveText(/: \$0\.85 in 4 payments$/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/day=\d{4}-\d{2}-\d{2}/);
  // All of the month was paid on one day, and one site had 35¢ where the other had 50.
  const [column = 0, drawn = 0] = await bar
    .locator("rect")
    .evaluateAll((boxes) => boxes.map((box) => box.getBoundingClientRect().height));
  expect(drawn / column).toBeGreaterThan(0.9);
  const shares = sites.locator("progress");
  expect(
    await shares.evaluateAll((bars: HTMLProgressElement[]) => bars.map(({ position }) => position)),
  ).toEqual([1, 0.7]);
  await expect(rows(page)).toHaveCount(4);
  await page.getByText("Show the figures").click();
  await expect(page.getByRole("table").getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("table")).toContainText("$0.85");

  await sites.last().getByRole("link").click();
  await expect(rows(page)).toHaveCount(3);
  await expect(page.getByText("$0.35").first()).toBeVisible();
  await page.getByRole("link", { name: "Year" }).click();
  await expect(page.getByRole("link", { name: /: \$0\.35 in 3 payments$/ })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.close();
});

test("a search finds what is meant, without case and accents, and forgets itself when it is emptied", async () => {
  const page = await openOptions("spending?period=2020");
  await expect(page.getByText("Nothing paid in this time")).toBeVisible();
  const search = page.getByRole("searchbox", { name: "Search titles and sites" });
  await search.fill("CAFE quay");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText("Café on the quay");
  await search.fill("gazette");
  await expect(rows(page)).toHaveCount(3);
  await search.fill("nothing of the kind");
  await expect(page.getByText("Nothing found")).toBeVisible();
  await search.fill("");
  await expect(page.getByText("Nothing paid in this time")).toBeVisible();
  await page.close();
});

test("the files hold every payment: a spreadsheet runs no formula out of them, and the receipts are genuine", async () => {
  const page = await openOptions("spending");
  const [csv, name] = await download(page, "Save as CSV");
  expect(name).toBe("tuppence-payments.csv");
  const lines = csv.trimEnd().split("\r\n");
  expect(lines[0]).toBe(
    "time,state,kind,amount,currency,amount_micros,title,merchant,site,address,payment_id",
  );
  expect(lines).toHaveLength(5);
  expect(lines[1]).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d,paid,article,0\.50,USD,500000,Tides,The Almanac,http/,
  );
  expect(csv).toContain(`,"'=HYPERLINK(""https://evil.example"")",`);
  const [json] = await download(page, "Save as JSON");
  const { payments }: { payments: { title: string; receipt: string; amount_micros: string }[] } =
    JSON.parse(json);
  expect(payments.map(({ title }) => title)).toEqual([
    "Tides",
    FORMULA,
    "Café on the quay",
    "The last ferry",
  ]);
  for (const { receipt, amount_micros } of payments) {
    const claims = JSON.parse(Buffer.from(receipt.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ iss: provider.origin, amount: amount_micros });
  }
  await page.close();
});

test("a long history says how far its file is, and neither file, months, list nor filter misses a payment", async () => {
  test.setTimeout(LONG_TIMEOUT_MS);
  // Its books cannot add up: nobody was ever paid most of it.
  const apart = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  const other = await startMerchantSite(apart, { id: "other", name: "Other" });
  const longReader = await stockReader(apart);
  await other.publishArticle("/one.html", { title: "One", paid: "<p>The paid part.</p>", price: "5¢" });
  await buy(other.addressOf("/one.html"), longReader);
  await copyPayments(longReader.extension, MANY);
  const page = await longReader.extension.context.newPage();
  await page.goto(longReader.extension.url(`${OPTIONS_PAGE}#/spending`));
  await expect(page.locator(".spending-amount")).toBeVisible();
  const said = page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const words: string[] = [];
        new MutationObserver((_, observer) => {
          const status = document.querySelector(".exporting [role=status]")?.textContent ?? "";
          if (status !== "" && status !== words.at(-1)) words.push(status);
          if (status !== "" || words.length === 0) return;
          observer.disconnect();
          resolve(words);
        }).observe(document.body, { childList: true, subtree: true, characterData: true });
      }),
  );
  const [csv] = await download(page, "Save as CSV");
  const [, ...lines] = csv.trimEnd().split("\r\n");
  const ids = lines.map((line) => line.split(",").at(-1) ?? "");
  expect(new Set(ids).size).toBe(MANY + 1);
  expect(await said).toEqual(expect.arrayContaining(["500 of 1,201 payments…", "1,000 of 1,201 payments…"]));

  // The months, by the arrows. What each has to hold stands in the file.
  const countIn = (month: string) => lines.filter((line) => line.startsWith(month)).length;
  const months = [...new Set(lines.map((line) => line.slice(0, "2026-11".length)))];
  const [newest = "", earlier = ""] = months;
  const period = page.getByRole("navigation", { name: "Period" });
  const [before, after] = ["Before", "After"].map((name) => period.getByRole("link", { name }));
  if (!before || !after) throw new Error("two arrows");
  await goTo(page, `spending?period=${newest}`);
  await expect(period.getByRole("heading")).toHaveText(nameOf(newest));
  await before.click();
  await expect(period.getByRole("heading")).toHaveText(nameOf(earlier));
  await expect(page.getByText(`in ${countIn(earlier)} payments`, { exact: true })).toBeVisible();
  await expect(rows(page)).toHaveCount(Math.min(LISTED, countIn(earlier)));
  await after.click();
  await expect(period.getByRole("heading")).toHaveText(nameOf(newest));
  await expect(rows(page)).toHaveCount(Math.min(LISTED, countIn(newest)));
  await goTo(page, `spending?period=${months.at(-1)}`);
  await expect(period.getByRole("heading")).toHaveText(nameOf(months.at(-1) ?? ""));
  await expect(after).toBeVisible();
  await expect(before, "before the first payment there is nothing").toHaveCount(0);

  // The list, piece by piece.
  await goTo(page, "spending?search=Article");
  for (const shown of [LISTED, 2 * LISTED, 3 * LISTED]) {
    await expect(rows(page).locator(".history-title")).toHaveText(
      Array.from({ length: shown }, (_, index) => `Article ${index}`),
    );
    await page.getByRole("button", { name: "Show more" }).click();
  }

  // By what became of them.
  await goTo(page, `spending?period=${newest}`);
  const state = page.getByLabel("State", { exact: true });
  await state.selectOption({ label: "Money is back" });
  await expect(page.getByText("Nothing paid in this time")).toBeVisible();
  const [paymentId = ""] = ids;
  expect(await longReader.extension.ask({ kind: "ui", type: "refund", paymentId })).toHaveProperty("ok");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText("One");
  await state.selectOption({ label: "Paid" });
  await expect(rows(page)).toHaveCount(Math.min(LISTED, countIn(newest) - 1));
  await expect(rows(page).filter({ hasText: "One" })).toHaveCount(0);
  await state.selectOption({ label: "Any state" });
  await expect(rows(page).filter({ hasText: "One" })).toContainText("Money is back");
  await longReader.extension.close();
  await other.close();
  await apart.close();
});

test("a payment is shown with its receipt, opens its article, and gives its money back while it is looked at", async () => {
  const page = await openOptions("spending");
  await rows(page).filter({ hasText: "The last ferry" }).click();
  await expect(page.getByRole("heading", { name: "The last ferry" })).toBeFocused();
  await expect(page.getByText("Paid.", { exact: true })).toBeVisible();
  await expect(page.getByText("Approved by you")).toBeVisible();
  await expect(page.getByText(/ signed on .* that gazette was paid \$0\.05 for:$/)).toBeVisible();
  await expect(page.getByText(gazette.addressOf("/ferry.html"), { exact: true })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  const [receipt] = await download(page, "Save the receipt");
  expect(receipt.split(".")).toHaveLength(3);

  const opened = reader.extension.context.waitForEvent("page");
  await page.getByRole("button", { name: "Open the article" }).click();
  const article = await opened;
  await expectArticleOpen(article);
  await article.close();

  const before = await totalOf(reader);
  const popup = await reader.extension.openPopup();
  await page.getByRole("button", { name: "Ask the money back" }).click();
  await expect(page.getByText("Your money is back in your wallet.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Ask the money back" })).toHaveCount(0);
  await expectBalance(popup, "$4.20");
  await expect(popup.getByText("Money is back")).toBeVisible();
  await popup.close();
  expect(await totalOf(reader)).toBe(before + 50_000n);
  // What came back is not spent.
  await page.getByRole("link", { name: "All payments" }).click();
  await expect(page.locator(".spending-amount")).toHaveText("$0.80");
  await expect(rows(page).filter({ hasText: "The last ferry" })).toContainText("Money is back");
  await page.close();
});

test("an article that does not open gives its money back by itself, and the reader sees it come", async () => {
  await gazette.publishArticle("/broken.html", { title: "Broken", paid: "<p>Never.</p>", price: "5¢" });
  const html = await (await fetch(gazette.addressOf("/broken.html"))).text();
  // The page lets nothing be put into it: paid for, it does not open.
  gazette.publish("/broken.html", html, {
    "content-security-policy":
      "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
  });
  const before = await totalOf(reader);
  const popup = await reader.extension.openPopup();
  const page = await reader.extension.context.newPage();
  await page.goto(gazette.addressOf("/broken.html"));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expect(popup.getByRole("listitem").filter({ hasText: "Broken" })).toContainText("Money is back");
  const broken = (await readSnapshot(reader.extension)).payments.find(({ title }) => title === "Broken");
  const options = await openOptions(`spending/payment/${broken?.id}`);
  await expect(
    options.getByText("The article did not open, so your money came back by itself. It is in your wallet."),
  ).toBeVisible();
  expect(await totalOf(reader)).toBe(before);
  await Promise.all([popup.close(), page.close(), options.close()]);
});

test("a site that is forgotten is in no list any more, and what was spent there still counts", async () => {
  const page = await openOptions("spending");
  await expect(rows(page).filter({ hasText: "Tides" })).toHaveCount(1);
  const spent = await page.locator(".spending-amount").textContent();
  await rows(page).filter({ hasText: "Tides" }).click();
  await page.getByRole("button", { name: "Forget this site" }).click();
  await page.getByRole("button", { name: "Forget it" }).click();
  await expect(rows(page).first()).toBeVisible();
  await expect(rows(page).filter({ hasText: "Tides" })).toHaveCount(0);
  await expect(page.locator(".spending-amount")).toHaveText(spent ?? "");
  await expect(page.getByText("Sites that you had forgotten")).toBeVisible();
  await page.close();
});

async function buy(address: string, buyer = reader): Promise<void> {
  const page = await buyer.extension.context.newPage();
  await page.goto(address);
  await paywallButton(page).click();
  await approveAndClose(await buyer.extension.waitForApproval());
  await expectArticleOpen(page);
  await page.close();
}

async function openOptions(place: string): Promise<Page> {
  const page = await reader.extension.context.newPage();
  await page.goto(`${reader.extension.url(OPTIONS_PAGE)}#/${place}`);
  return page;
}

/** To another place of the options page, as a link in it leads there. */
async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${place}`);
}

/** A month as its heading reads: "November 2026". */
function nameOf(month: string): string {
  const [year = 1970, number = 1] = month.split("-").map(Number);
  return new Intl.DateTimeFormat("en-US", { year: "numeric", month: "long" }).format(
    new Date(year, number - 1, 1),
  );
}

function rows(page: Page) {
  return page.locator(".history-row");
}

async function download(page: Page, button: string): Promise<[text: string, name: string]> {
  const begun = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  const file = await begun;
  return [readFileSync(await file.path(), "utf8"), file.suggestedFilename()];
}
