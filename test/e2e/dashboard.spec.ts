/** The site owner's dashboard, in a real browser against a running provider, with passkeys of a virtual authenticator. */
import type { Page } from "@playwright/test";
import { violations } from "../support/accessibility.ts";
import { addAuthenticator, addSite, makeMerchant, openScreen, signUp } from "../support/dashboard.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { type OwnedSite, PROOF_PATH, startOwnedSite } from "../support/owned-site.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

let provider: RunningProvider;
let extension: Extension;
let site: OwnedSite;
let page: Page;
let device: Awaited<ReturnType<typeof addAuthenticator>>;
let codes: string[];

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  site = await startOwnedSite();
  extension = await launchExtension();
  await extension.welcomePage();
  page = await extension.context.newPage();
  await page.setViewportSize({ width: 1180, height: 900 });
  device = await addAuthenticator(page);
});
test.afterAll(async () => {
  await extension.close();
  await site.close();
  await provider.close();
});

const SHOTS = process.env.TUPPENCE_TEST_SHOTS;
async function look(name: string): Promise<void> {
  expect(await violations(page), name).toEqual([]);
  if (SHOTS === undefined) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${SHOTS}/${name}-${colorScheme}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

test("an owner signs up by passkey, is told recovery codes once, and makes a merchant", async () => {
  await page.goto(`${provider.accountsOrigin}/dashboard/`);
  await expect(page.getByRole("heading", { name: "Be paid by your readers" })).toBeVisible();
  await look("sign-in");
  codes = await signUp(page, provider);
  expect(codes).toHaveLength(10);
  await look("new-merchant");
  expect(await makeMerchant(page, "Çafé Tides")).toBe("cafe-tides");
  await look("sites-none");
});

test("a site is proven by its file, at once, and then stands in the merchant's record", async () => {
  const token = await addSite(page, site.origin);
  await expect(page.getByText("There is no such file: the site answered 404.")).toBeVisible();
  await look("sites-unproven");
  await openScreen(page, "Put it on a page");
  await expect(page.getByText("You have not proven a site yet")).toBeVisible();
  await expect(page.getByRole("region", { name: "Command" })).toContainText(`--base-url ${site.origin} `);
  await openScreen(page, "Sites");
  site.files.set(PROOF_PATH, { type: "text/plain", body: `${token}\n` });
  await page.getByRole("button", { name: `Check now: ${site.origin}` }).click();
  await expect(page.getByText(/^Proven /)).toBeVisible();
  await look("sites-proven");
  const { merchantRecord } = await (await fetch(`${provider.origin}/merchants/cafe-tides`)).json();
  expect(JSON.parse(Buffer.from(merchantRecord.split(".")[1], "base64url").toString()).origins).toEqual([
    site.origin,
  ]);
});

test("the code to paste is what works on a page, and the element shows beside it", async () => {
  await openScreen(page, "Put it on a page");
  await page.getByLabel("Price").fill("12¢");
  await expect(page.locator("tuppence-paywall").getByText("12¢")).toBeVisible();
  await expect(page.getByRole("region", { name: "Command" })).toContainText(`--base-url ${site.origin}`);
  await look("paste-article");
  await page.getByRole("button", { name: "A tip jar" }).click();
  await page.getByLabel("Words on the button").fill('Buy me a "tea" <b>');
  await expect(page.locator("tuppence-tip").getByText('Buy me a "tea" <b>')).toBeVisible();
  await page.getByLabel("Button", { exact: true }).fill("#aa2200");
  await look("paste-tip");
});

test("no command is shown for another site than the owner's: not before theirs is known, nor where it cannot be", async () => {
  const answers = "**/api/merchants/*/sites";
  const command = page.getByRole("region", { name: "Command" });
  const goOn = Promise.withResolvers<void>();
  await page.route(answers, async (route) => {
    await goOn.promise;
    await route.continue();
  });
  await page.reload();
  await expect(page.getByRole("region", { name: "Marks" })).toBeVisible();
  await expect(command).toHaveCount(0);
  goOn.resolve();
  await expect(command).toContainText(`--base-url ${site.origin} `);

  await page.unroute(answers);
  await page.route(answers, (route) => route.abort());
  await page.reload();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(command).toHaveCount(0);
  await look("paste-unknown");
  await page.unroute(answers);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(command).toContainText(`--base-url ${site.origin} `);
});

test("an owner of several sites chooses which of them the command is for", async () => {
  const second = await startOwnedSite();
  await openScreen(page, "Sites");
  second.files.set(PROOF_PATH, { type: "text/plain", body: await addSite(page, second.origin) });
  await page.getByRole("button", { name: `Check now: ${second.origin}` }).click();
  await expect(page.getByText(/^Proven /)).toHaveCount(2);
  await openScreen(page, "Put it on a page");
  const command = page.getByRole("region", { name: "Command" });
  for (const { origin } of [second, site]) {
    await page.getByLabel("Your site").selectOption(origin);
    await expect(command).toContainText(`--base-url ${origin} `);
  }
  await look("paste-several-sites");
  await openScreen(page, "Sites");
  await page.getByRole("button", { name: `Remove: ${second.origin}` }).click();
  await page.getByRole("button", { name: `Remove it: ${second.origin}` }).click();
  await expect(page.getByText(/^Proven /)).toHaveCount(1);
  await second.close();
});

test("an API key is shown once, and opens nothing once it is revoked", async () => {
  await openScreen(page, "API keys");
  await page.getByLabel("Name", { exact: true }).fill("Back end");
  await page.getByLabel(/See sites/).check();
  await page.getByRole("button", { name: "Make a key" }).click();
  const token = ((await page.getByRole("region", { name: "Key Back end" }).textContent()) ?? "").trim();
  await look("keys");
  const ask = () =>
    fetch(`${provider.accountsOrigin}/api/merchants/cafe-tides/sites`, {
      headers: { authorization: `Bearer ${token}` },
    });
  expect((await ask()).status).toBe(200);
  await page.getByRole("button", { name: "Revoke: Back end" }).click();
  await page.getByRole("button", { name: "Revoke for good: Back end" }).click();
  await expect(page.getByRole("heading", { name: "Back end" })).toHaveCount(0);
  expect((await ask()).status).toBe(401);
});

test("settings are kept", async () => {
  await openScreen(page, "Settings");
  await page.getByLabel("Money back within").selectOption("A week");
  await page.getByLabel("Pay out from").fill("$2.50");
  const policy = page.getByLabel("What you say about money back");
  await policy.fill("Within a week.\nLater, <b>write</b> to us.");
  await expect(policy).toHaveAccessibleDescription(/; 259 left\./);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved")).toBeVisible();
  await look("settings");
  await page.reload();
  await expect(page.getByLabel("Money back within")).toHaveValue(String(7 * 86_400));
  await expect(page.getByLabel("Pay out from")).toHaveValue("$2.50");
  await expect(policy).toHaveValue("Within a week. Later, <b>write</b> to us.");
  const recordOf = async () => {
    const { merchantRecord } = await (await fetch(`${provider.origin}/merchants/cafe-tides`)).json();
    return JSON.parse(Buffer.from(merchantRecord.split(".")[1], "base64url").toString());
  };
  expect((await recordOf()).refundPolicy).toBe("Within a week. Later, <b>write</b> to us.");
  await policy.fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(recordOf).not.toHaveProperty("refundPolicy");
});

test("who signed out signs in again by passkey, and without one by a recovery code, once", async () => {
  await openScreen(page, "Sign-in and recovery");
  await look("account");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("heading", { name: "Sign-in and recovery" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await device.forget();
  await page.getByRole("button", { name: "I have lost my passkeys" }).click();
  await page.getByLabel("Recovery code").fill(` ${codes[3]?.toLowerCase().replaceAll("-", " ")} `);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("9 of 10 are left.")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "I have lost my passkeys" }).click();
  await page.getByLabel("Recovery code").fill(codes[3] ?? "");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("This is no recovery code, or it was used already.")).toBeVisible();
  await look("recover-refused");
});
