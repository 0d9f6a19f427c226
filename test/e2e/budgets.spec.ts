/** Limits and the pause, in the real extension: what passes a limit asks and says why; a paused wallet pays nobody. */
import type { Page } from "@playwright/test";
import { tellReader } from "../../shared/errors.ts";
import { formatBalance, micros } from "../../shared/money.ts";
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
  approve,
  approveAndClose,
  decline,
  expectArticleOpen,
  paywallButton,
  pressToClose,
  readSnapshot,
} from "../support/reader.ts";
import {
  clickAtOnce,
  closeAll,
  declineAll,
  openTab,
  openTabs,
  publishArticles,
  questionsOf,
  statesOf,
} from "../support/tabs.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

let provider: RunningProvider;
let reader: StockedReader;
const sites: MerchantSite[] = [];
const questions = () => questionsOf(reader.extension);

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
});
test.afterEach(async () => {
  await setMonthlyLimit(null);
  await reader.extension.ask({ kind: "ui", type: "setPaused", paused: false });
  for (const question of questions()) await decline(question);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await Promise.all(sites.map((site) => site.close()));
  await provider.close();
});

test("a site's limits are set in the options page, asked about when they are passed, and new after midnight", async () => {
  const site = await openSite("limits", 7, "10¢");
  await site.publishArticle("/dear.html", { title: "Dear", paid: "<p>What costs more.</p>", price: "20¢" });
  const [first, ...pages] = await openTabs(reader.extension, site, 7);
  const dear = await openTab(reader.extension, site.addressOf("/dear.html"));
  if (!first) throw new Error("a first page");
  await paywallButton(first).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(first);

  const options = await openOptions(`budgets?site=${encodeURIComponent(site.origin)}`);
  const form = options.getByRole("form", { name: "Site limits" });
  await form.getByLabel("Most for one payment").fill("15¢");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("alert")).toHaveText("Set a limit for a day or a month.");
  await form.getByLabel("Most a day").fill("0.30");
  await form.getByLabel("Most a month").fill("$1");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByText("30¢ left of 30¢ today")).toBeVisible();

  for (const page of pages.slice(0, 3)) {
    await paywallButton(page).click();
    await expectArticleOpen(page);
    expect(questions(), "no window").toHaveLength(0);
  }
  await expect(form.getByText("$0.00 left of 30¢ today")).toBeVisible();
  await expect(form.getByText("70¢ left of $1 this month")).toBeVisible();

  const [, , , fourth, fifth] = pages;
  if (!fourth || !fifth) throw new Error("five pages");
  await paywallButton(fourth).click();
  const question = await reader.extension.waitForApproval();
  await expect(
    question.getByText("You are asked because the 30¢ a day for this site are spent."),
  ).toBeVisible();
  await expect(fact(question, "Without asking here, today")).toHaveText("$0.00 of 30¢");
  await decline(question);
  await paywallButton(dear).click();
  const dearer = await reader.extension.waitForApproval();
  await expect(
    dearer.getByText(/this costs more than the 15¢ that this site may be paid at once/),
  ).toBeVisible();
  await decline(dearer);

  await turnClock(reader.extension, await untilMidnight(options));
  await paywallButton(fifth).click();
  await expectArticleOpen(fifth);
  expect(questions(), "another day").toHaveLength(0);
  await turnClock(reader.extension, -(await untilMidnight(options)));
  await closeAll([options, first, dear, ...pages]);
});

test("beyond the monthly limit nothing is paid before the reader agrees to that as well", async () => {
  const site = await openSite("month", 3, "40¢");
  const [first, second, third] = await openTabs(reader.extension, site, 3);
  if (!first || !second || !third) throw new Error("three pages");
  await setMonthlyLimit((await spentThisMonth()) + 500_000n);
  await paywallButton(first).click();
  const within = await reader.extension.waitForApproval();
  await expect(fact(within, "Left this month after it")).toHaveText(/^10¢ of /);
  await approve(within, { allowance: "$2" });
  await expectArticleOpen(first);
  await expect.poll(questions).toHaveLength(0);

  // The site may be paid without asking, and still this asks.
  const before = await totalOf(reader);
  await paywallButton(second).click();
  const beyond = await reader.extension.waitForApproval();
  await expect(beyond.getByText(/^This goes 30¢ over your monthly limit of /)).toBeVisible();
  const pay = beyond.getByRole("button", { name: "Pay 40¢" });
  await expect(beyond.getByRole("button", { name: "Not now" })).toBeEnabled();
  await beyond.keyboard.press("Enter");
  await beyond.waitForTimeout(1_000);
  await beyond.keyboard.press("Enter");
  await expect(pay).toBeDisabled();
  expect(await totalOf(reader)).toBe(before);
  await beyond.getByLabel("Pay it all the same").check();
  await pressToClose(beyond, pay);
  await expectArticleOpen(second);
  expect(await totalOf(reader)).toBe(before - 400_000n);

  await setMonthlyLimit(null);
  await paywallButton(third).click();
  await expectArticleOpen(third);
  expect(questions()).toHaveLength(0);
  await closeAll([first, second, third]);
});

