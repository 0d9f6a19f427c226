/** Tips: the reader chooses, from the page's tip jar or from the popup. */
import type { Page } from "@playwright/test";
import { tellReader } from "../../shared/errors.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { movedIn } from "../support/moved.ts";
import { approve, approveAndClose, readSnapshot } from "../support/reader.ts";
import { NEWSPAPER_NAME, startWorld, type World } from "../support/world.ts";

let world: World;
let reader: StockedReader;
let page: Page;

test.beforeAll(async () => {
  world = await startWorld();
  reader = await stockReader(world.provider);
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await expectBooksAddUp(world.provider, [reader]);
  await reader.extension.close();
  await world.close();
});

test("a tip is of the amount that the reader types, not of the one that the page suggests", async () => {
  const before = await totalOf(reader);
  const paid = await paidToMerchants(world.provider);
  await page.goto(`${world.newspaper.origin}/about.html`);
  await page.locator("tuppence-tip").getByRole("button").click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("heading")).toHaveText(`A tip to ${NEWSPAPER_NAME}`);
  await expect(question.getByRole("button", { name: "Tip 25¢" })).toBeEnabled();

  const own = question.getByLabel("Or your own amount");
  for (const [typed, problem] of [
    ["$6", "The most here is $5.00."],
    ["0.001", "The least here is 1¢."],
    ["a lot", "Type an amount, like 0.75."],
  ] as const) {
    await own.fill(typed);
    await expect(question.getByText(problem)).toBeVisible();
    await expect(question.getByRole("button", { name: "Tip", exact: true })).toBeDisabled();
  }
  await own.fill("37¢");
  await expect(question.getByText("Balance after", { exact: true }).locator("..")).toContainText("$4.63");
  await approve(question);
  await expect(page.locator("tuppence-tip")).toHaveAttribute("state", "thanks");
  await expect(page.locator("tuppence-tip").getByRole("status")).toHaveText("Thank you! 37¢ is on its way.");
  expect(await totalOf(reader)).toBe(before - 370_000n);
  expect(await paidToMerchants(world.provider)).toBe(paid + 370_000n);
});

test("a second tip to the same page is a second tip", async () => {
  const before = await totalOf(reader);
  await page.goto(`${world.newspaper.origin}/about.html`);
  for (const [choice, left] of [
    ["10¢", before - 100_000n],
    ["50¢", before - 600_000n],
  ] as const) {
    await page.locator("tuppence-tip").getByRole("button").click();
    const question = await reader.extension.waitForApproval();
    await question.getByRole("button", { name: choice, exact: true }).click();
    await approveAndClose(question);
    await expect(page.locator("tuppence-tip").getByRole("status")).toContainText(choice);
    expect(await totalOf(reader)).toBe(left);
  }
});

test("the popup offers to tip only the page that has a tip jar, and that tip is paid for without a click on the page", async () => {
  const before = await totalOf(reader);
  await page.goto(`${world.newspaper.origin}/articles/tide-mills.html`);
  await page.evaluate(() => document.querySelector("tuppence-tip")?.remove());
  await page.bringToFront();
  const without = await reader.extension.openPopup();
  await expect(without.locator("#balance")).toBeVisible();
  await expect(without.getByRole("button", { name: /^Tip / })).toHaveCount(0);
  await without.close();

  await page.goto(`${world.newspaper.origin}/about.html`);
  await page.bringToFront();
  const popup = await reader.extension.openPopup();
  const tip = popup.getByRole("button", { name: /^Tip / });
  await expect(tip).toContainText(NEWSPAPER_NAME);
  await expect(tip).toContainText(new URL(world.newspaper.origin).host);
  expect(await movedIn(popup), "what the reader may be about to click on").toEqual([]);
  const asked = reader.extension.waitForApproval();
  await tip.click();
  const question = await asked;
  await expect(question.getByRole("heading")).toHaveText(`A tip to ${NEWSPAPER_NAME}`);
  await question.getByRole("button", { name: "50¢", exact: true }).click();
  await approveAndClose(question);
  await expect.poll(() => totalOf(reader)).toBe(before - 500_000n);
  await expect.poll(async () => (await readSnapshot(reader.extension)).payments[0]?.state).toBe("paid");
});

test("a tip that the reader thinks better of costs nothing", async () => {
  const before = await totalOf(reader);
  await page.goto(`${world.newspaper.origin}/about.html`);
  await page.locator("tuppence-tip").getByRole("button").click();
  const question = await reader.extension.waitForApproval();
  await question.close();
  await expect(page.locator("tuppence-tip").getByRole("status")).toHaveText(tellReader("declined"));
  expect(await totalOf(reader)).toBe(before);
});
