/** The dashboard's revenue, in a real browser at a running provider, whose ledger is paid as the page is looked at. */
import { type Browser, chromium, type Page } from "@playwright/test";
import { pino } from "pino";
import { requireBrowser } from "../../scripts/browsers.ts";
import { readConfig } from "../../server/config.ts";
import { createDeps, type Deps } from "../../server/deps.ts";
import { settleAll } from "../../server/settlement/index.ts";
import { signInOwner } from "../support/access.ts";
import { violations } from "../support/accessibility.ts";
import { BROWSER_FLAGS, expect, test } from "../support/extension.ts";
import { type Paid, paidFor, payAll, refundAll } from "../support/paid.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const MERCHANT = "the-mirror";
const SITE = "https://mirror.example";
const DAY_MS = 86_400_000;

let provider: RunningProvider;
let browser: Browser;
let page: Page;
let deps: Deps;
/** Of the ledger, which this process shares with the provider's. */
let now = Date.now();

test.describe.configure({ mode: "serial" });

const paid = (number: number, path: string, more: Partial<Paid> = {}): Paid =>
  paidFor(number, { merchant: MERCHANT, resource: SITE + path, kind: "article", coins: [50_000n], ...more });

test.beforeAll(async () => {
  // A busy machine is not a provider that has too much to do.
  const environment = { ...SANDBOX_ENVIRONMENT, TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0" };
  provider = await startProvider({ environment });
  const config = readConfig({
    ...SANDBOX_ENVIRONMENT,
    TUPPENCE_DATA: provider.dataFolder,
    TUPPENCE_ORIGIN: provider.origin,
    TUPPENCE_ACCOUNTS_ORIGIN: provider.accountsOrigin,
    TUPPENCE_MINT_THREADS: "0",
  });
  deps = await createDeps(config, { now: () => now, logger: pino({ level: "silent" }) });
  browser = await chromium.launch({ executablePath: requireBrowser("chromium"), args: BROWSER_FLAGS });
  const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, locale: "en-US" });
  const { cookie = "" } = await signInOwner(deps, MERCHANT);
  const [name = "", value = ""] = cookie.split("=");
  await context.addCookies([{ name, value, url: `${provider.accountsOrigin}/api` }]);
  page = await context.newPage();
});
test.afterAll(async () => {
  await browser.close();
  await deps.close();
  await provider.close();
});

const SHOTS = process.env.TUPPENCE_TEST_SHOTS;
async function look(name: string): Promise<void> {
  expect(await violations(page), name).toEqual([]);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    if (SHOTS !== undefined)
      await page.screenshot({ path: `${SHOTS}/${name}-${colorScheme}.png`, fullPage: true });
    if (colorScheme === "dark") expect(await violations(page), `${name}, dark`).toEqual([]);
  }
}

const region = (name: string) => page.getByRole("region", { name });
const rowsOf = (name: string) => page.getByRole("table", { name }).locator("tbody tr");
const open = () => page.goto(`${provider.accountsOrigin}/dashboard/#/${MERCHANT}/revenue`);

test("a merchant whom nobody paid yet is told so, and an empty chart is drawn", async () => {
  await open();
  await expect(region("Revenue, by days of UTC")).toContainText("$0.00");
  await expect(region("Payments")).toContainText("None yet.");
  await expect(region("To be paid to you")).toContainText("Nothing is waiting to be paid out.");
  await expect(page.locator(".chart-plot canvas")).toBeVisible();
  await look("revenue-empty");
});

test("a payment, a tip and a refund show within seconds, while the page stays open", async () => {
  now -= 300 * DAY_MS;
  for (let month = 0; month < 10; month++) {
    const tip = paid(100 + month, "/tides", { kind: "tip", coins: [200_000n] });
    await payAll(deps.ledger, [paid(month + 1, "/tides"), paid(50 + month, "/dunes"), tip]);
    now += 29 * DAY_MS;
  }
  await settleAll(deps, { now });
  now = Date.now();
  await payAll(deps.ledger, [paid(1_000, "/fresh?page=2")]);
  await expect(rowsOf("Payments").first()).toContainText("/fresh?page=2", { timeout: 30_000 });
  await expect(region("Revenue, by days of UTC")).toContainText("$3.05");
  await expect(region("To be paid to you")).toContainText("Payments that readers can still take back$0.05");
  await refundAll(deps.ledger, [paid(1_000, "/fresh?page=2")]);
  await expect(rowsOf("Payments").first()).toContainText("taken back", { timeout: 30_000 });
  await expect(region("Revenue, by days of UTC")).toContainText("$3.00");
  await look("revenue");
});