test("what a site and all sites may be paid in a month is set in the options page, does not end unsaid, and is new with the next month", async () => {
  const site = await openSite("renewal", 6, "20¢");
  await site.publishArticle("/small.html", { title: "Small", paid: "<p>A small part.</p>", price: "10¢" });
  const [first, ...pages] = await openTabs(reader.extension, site, 6);
  const small = await openTab(reader.extension, site.addressOf("/small.html"));
  const [second, third, fourth, fifth] = pages;
  if (!first || !second || !third || !fourth || !fifth) throw new Error("five pages");
  await paywallButton(first).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(first);

  const options = await openOptions(`budgets?site=${encodeURIComponent(site.origin)}`);
  const siteForm = options.getByRole("form", { name: "Site renewal" });
  await siteForm.getByLabel("Most a month").fill("50¢");
  await siteForm.getByRole("button", { name: "Save" }).click();
  await expect(siteForm.getByText("50¢ left of 50¢ this month")).toBeVisible();
  const together = options.getByRole("region", { name: "All sites together" });
  await together.getByLabel("Most a month").fill("much");
  await together.getByRole("button", { name: "Save" }).click();
  await expect(together.getByRole("alert")).toHaveText("Type an amount, like 0.75 or 75¢.");
  await together.getByLabel("Most a month").fill("$9");
  await together.getByRole("button", { name: "Save" }).click();
  await expect(together.getByText("Saved")).toBeVisible();
  const leftOfAll = 9_000_000n - (await spentThisMonth());
  await expect(together.getByText(`${formatBalance(micros(leftOfAll))} left of $9.`)).toBeVisible();

  for (const page of [second, third]) {
    await paywallButton(page).click();
    await expectArticleOpen(page);
    expect(questions(), "no window").toHaveLength(0);
  }
  await paywallButton(fourth).click();
  const question = await reader.extension.waitForApproval();
  await expect(
    question.getByText("You are asked because only 10¢ is left of the 50¢ a month for this site."),
  ).toBeVisible();
  await decline(question);
  await paywallButton(small).click();
  await expectArticleOpen(small);
  await paywallButton(fifth).click();
  const last = await reader.extension.waitForApproval();
  await expect(
    last.getByText("You are asked because the 50¢ a month for this site are spent."),
  ).toBeVisible();
  await decline(last);
  await expect(siteForm.getByText("$0.00 left of 50¢ this month")).toBeVisible();
  await expect(
    together.getByText(`${formatBalance(micros(leftOfAll - 500_000n))} left of $9.`),
  ).toBeVisible();

  const ahead = await untilAnotherMonth(options);
  await turnClock(reader.extension, ahead);
  await options.reload();
  await expect(together.getByText("$0.00 spent this month.")).toBeVisible();
  await expect(together.getByText("$9.00 left of $9.")).toBeVisible();
  await expect(siteForm.getByText("50¢ left of 50¢ this month")).toBeVisible();
  await turnClock(reader.extension, -ahead);
  await closeAll([options, first, small, ...pages]);
});

test("tabs of two sites that pay in the same moment pass neither a site's day nor the month of all", async () => {
  const here = await openSite("here", 6, "15¢");
  const there = await openSite("there", 6, "15¢");
  const [pagesHere, pagesThere] = await Promise.all([
    openTabs(reader.extension, here, 6),
    openTabs(reader.extension, there, 6),
  ]);
  const [firstHere, ...restHere] = pagesHere;
  const [firstThere, ...restThere] = pagesThere;
  if (!firstHere || !firstThere) throw new Error("first pages");
  for (const [site, page] of [
    [here, firstHere],
    [there, firstThere],
  ] as const) {
    await paywallButton(page).click();
    await approveAndClose(await reader.extension.waitForApproval());
    await expectArticleOpen(page);
    // Three of 15¢ a day.
    await reader.extension.ask({
      kind: "ui",
      type: "setAllowance",
      origin: site.origin,
      perPayment: "150000",
      perDay: "450000",
      perMonth: null,
    });
  }
  const before = await totalOf(reader);
  const paid = await paidToMerchants(provider);
  // Five at both together.
  await setMonthlyLimit((await spentThisMonth()) + 800_000n);

  await clickAtOnce([...restHere, ...restThere]);
  const states = () => statesOf([...restHere, ...restThere]);
  await expect
    .poll(states, { timeout: 60_000 })
    .toEqual([...Array(5).fill("asking"), ...Array(5).fill("open")]);
  // One window at a time; the others wait for their turn.
  await expect.poll(questions, { timeout: 30_000 }).toHaveLength(1);
  for (const pages of [restHere, restThere])
    expect((await statesOf(pages)).filter((state) => state === "open").length).toBeLessThanOrEqual(3);
  expect(await totalOf(reader)).toBe(before - 750_000n);
  expect(await paidToMerchants(provider)).toBe(paid + 750_000n);
  expect((await readSnapshot(reader.extension)).month.budget?.left).toBe("50000");

  await declineAll(reader.extension, 5);
  await expect.poll(states).toEqual([...Array(5).fill("error"), ...Array(5).fill("open")]);
  expect(await totalOf(reader)).toBe(before - 750_000n);
  await closeAll([...pagesHere, ...pagesThere]);
});

