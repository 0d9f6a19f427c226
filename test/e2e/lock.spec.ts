/** A wallet that a passphrase keeps: locked it pays nothing and shows nothing, and what was under way is not lost. */
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { type Extension, expect, test, turnClock } from "../support/extension.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approve,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../support/reader.ts";
import { type ServedSite, startServedSite } from "../support/served-site.ts";

const PASSPHRASE = "correct horse battery staple";
const MINUTE_MS = 60_000;

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

test("a locked wallet pays nothing, shows nothing, and takes up the click once it is unlocked", async ({
  extension,
}) => {
  await stocked(extension);
  await setPassphrase(extension);
  const page = await extension.context.newPage();
  await page.goto(site.offer("Behind a lock"));

  const popup = await extension.openPopup();
  await expectBalance(popup, "$5.00");
  await popup.getByRole("button", { name: "Lock the wallet" }).click();
  await expect(popup.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
  await expect(popup.locator("body")).not.toContainText("$5");
  // Nor does the session remember it for a popup that opens before the background answers.
  const remembered = () => popup.evaluate(() => chrome.storage.session.get("last-balance"));
  await expect.poll(remembered).toEqual({ "last-balance": null });

  // The click waits: nothing is paid, and the wallet's own window asks for the passphrase.
  const opens = extension.context.waitForEvent("page");
  await paywallButton(page).click();
  const unlock = await opens;
  await expect(unlock.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
  await unlock.getByLabel("Passphrase").fill("not the passphrase");
  await unlock.getByRole("button", { name: "Unlock" }).click();
  await expect(unlock.getByRole("alert")).toContainText("This is not the passphrase.");
  await expect(page.locator("tuppence-paywall")).not.toHaveAttribute("state", "open");

  const question = extension.context.waitForEvent("page");
  await unlock.getByLabel("Passphrase").fill(PASSPHRASE);
  await unlock.getByRole("button", { name: "Unlock" }).click();
  await approve(await question);
  await expectArticleOpen(page);
  await expectBalance(popup, "$4.95");
});

test("a click on a locked wallet that is not unlocked costs nothing, and the page says what to do", async ({
  extension,
}) => {
  await stocked(extension);
  await setPassphrase(extension);
  await lock(extension);
  const page = await extension.context.newPage();
  await page.goto(site.offer("Left locked"));
  const opens = extension.context.waitForEvent("page");
  await paywallButton(page).click();
  const unlock = await opens;
  // A second click brings no second window.
  await paywallButton(page).click({ force: true });
  await unlock.close();
  await expect(page.locator("tuppence-paywall")).toContainText("Your wallet is locked.");
  const popup = await extension.openPopup();
  await popup.getByLabel("Passphrase").fill(PASSPHRASE);
  await popup.keyboard.press("Enter");
  await expectBalance(popup, "$5.00");
});

test("the wallet locks itself when it was not used, and not while it is used or its worker dies", async ({
  extension,
}) => {
  await stocked(extension);
  await setPassphrase(extension);
  await extension.killWorker();
  const popup = await extension.openPopup();
  await expectBalance(popup, "$5.00");
  await popup.close();
  await turnClock(extension, 4 * MINUTE_MS);
  const again = await extension.openPopup();
  await expectBalance(again, "$5.00");
  await again.close();
  await turnClock(extension, 6 * MINUTE_MS);
  const later = await extension.openPopup();
  await expect(later.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
});

test("a passphrase is not needed for what it does not keep: taken away, nothing is asked", async ({
  extension,
}) => {
  await stocked(extension);
  await setPassphrase(extension);
  const options = await openSafety(extension);
  await options.getByRole("button", { name: "Remove the passphrase" }).click();
  await options.getByLabel("Passphrase until now").fill("not the passphrase");
  await options.getByRole("button", { name: "Remove the passphrase" }).click();
  await expect(options.getByRole("alert")).toContainText("This is not the passphrase.");
  await options.getByLabel("Passphrase until now").fill(PASSPHRASE);
  await options.getByRole("button", { name: "Remove the passphrase" }).click();
  await expect(options.getByText("encrypted with a key that does not leave this computer")).toBeVisible();
  const popup = await extension.openPopup();
  await expect(popup.getByRole("button", { name: "Lock the wallet" })).toBeHidden();
});

async function stocked(extension: Extension): Promise<void> {
  await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await popup.close();
}

async function openSafety(extension: Extension) {
  const options = await extension.context.newPage();
  await options.goto(extension.url(`${OPTIONS_PAGE}#/safety`));
  return options;
}

async function setPassphrase(extension: Extension): Promise<void> {
  const options = await openSafety(extension);
  await options.getByRole("button", { name: "Set a passphrase" }).click();
  await options.getByLabel("New passphrase").fill(PASSPHRASE);
  await options.getByLabel("The same once more").fill(PASSPHRASE);
  await options.getByLabel("Lock after").selectOption("5");
  await options.getByRole("button", { name: "Save" }).click();
  await expect(options.getByText("Saved")).toBeVisible();
  await options.close();
}

async function lock(extension: Extension): Promise<void> {
  const popup = await extension.openPopup();
  await popup.getByRole("button", { name: "Lock the wallet" }).click();
  await expect(popup.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
  await popup.close();
}
