/**
 * One phrase in two browsers at once: one account, and what was bought opens in both. And the coins of the one come to the
 * other when its reader says that it is not used any more.
 */
import type { Page } from "@playwright/test";
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { violations } from "../support/accessibility.ts";
import { paidToMerchants } from "../support/books.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const TOPPED_UP = 10_000_000n;
/** What a restored wallet waits for is meant to be long. */
const PATIENCE_MS = 180_000;

let provider: RunningProvider;
let site: MerchantSite;
let laptop: Extension;
let desktop: Extension;
let phrase: string;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [laptop, desktop, site] = await Promise.all([
    launchExtension(),
    launchExtension(),
    startMerchantSite(provider),
  ]);
  for (const [index, title] of ["Tide mills", "Lighthouses", "Ferries"].entries())
    await site.publishArticle(`/${index}.html`, { title, paid: `<p>All of ${title}.</p>`, price: "5¢" });
  phrase = await setUpWallet(laptop, provider.origin);
});
test.afterAll(async () => {
  await Promise.all([laptop.close(), desktop.close()]);
  await site.close();
  await provider.close();
});

test("the backup is written when the reader says so, and says how old it is", async () => {
  const popup = await laptop.openPopup();
  await topUp(laptop, popup, "$5");
  await waitForCoins(laptop);
  await popup.close();
  await buy(laptop, "/0.html");
  const options = await openBackup(laptop);
  await expect(options.getByText("Something changed since then.")).toBeVisible();
  await options.getByRole("button", { name: "Write it now" }).click();
  await expect(options.getByText("Last written: just now.")).toBeVisible();
  await expect(options.getByText("Something changed since then.")).toHaveCount(0);
  expect(await violations(options)).toEqual([]);
  await options.close();
});

test("a second browser shares account and purchases, and leaves the first one's coins alone", async () => {
  const welcome = await desktop.welcomePage();
  await welcome.getByRole("button", { name: "I have a recovery phrase" }).click();
  await welcome.getByLabel("Your recovery phrase").fill(phrase);
  await welcome.getByLabel("I go on paying in another browser, too").check();
  await expect(welcome.getByText("Both share your account")).toBeVisible();
  expect(await violations(welcome)).toEqual([]);
  await welcome.getByText("Advanced").click();
  await welcome.getByLabel("Provider", { exact: true }).fill(provider.origin);
  await welcome.getByRole("button", { name: "Restore my wallet" }).click();
  await expect.poll(() => titlesOf(desktop)).toEqual(["Tide mills"]);
  expect((await readSnapshot(desktop)).balance.coins).toBe("0");

  const page = await desktop.context.newPage();
  await page.goto(site.addressOf("/0.html"));
  await expectArticleOpen(page);
  await page.close();
  expect(await paidToMerchants(provider)).toBe(50_000n);

  const popup = await desktop.openPopup();
  await topUp(desktop, popup, "$5");
  await waitForCoins(desktop);
  await popup.close();
  await Promise.all([buy(desktop, "/1.html"), buy(laptop, "/2.html")]);
  expect(await paidToMerchants(provider)).toBe(150_000n);
  await expectNothingLost();
});

test("the coins of a browser that is not used any more come when its reader says so", async () => {
  const saved = await openBackup(laptop);
  await saved.getByRole("button", { name: "Write it now" }).click();
  await expect(saved.getByText("Last written: just now.")).toBeVisible();
  await laptop.context.newPage().then((page) => page.close());

  const options = await openBackup(desktop);
  // The other's newest backup is read with one's own.
  await options.getByRole("button", { name: "Write it now" }).click();
  await expect(options.getByText("They hold $4.90 in coins.")).toBeVisible();
  expect(await violations(options)).toEqual([]);
  const before = BigInt((await readSnapshot(desktop)).balance.coins);
  await options.getByRole("button", { name: "Bring these coins here" }).click();
  await expect(options.getByText("They hold")).toHaveCount(0);
  await expect
    .poll(async () => BigInt((await readSnapshot(desktop)).balance.total), { timeout: PATIENCE_MS })
    .toBe(before + 4_900_000n);
  expect(await titlesOf(desktop)).toEqual(["Ferries", "Lighthouses", "Tide mills"]);
  await expect(options.getByText("Bringing your wallet back")).toBeVisible();
  await options.close();
});

async function openBackup(extension: Extension): Promise<Page> {
  const page = await extension.context.newPage();
  await page.goto(extension.url(`${OPTIONS_PAGE}#/backup`));
  await expect(page.getByRole("heading", { name: "Backup", level: 1 })).toBeVisible();
  return page;
}

async function buy(extension: Extension, path: string): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(site.addressOf(path));
  await paywallButton(page).click();
  await approveAndClose(await extension.waitForApproval());
  await expectArticleOpen(page);
  await page.close();
}

async function titlesOf(extension: Extension): Promise<string[]> {
  return (await readSnapshot(extension)).payments.map(({ title }) => title).sort();
}

/** Coins are each browser's own; the account is one, and empty. */
async function expectNothingLost(): Promise<void> {
  const held = async () => {
    const both = await Promise.all([laptop, desktop].map(readSnapshot));
    const coins = both.map(({ balance }) => BigInt(balance.total) - BigInt(balance.account));
    return coins.reduce((sum, value) => sum + value, 0n) + (await paidToMerchants(provider));
  };
  await expect.poll(held).toBe(TOPPED_UP);
}
