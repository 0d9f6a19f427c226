/** A site owner goes from the live dashboard into test mode and back: two real providers, a real browser, a virtual authenticator. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Page } from "@playwright/test";
import { violations } from "../support/accessibility.ts";
import { addAuthenticator, addSite, makeMerchant, openScreen, signUp } from "../support/dashboard.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { type OwnedSite, PROOF_PATH, startOwnedSite } from "../support/owned-site.ts";
import { freePair } from "../support/pair.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, setUpWallet, topUp, waitForCoins } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

let live: RunningProvider;
let inTest: RunningProvider;
let extension: Extension;
let site: OwnedSite;
let page: Page;

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  const pair = await freePair();
  const start = ({ port, environment }: (typeof pair)["live"]) =>
    startProvider({ port, environment: { ...SANDBOX_ENVIRONMENT, ...environment } });
  live = await start(pair.live);
  inTest = await start(pair.test);
  site = await startOwnedSite();
  extension = await launchExtension();
  await extension.welcomePage();
  page = await extension.context.newPage();
  await page.setViewportSize({ width: 1180, height: 900 });
  await addAuthenticator(page);
});
test.afterAll(async () => {
  await extension?.close();
  await site?.close();
  await inTest?.close();
  await live?.close();
});

const SHOTS = process.env.TUPPENCE_TEST_SHOTS;
/** What axe finds in either theme. */
async function look(name: string): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), `${name}, ${colorScheme}`).toEqual([]);
    if (SHOTS !== undefined)
      await page.screenshot({ path: `${SHOTS}/test-mode-${name}-${colorScheme}.png`, fullPage: true });
  }
}

const banner = () => page.getByRole("complementary", { name: "Test mode" });
const accent = () => page.evaluate(() => getComputedStyle(document.body).getPropertyValue("--accent").trim());

test("an owner who signed up in live mode is in test mode with one click, with the same merchant and its sites", async () => {
  await signUp(page, live);
  await makeMerchant(page, "The Mirror");
  const token = await addSite(page, site.origin);
  site.files.set(PROOF_PATH, { type: "text/plain", body: `${token}\n` });
  await page.getByRole("button", { name: `Check now: ${site.origin}` }).click();
  await expect(page.getByText(/^Proven /)).toBeVisible();
  await expect(banner()).toHaveCount(0);
  const liveAccent = await accent();

  await page.getByRole("link", { name: "Test mode", exact: true }).click();
  await expect(banner()).toContainText("Test mode: play money.");
  expect(new URL(page.url()).origin).toBe(inTest.accountsOrigin);
  await expect(page.getByRole("combobox", { name: "Merchant" })).toHaveValue("the-mirror");
  // What signed in stays in no address.
  expect(page.url()).not.toContain("arrive");
  await expect(page).toHaveTitle(/Test mode$/);
  expect(await accent()).not.toBe(liveAccent);
  await openScreen(page, "Sites");
  await expect(page.getByRole("heading", { name: site.origin })).toBeVisible();
  await expect(page.getByText("Counts in test mode", { exact: true })).toBeVisible();
});

test("every screen says so, in both themes, and axe finds nothing wrong with it", async () => {
  for (const name of [
    "Revenue",
    "Put it on a page",
    "Sites",
    "API keys",
    "Webhooks",
    "Settings",
    "Sign out",
  ]) {
    await openScreen(page, name);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    await expect(banner()).toBeVisible();
    await look(name.toLowerCase().replaceAll(" ", "-"));
  }
});

test("a site of one's own machine counts at once, and what is pasted names the test provider and says so", async () => {
  await openScreen(page, "Sites");
  await page.getByLabel("Address of your site").fill("localhost:3000");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("heading", { name: "http://localhost:3000" })).toBeVisible();
  await openScreen(page, "Put it on a page");
  await expect(page.getByText("To take real money, paste it anew")).toBeVisible();
  await expect(page.getByRole("region", { name: "Command" })).toContainText(`--provider ${inTest.origin}`);
  await page.getByRole("button", { name: "A tip jar" }).click();
  const code = page.getByRole("region", { name: "Tip jar" });
  await expect(code).toContainText(`provider="${inTest.origin}"`);
  await expect(code).not.toContainText(live.origin);
});

