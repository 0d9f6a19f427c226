/** A reader who has no wallet: told how to get one, and otherwise left alone. */
import { type Browser, chromium, type Page } from "@playwright/test";
import { requireBrowser } from "../../scripts/browsers.ts";
import { expect, test } from "../support/extension.ts";
import { paywallButton } from "../support/reader.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let browser: Browser;
let page: Page;
let faults: string[];

test.beforeAll(async () => {
  [world, browser] = await Promise.all([
    startWorld(),
    chromium.launch({ executablePath: requireBrowser("chromium"), args: ["--no-sandbox"] }),
  ]);
});
test.beforeEach(async () => {
  page = await browser.newPage();
  faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await browser.close();
  await world.close();
});

test("a paywall without a wallet does not leave its reader in the dark, nor the page unusable", async () => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(new URL(request.url()).origin));
  await page.goto(`${world.newspaper.origin}/articles/tide-mills.html`);
  const paywall = page.locator("tuppence-paywall");
  await expect(paywall).toHaveAttribute("state", "locked");
  await paywallButton(page).click();
  await expect(paywall).toHaveAttribute("state", "no-wallet");
  await expect(paywall.getByRole("status")).toContainText("an extension for Chrome and Firefox");
  await expect(paywall.getByRole("status")).toContainText("You were not charged");
  expect(new Set(requests), "nobody but the paper hears of the visit").toEqual(
    new Set([world.newspaper.origin]),
  );

  // The button is no trap: it can be asked again, and the page reads, scrolls and leads on as before.
  await expect(paywallButton(page)).toHaveText("Read on for 5¢");
  await paywallButton(page).click();
  await expect(paywall).toHaveAttribute("state", "no-wallet");
  await expect(
    page.getByText("There is a kind of mill that stands with its feet in salt water"),
  ).toBeVisible();
  await paywall.getByRole("link", { name: "How to get it" }).click();
  await expect(page.getByRole("heading", { name: "How to get the wallet" })).toBeInViewport();
  expect(faults).toEqual([]);
});

test("an article behind a back end and a tip jar say the same without a wallet", async () => {
  await page.goto(`${world.newspaper.origin}/articles/buried-river.html`);
  await paywallButton(page).click();
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "no-wallet");
  await page.goto(`${world.newspaper.origin}/about.html`);
  await page.locator("tuppence-tip").getByRole("button").click();
  await expect(page.locator("tuppence-tip")).toHaveAttribute("state", "no-wallet");
  await expect(page.locator("tuppence-tip").getByRole("link", { name: "How to get it" })).toBeVisible();
  expect(faults).toEqual([]);
});

test("a browser without scripts still shows the free part", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const bare = await context.newPage();
  await bare.goto(`${world.newspaper.origin}/articles/tide-mills.html`);
  await expect(
    bare.getByText("There is a kind of mill that stands with its feet in salt water"),
  ).toBeVisible();
  await context.close();
});
