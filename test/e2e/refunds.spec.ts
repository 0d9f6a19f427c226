/**
 * Money back between a reader's browser and a merchant's: the reason that the one picks and the other sees, what is beyond the
 * merchant's day and so the merchant's to give, and the merchant's own words, whatever they are made of.
 */
import { type Browser, chromium, type Page } from "@playwright/test";
import { pino } from "pino";
import { requireBrowser } from "../../scripts/browsers.ts";
import { readConfig } from "../../server/config.ts";
import { createDeps, type Deps } from "../../server/deps.ts";
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { signInNewOwner } from "../support/access.ts";
import { violations } from "../support/accessibility.ts";
import { expectBooksAddUp, type StockedReader, stockReader } from "../support/books.ts";
import { BROWSER_FLAGS, expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, readAdminToken, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  readSnapshot,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const POLICY = "Within an hour, no questions. Later, write to us.";
/** Whatever a page would run, link or load, and letters that climb out of their line. */
const HOSTILE = `<img src=x onerror="document.title=1"><a href="https://evil.example">Pay</a> &lt;script&gt; ${"i\u0301\u0302\u0303\u0304".repeat(20)}${"x".repeat(80)}`;
/** The list of payments is read again that often, and no sooner. */
const LISTED_TIMEOUT_MS = 30_000;

let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;
let hostile: MerchantSite;
let browser: Browser;
let deps: Deps;
let dashboard: Page;

test.beforeAll(async () => {
  const environment = { ...SANDBOX_ENVIRONMENT, TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0" };
  provider = await startProvider({ environment });
  [reader, site, hostile] = await Promise.all([
    stockReader(provider),
    // One article a day, and no more, by themselves.
    startMerchantSite(provider, { id: "paper", name: "Paper", refundPolicy: POLICY, refundsPerDay: "50000" }),
    startMerchantSite(provider, { id: "hostile", name: "Hostile", refundPolicy: HOSTILE }),
  ]);
  const config = readConfig({
    ...environment,
    TUPPENCE_DATA: provider.dataFolder,
    TUPPENCE_ORIGIN: provider.origin,
    TUPPENCE_ACCOUNTS_ORIGIN: provider.accountsOrigin,
    TUPPENCE_MINT_THREADS: "0",
  });
  deps = await createDeps(config, { now: Date.now, logger: pino({ level: "silent" }) });
  browser = await chromium.launch({ executablePath: requireBrowser("chromium"), args: BROWSER_FLAGS });
  const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, locale: "en-US" });
  const { cookie = "" } = await signInNewOwner(deps, site.id);
  const [name = "", value = ""] = cookie.split("=");
  await context.addCookies([{ name, value, url: `${provider.accountsOrigin}/api` }]);
  dashboard = await context.newPage();
});
test.afterAll(async () => {
  await browser.close();
  await deps.close();
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await hostile.close();
  await provider.close();
});
test.describe.configure({ mode: "serial" });

test("what the merchant says is read before paying and afterwards, and the reason that the reader picks is in the merchant's list", async () => {
  const { question, page } = await ask(site, "/tides.html", "Tides");
  const says = "What Paper says about money back";
  const words = question.locator(".merchant-words");
  await expect(words).toBeHidden();
  await question.getByText(says).click();
  await expect(words).toHaveText(POLICY);
  expect(await violations(question)).toEqual([]);
  await approveAndClose(question);
  await expectArticleOpen(page);

  const payment = await openNewest();
  await expect(payment.getByText(says)).toBeVisible();
  await expect(payment.locator(".merchant-words")).toHaveText(POLICY);
  const reason = payment.getByLabel("Why? Only if you like");
  await expect(reason).toHaveValue("");
  await expect(reason).toHaveAccessibleDescription(
    "The site sees the reason that you pick beside this payment, and nothing about you.",
  );
  await reason.selectOption({ label: "It was not as described" });
  expect(await violations(payment)).toEqual([]);
  await payment.getByRole("button", { name: "Ask the money back" }).click();
  await expect(payment.locator(".detail-said")).toHaveText("Your money is back in your wallet.");
  await expect(reason).toHaveCount(0);
  await expect(payment.getByText("Told the site")).toBeVisible();
  await expect(payment.getByText("It was not as described")).toBeVisible();

  await dashboard.goto(`${provider.accountsOrigin}/dashboard/#/${site.id}/revenue`);
  await expect(rowOf("/tides.html")).toContainText(/taken back .*: not as described/, {
    timeout: LISTED_TIMEOUT_MS,
  });
  await Promise.all([payment.close(), page.close()]);
});