test("a paused wallet pays nobody and opens no window, and what was bought still opens", async () => {
  const site = await openSite("pause", 2, "5¢");
  const [bought, other] = await openTabs(reader.extension, site, 2);
  if (!bought || !other) throw new Error("two pages");
  await paywallButton(bought).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$1" });
  await expectArticleOpen(bought);
  await expect.poll(questions).toHaveLength(0);
  const before = await totalOf(reader);

  const popup = await reader.extension.openPopup();
  await popup.getByRole("switch", { name: "Pause all payments" }).click();
  await expect(popup.getByText("Payments are paused")).toBeVisible();
  await paywallButton(other).click();
  await expect(other.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("wallet_paused"));
  await expect(other.locator("tuppence-paywall")).toHaveAttribute("state", "error");
  expect(questions()).toHaveLength(0);
  expect(await totalOf(reader)).toBe(before);
  await bought.reload();
  await expectArticleOpen(bought);

  // A tip, from the toolbar too.
  const tip = await reader.extension.ask({ kind: "ui", type: "startTip" });
  expect(tip).not.toHaveProperty("ok");

  await popup.getByRole("button", { name: "Go on paying" }).click();
  await expect(popup.getByText("Payments are paused")).toHaveCount(0);
  await popup.close();
  await paywallButton(other).click();
  await expectArticleOpen(other);
  expect(await totalOf(reader)).toBe(before - 50_000n);
  await closeAll([bought, other]);
});

test("a question that stands open when the wallet is paused cannot be agreed to, and can when it goes on", async () => {
  const site = await openSite("standing", 1, "5¢");
  const [page] = await openTabs(reader.extension, site, 1);
  if (!page) throw new Error("a page");
  const before = await totalOf(reader);
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  const pay = question.getByRole("button", { name: "Pay 5¢" });
  await expect(pay).toBeEnabled();
  const options = await openOptions("budgets");
  await options.getByRole("switch", { name: "Pause all payments" }).click();
  await expect(question.getByText("Your wallet is paused")).toBeVisible();
  await expect(pay).toBeDisabled();
  expect(await totalOf(reader)).toBe(before);
  await options.getByRole("switch", { name: "Pause all payments" }).click();
  await pressToClose(question, pay);
  await expectArticleOpen(page);
  await closeAll([options, page]);
});

async function openSite(name: string, articles: number, price: string): Promise<MerchantSite> {
  const site = await startMerchantSite(provider, { id: `budgets-${name}`, name: `Site ${name}` });
  sites.push(site);
  await publishArticles(site, articles, price);
  return site;
}

async function openOptions(place: string): Promise<Page> {
  const page = await reader.extension.context.newPage();
  await page.goto(`${reader.extension.url(OPTIONS_PAGE)}#/${place}`);
  return page;
}

/** What stands beside these words in the window that asks. */
function fact(window: Page, words: string) {
  return window.locator("dl.facts > div").filter({ hasText: words }).locator("dd");
}

async function setMonthlyLimit(limit: bigint | null): Promise<void> {
  const text = limit === null ? null : String(limit);
  const answer = await reader.extension.ask({ kind: "ui", type: "setMonthlyLimit", limit: text });
  expect(answer).toEqual({ ok: {} });
}

async function spentThisMonth(): Promise<bigint> {
  return BigInt((await readSnapshot(reader.extension)).month.spent);
}

/** By the clock and the zone of the browser; and a moment more. */
function untilMidnight(page: Page): Promise<number> {
  return page.evaluate(() => {
    const now = new Date();
    return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime() + 1_000;
  });
}

/** The one after the next: in this file something is also paid on the day after today, which may be the next month's first. */
function untilAnotherMonth(page: Page): Promise<number> {
  return page.evaluate(() => {
    const now = new Date();
    return new Date(now.getFullYear(), now.getMonth() + 2, 1).getTime() - now.getTime() + 1_000;
  });
}
