/** What the reader has: one number, its parts for who asks, a warning before it is too little, and the way to more. */
import type { Page } from "@playwright/test";
import { type Extension, expect, test } from "../support/extension.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  decideCheckout,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../support/reader.ts";
import { type ServedSite, startServedSite } from "../support/served-site.ts";

let provider: RunningProvider;
let site: ServedSite;
test.beforeAll(async () => {
  provider = await startProvider();
  site = await startServedSite(provider);
});
test.afterAll(async () => {
  await site.close();
  await provider.close();
});

test("the balance is one number, and its parts add up to it for who asks", async ({ extension }) => {
  await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$10");
  await expectBalance(popup, "$10.00");
  await expect(popup.getByText("Coins in the drawer")).toBeHidden();
  await popup.getByText("Where it is").click();
  const parts = popup.locator(".hero-parts dl > div");
  await expect(parts).toHaveText([/Coins in the drawer\s*\$5\.00/, /At your provider\s*\$5\.00/]);
});

test("an amount of the reader's own is taken within the provider's range, and offered the next time", async ({
  extension,
}) => {
  await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await popup.getByRole("button", { name: "Top up", exact: true }).click();
  await popup.getByText("Another amount", { exact: true }).click();
  const field = popup.getByLabel("Another amount to top up");
  for (const refused of ["0.5", "1000", "seven"]) {
    await field.fill(refused);
    await expect(popup.locator(".other-form button")).toBeDisabled();
  }
  await field.fill("7.50");
  const opens = extension.context.waitForEvent("page");
  await popup.getByRole("button", { name: "Top up $7.50" }).click();
  await decideCheckout(await opens, "Approve");
  await expectBalance(popup, "$7.50");
  await popup.getByRole("button", { name: "Top up", exact: true }).click();
  await expect(popup.getByRole("button", { name: "Top up $7.50" })).toHaveAccessibleDescription("last time");
});

test("a low balance is announced before an article costs more than there is", async ({ extension }) => {
  await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await pay(extension, "Dear", 1_000_000n);
  await expectBalance(popup, "$4.00");
  await expect(popup.getByText("Your wallet runs low")).toHaveCount(0);
  await expectToolbar(popup, { text: "", title: "Tuppence" });
  await pay(extension, "Dearer", 2_000_000n);
  await expectBalance(popup, "$2.00");
  await expect(popup.getByText("$2.00 is enough for a few more articles.")).toBeVisible();
  // Who pays within a budget sees neither the popup nor a question.
  await expectToolbar(popup, { text: "!", title: "Tuppence – Your wallet runs low" });
  await topUp(extension, popup, "$10");
  await expectBalance(popup, "$12.00");
  await expect(popup.getByText("Your wallet runs low")).toHaveCount(0);
  await expectToolbar(popup, { text: "", title: "Tuppence" });
});

/** What the toolbar's button says, whatever page is in front. */
async function expectToolbar(own: Page, expected: { readonly text: string; readonly title: string }) {
  await expect
    .poll(() =>
      own.evaluate(async () => ({
        text: await chrome.action.getBadgeText({}),
        title: await chrome.action.getTitle({}),
      })),
    )
    .toEqual(expected);
}

async function pay(extension: Extension, title: string, amount: bigint): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(site.offer(title, { amount }));
  const opens = extension.context.waitForEvent("page");
  await paywallButton(page).click();
  await approveAndClose(await opens);
  await expectArticleOpen(page);
  await page.close();
}