test("beyond the merchant's day the reader hears that the merchant decides and where the money is, and has it by one click once it is given", async () => {
  const { question, page } = await ask(site, "/dunes.html", "Dunes");
  await approveAndClose(question);
  await expectArticleOpen(page);
  const popup = await reader.extension.openPopup();
  await expectBalance(popup, "$4.95");
  await popup.getByRole("button", { name: /^Money back for Dunes, until / }).click();
  const notice = popup.getByRole("alert");
  await expect(notice).toContainText("it decides about this payment itself");
  await expect(notice).toContainText("Your money is still in the payment, and the article stays yours.");
  await expect(popup.getByText("Asked back", { exact: true })).toBeVisible();
  await expect(popup.getByText("The time for taking this payment back is over.")).toHaveCount(0);
  expect(await violations(popup)).toEqual([]);
  await expectBalance(popup, "$4.95");
  await page.reload();
  await expectArticleOpen(page);

  const payment = await openNewest();
  await expect(payment.getByText("Asked for. The site decides.")).toBeVisible();
  await expect(payment.locator(".detail-said")).toContainText("Ask again later, or write to the site.");
  const again = payment.getByRole("button", { name: "Ask again, or fetch it" });
  await again.click();
  await expect(again).toBeEnabled();
  await expect(payment.getByText(/it decides about this payment itself/)).toHaveCount(1);
  expect(await violations(payment)).toEqual([]);

  await expect(rowOf("/dunes.html")).toContainText("asked back, yours to give", {
    timeout: LISTED_TIMEOUT_MS,
  });
  await rowOf("/dunes.html")
    .getByRole("button", { name: /^Refund: / })
    .click();
  await rowOf("/dunes.html")
    .getByRole("button", { name: /^Give it back: / })
    .click();
  await expect(rowOf("/dunes.html")).toContainText("you gave it back");
  await expectBalance(popup, "$4.95");
  await again.click();
  await expect(payment.locator(".detail-said")).toHaveText("Your money is back in your wallet.");
  await expectBalance(popup, "$5.00");
  await expect(popup.getByText("Asked back", { exact: true })).toHaveCount(0);
  await Promise.all([popup.close(), payment.close(), page.close()]);
});

test("a merchant's words that are made of markup are read as they were typed, load nothing, lead nowhere and stay in their box", async () => {
  const { question, page } = await ask(hostile, "/trap.html", "Trap");
  await question.getByText("What Hostile says about money back").click();
  await expectHarmless(question);
  await approveAndClose(question);
  await expectArticleOpen(page);
  const payment = await openNewest();
  await expectHarmless(payment);
  await Promise.all([payment.close(), page.close()]);
});

test("words that turn the line around, of many lines, or too many are not taken from a merchant", async () => {
  const put = (refundPolicy: string) =>
    fetch(`${provider.accountsOrigin}/admin/merchants`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${readAdminToken(provider)}` },
      body: JSON.stringify({ id: hostile.id, name: "Hostile", origins: [hostile.origin], refundPolicy }),
    }).then(({ status }) => status);
  expect(await put("\u202eyenom ruoy evig eW")).toBe(400);
  expect(await put("one\ntwo")).toBe(400);
  expect(await put("x".repeat(301))).toBe(400);
  expect((await deps.merchants.get(hostile.id))?.refundPolicy).toBe(HOSTILE);
});

async function expectHarmless(page: Page): Promise<void> {
  const words = page.locator(".merchant-words");
  await expect(words).toHaveText(HOSTILE);
  await expect(words.locator("*")).toHaveCount(0);
  await expect(page).not.toHaveTitle("1");
  const { isInside, isWide } = await words.evaluate((element) => ({
    isInside: getComputedStyle(element).overflowY === "clip",
    isWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  }));
  expect({ isInside, isWide }).toEqual({ isInside: true, isWide: false });
  expect(await violations(page)).toEqual([]);
}

async function ask(at: MerchantSite, path: string, title: string) {
  await at.publishArticle(path, { title, paid: "<p>The paid part.</p>", price: "5¢" });
  const page = await reader.extension.context.newPage();
  await page.goto(at.addressOf(path));
  await paywallButton(page).click();
  return { page, question: await reader.extension.waitForApproval() };
}

async function openNewest(): Promise<Page> {
  const { payments } = await readSnapshot(reader.extension);
  const page = await reader.extension.context.newPage();
  await page.goto(`${reader.extension.url(OPTIONS_PAGE)}#/spending/payment/${payments[0]?.id}`);
  return page;
}

function rowOf(path: string) {
  return dashboard.getByRole("table", { name: "Payments" }).locator("tbody tr").filter({ hasText: path });
}