test("what the chart shows is said in a sentence and in a table, and for the day that is pointed at", async () => {
  const chart = page.getByRole("img", { name: /^Revenue by week: \$3\.00 from 31 payments\./ });
  await expect(chart).toBeVisible();
  await page.getByText("The same as a table").click();
  const weeks = page.getByRole("table", { name: "Revenue by week" });
  await expect(weeks.locator("tbody tr").filter({ hasText: "$0.30" })).toHaveCount(10);
  await page.getByRole("button", { name: "30 days" }).click();
  await expect(page.getByRole("table", { name: "Revenue by day" }).locator("tbody tr")).toHaveCount(30);
  const box = await page.locator(".chart-plot .u-over").boundingBox();
  if (!box) throw new Error("the chart is drawn");
  await page.mouse.move(box.x + box.width - 8, box.y + 40);
  await expect(page.locator(".chart-tip")).toContainText("1 payment, 1 given back");
  await page.getByRole("button", { name: "A year" }).click();
});

test("articles are sorted by what is asked for, tips apart", async () => {
  const articles = rowsOf("By article");
  await expect(articles.first()).toContainText("/tides Tips");
  await expect(articles.first()).toContainText("$2.00");
  await page.getByRole("button", { name: "Given back" }).click();
  await expect(articles.first()).toContainText("/fresh?page=2");
  await expect(region("By article").getByRole("columnheader", { name: "Given back" })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
});

test("markup in an address is text, and what would turn the line around stays encoded", async () => {
  await payAll(deps.ledger, [
    paid(2_000, '/<img src=x onerror="document.title=1">'),
    paid(2_001, "/\u202egpj.exe"),
  ]);
  const rows = rowsOf("Payments");
  await expect(rows.first()).toContainText("/%E2%80%AEgpj.exe", { timeout: 30_000 });
  await expect(rows.nth(1)).toContainText('/<img%20src=x%20onerror="document.title=1">');
  await expect(page.locator("td img, th img")).toHaveCount(0);
  expect(await page.title()).toBe("Revenue · Tuppence for sites");
});

test("a merchant gives a payment back, asked once more before, and one that was settled is said to wait", async () => {
  await payAll(deps.ledger, [paid(3_000, "/regretted")]);
  const row = rowsOf("Payments").filter({ hasText: "/regretted" });
  await expect(row).toBeVisible({ timeout: 30_000 });
  await row.getByRole("button", { name: /^Refund: / }).click();
  await expect(row.getByRole("alertdialog")).toContainText("$0.05 leave your balance");
  await look("revenue-refund");
  await row.getByRole("button", { name: /^Give it back: / }).click();
  await expect(row).toContainText("you gave it back");
  await expect(row.getByRole("button")).toHaveCount(0);
  await page.reload();
  await expect(row).toContainText("not fetched yet");

  await page.getByRole("button", { name: "Older payments" }).click();
  const settled = rowsOf("Payments").filter({ hasText: "/dunes" }).first();
  await settled.getByRole("button", { name: /^Refund: / }).click();
  await settled.getByRole("button", { name: /^Give it back: / }).click();
  await expect(settled).toContainText("your next settlements pay it");
  await page.reload();
  await expect(region("To be paid to you")).toContainText("Given back of what was settled before");
});

test("statements and everything as CSV are taken along by links", async () => {
  const take = async (link: ReturnType<Page["getByRole"]>) => {
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    return download.suggestedFilename();
  };
  // What was given back of settled payments is in the statement that paid it, and its rows say so.
  await settleAll(deps, { now: Date.now() + 2 * DAY_MS });
  await page.reload();
  await expect(page.getByRole("columnheader", { name: "Late refunds" })).toBeVisible();
  await expect(rowsOf("Statements").first()).toContainText("-$0.05");
  await expect(rowsOf("Statements").last()).toContainText("–");
  await look("revenue-statements");
  const csv = await page.request.get(
    `${provider.accountsOrigin}/api/merchants/${MERCHANT}/statements/2?format=csv`,
  );
  expect((await csv.text()).match(/^late_refund,.*,-50000,-0\.050000/gm)).toHaveLength(1);
  expect(await take(page.getByRole("link", { name: "CSV of statement 1" }))).toBe(`${MERCHANT}-1.csv`);
  expect(await take(page.getByRole("link", { name: "Everything as CSV" }))).toBe(`${MERCHANT}-payments.csv`);
});