test("what is pasted there is paid with the play money of a wallet in test mode, and stands in that revenue alone", async () => {
  const jar = (await page.getByRole("region", { name: "Tip jar" }).textContent()) ?? "";
  const href = await page.getByRole("link", { name: "Download tuppence.js" }).getAttribute("href");
  const snippet = await fetch(new URL(href ?? "", page.url()));
  site.files.set("/tuppence.js", {
    type: "text/javascript",
    body: Buffer.from(await snippet.arrayBuffer()),
  });
  site.files.set("/about.html", {
    type: "text/html; charset=utf-8",
    body: `<!doctype html><title>About us</title><h1>About us</h1>${jar}`,
  });
  await setUpWallet(extension, live.origin);
  expect(await extension.ask({ kind: "ui", type: "setTestMode", on: true })).toEqual({ ok: {} });
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await popup.close();
  const about = await extension.context.newPage();
  await about.goto(`${site.origin}/about.html`);
  await about.locator("tuppence-tip").getByRole("button").click();
  const question = await extension.waitForApproval();
  await expect(question.getByRole("heading")).toHaveText("A tip to The Mirror");
  await approveAndClose(question);
  await expect(about.locator("tuppence-tip")).toHaveAttribute("state", "thanks");
  await about.close();
  await page.bringToFront();
  await openScreen(page, "Revenue");
  await expect(page.getByText("/about.html").first()).toBeVisible();
  await banner().getByRole("link", { name: "Back to live" }).click();
  await expect(page.getByRole("heading", { name: "Revenue", level: 1 })).toBeVisible();
  await expect(page.getByText("/about.html")).toHaveCount(0);
  await page.getByRole("link", { name: "Test mode", exact: true }).click();
  await expect(banner()).toBeVisible();
});

test("back in live mode nothing of it is there, and the way in works again while one is signed in there", async () => {
  await banner().getByRole("link", { name: "Back to live" }).click();
  await expect(page.getByRole("heading", { name: "Revenue", level: 1 })).toBeVisible();
  expect(new URL(page.url()).origin).toBe(live.accountsOrigin);
  await expect(banner()).toHaveCount(0);
  await openScreen(page, "Sites");
  await expect(page.getByRole("heading", { name: site.origin })).toBeVisible();
  await expect(page.getByRole("heading", { name: "http://localhost:3000" })).toHaveCount(0);
  await page.getByRole("link", { name: "Test mode", exact: true }).click();
  await expect(banner()).toBeVisible();
});

test("who signed out there comes again from live, which asks who that is", async () => {
  await openScreen(page, "Sign out");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Try it out with play money" })).toBeVisible();
  await look("signed-out");
  await page.goto(`${live.accountsOrigin}/dashboard/#/account`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("button", { name: "Sign in with a passkey" })).toBeVisible();
  await page.goto(`${inTest.accountsOrigin}/dashboard/`);
  await page.getByRole("link", { name: "Come from the live dashboard" }).click();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("combobox", { name: "Merchant" })).toHaveValue("the-mirror");
  await expect(banner()).toBeVisible();
  expect(new URL(page.url()).origin).toBe(inTest.accountsOrigin);
});

test("who signed in a while ago makes an API key there by way of live, with the passkey, and is back where that was", async () => {
  await openScreen(page, "API keys");
  for (const { dataFolder } of [live, inTest]) letSessionsAge(dataFolder);
  await page.getByLabel("Name", { exact: true }).fill("Back end");
  await page.getByLabel(/See sites/).check();
  await page.getByRole("button", { name: "Make a key" }).click();
  await expect(page.getByText("You signed in a while ago. Show your passkey again.")).toBeVisible();
  expect(new URL(page.url()).origin).toBe(live.accountsOrigin);
  await look("stale");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  expect(new URL(page.url()).origin).toBe(inTest.accountsOrigin);
  await page.getByLabel("Name", { exact: true }).fill("Back end");
  await page.getByLabel(/See sites/).check();
  await page.getByRole("button", { name: "Make a key" }).click();
  await expect(page.getByRole("region", { name: "Key Back end" })).toContainText("tuppence_");
});

/** By more than the quarter of an hour for which a sign-in counts as new. */
function letSessionsAge(dataFolder: string): void {
  const database = new DatabaseSync(join(dataFolder, "tuppence.sqlite"), { timeout: 10_000 });
  database.exec("UPDATE sessions SET created_at = created_at - 3600000");
  database.close();
}

test("a link that somebody else made signs nobody in", async () => {
  const nonceHash = "0".repeat(64);
  const { cookies } = await page.context().storageState();
  const session = cookies.find(({ name }) => name === "tuppence_session");
  const answer = await fetch(`${live.accountsOrigin}/api/me/handover`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie: `tuppence_session=${session?.value}` },
    body: JSON.stringify({ nonceHash }),
  });
  const { handover } = await answer.json();
  await page.goto(`${inTest.accountsOrigin}/dashboard/#/account`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Try it out with play money" })).toBeVisible();
  await page.goto("about:blank");
  await page.goto(`${inTest.accountsOrigin}/dashboard/#/+arrive/${handover}`);
  await expect(page.getByText("This way into test mode is not valid, or not any more.")).toBeVisible();
  await look("refused");
});
