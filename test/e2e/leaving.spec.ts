/** The way out: coins back into the account, the account paid out, the wallet removed. */
import type { Page } from "@playwright/test";
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { violations } from "../support/accessibility.ts";
import { type StockedReader, stockReader } from "../support/books.ts";
import { openEarly } from "../support/early-popup.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, expectArticleOpen, paywallButton, readSnapshot } from "../support/reader.ts";
import { readDisk } from "../support/stored-rows.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

let provider: RunningProvider;
let site: MerchantSite;
let reader: StockedReader;
let options: Page;

test.beforeAll(async () => {
  // What is topped up is final at once, so that nobody has to wait a day.
  provider = await startProvider({
    environment: { ...SANDBOX_ENVIRONMENT, TUPPENCE_SANDBOX_FINAL_SECONDS: "0" },
  });
  [reader, site] = await Promise.all([stockReader(provider), startMerchantSite(provider)]);
  await site.publishArticle("/a.html", { title: "Tides", paid: "<p>High water.</p>", price: "5¢" });
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf("/a.html"));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await page.close();
  options = await reader.extension.context.newPage();
  await options.goto(reader.extension.url(`${OPTIONS_PAGE}#/backup`));
});
test.afterAll(async () => {
  await reader.extension.close();
  await site.close();
  await provider.close();
});

test("all coins go back into the account", async () => {
  await options.getByRole("button", { name: "Put $4.95 back into the account" }).click();
  await expect(options.getByText("All of it is in your account: $4.95.")).toBeVisible();
  const { balance } = await readSnapshot(reader.extension);
  expect([balance.total, balance.account, balance.coins]).toEqual(["4950000", "4950000", "0"]);
  expect(await violations(options)).toEqual([]);
});

test("the account is paid out after one more question, and what was bought still opens", async () => {
  await options.getByRole("button", { name: "Close the account" }).click();
  await expect(options.getByText("Close the account?")).toBeVisible();
  expect(await violations(options)).toEqual([]);
  await options.getByRole("button", { name: "Keep it" }).click();
  await expect(options.getByText("Close the account?")).toHaveCount(0);
  expect((await readSnapshot(reader.extension)).balance.total, "nothing was paid out").toBe("4950000");
  await options.getByRole("button", { name: "Close the account" }).click();
  await options.getByRole("button", { name: "Close it" }).click();
  await expect(
    options.getByText("The account is closed, and $4.95 went back the way it came."),
  ).toBeVisible();
  expect((await readSnapshot(reader.extension)).balance.total).toBe("0");
  await expectEarly("$0.00");
  await expect(options.getByRole("button", { name: "Close the account" })).toHaveCount(0);
  await expect(options.getByText("Close the account?"), "nothing is left to ask about").toHaveCount(0);
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf("/a.html"));
  await expectArticleOpen(page);
  await page.close();
});

test("the wallet is removed after one more question, and leaves nothing behind", async () => {
  await options.getByRole("button", { name: "Remove the wallet from this browser" }).click();
  await expect(options.getByText("Remove this wallet?")).toBeVisible();
  expect(await violations(options)).toEqual([]);
  await options.getByRole("button", { name: "Keep it" }).click();
  await expect(options.getByText("Remove this wallet?")).toHaveCount(0);
  await options.getByRole("button", { name: "Remove the wallet from this browser" }).click();
  await options.getByRole("button", { name: "Remove it" }).click();
  const popup = await reader.extension.openPopup();
  await expect(popup.getByRole("button", { name: "Set up your wallet" })).toBeVisible();
  await popup.close();
  const early = await openEarly(reader.extension);
  await expect(early.locator(".waiting"), "nor the balance as it was last").toBeVisible();
  // The wallet's store has a fresh key by now, of nothing.
  const { keys } = await readDisk(reader.extension);
  expect(keys.map(({ at }) => at)).toEqual(["tuppence/vault"]);
});

/** What the popup shows before the background answers. It is kept a moment after the change. */
async function expectEarly(balance: string): Promise<void> {
  const early = await openEarly(reader.extension);
  await expect(async () => {
    await early.reload();
    await expect(early.locator("#balance")).toHaveText(balance, { timeout: 1_000 });
  }).toPass();
  await early.close();
}
