/** What a reader does with the wallet, by the words and roles that people and screen readers find. For tests, tour and benchmarks. */
import { expect, type Locator, type Page } from "@playwright/test";
import { type Extension, waitForLoad } from "./extension.ts";

/** Goes through the welcome page. Gives back the recovery phrase that it showed. */
export async function setUpWallet(extension: Extension, providerOrigin: string): Promise<string> {
  const page = await extension.welcomePage();
  await page.getByText("Advanced").click();
  await page.getByLabel("Provider", { exact: true }).fill(providerOrigin);
  await page.getByRole("button", { name: "Create my wallet" }).click();
  const phrase = await readPhrase(page);
  await checkPhrase(page, phrase);
  await expect(page.getByText("Keep it in sight")).toBeVisible();
  return phrase;
}

/** The same page, with the words of a wallet that was used elsewhere, and is not used there any more. */
export async function restoreWallet(
  extension: Extension,
  providerOrigin: string,
  phrase: string,
): Promise<void> {
  const page = await extension.welcomePage();
  await page.getByRole("button", { name: "I have a recovery phrase" }).click();
  await page.getByLabel("Your recovery phrase").fill(phrase);
  await page.getByText("Advanced").click();
  await page.getByLabel("Provider", { exact: true }).fill(providerOrigin);
  await page.getByRole("button", { name: "Restore my wallet" }).click();
}

/** Says that it is written down, and gives the words that are asked for. */
export async function checkPhrase(page: Page, phrase: string): Promise<void> {
  await page.getByRole("button", { name: "I have written it down" }).click();
  const words = phrase.split(" ");
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const place = Number((await field.getAttribute("id"))?.replace("word-", ""));
    await field.fill(words[place - 1] ?? "");
  }
  await page.getByRole("button", { name: "Check" }).click();
}

export async function readPhrase(page: Page): Promise<string> {
  const show = page.getByRole("button", { name: "Show the words" });
  const words = page.getByRole("list", { name: "Recovery phrase" }).locator(".word-text");
  await expect(words).toHaveCount(12);
  if (await show.isVisible()) await show.click();
  await expect(words.first()).not.toHaveText("••••••");
  return (await words.allTextContents()).join(" ");
}

export type CheckoutDecision = "Approve" | "Decline" | "Leave";

/** From the popup to the gateway's page and through it. The popup stays open, as the reader would see it. */
export async function topUp(
  extension: Extension,
  popup: Page,
  amount: string,
  decision: CheckoutDecision = "Approve",
): Promise<void> {
  const checkout = await openCheckout(extension, popup, amount);
  await decideCheckout(checkout, decision);
  await checkout.close();
}

const CHECKOUT_TIMEOUT_MS = 60_000;

export async function openCheckout(extension: Extension, popup: Page, amount: string): Promise<Page> {
  await popup.getByRole("button", { name: "Top up", exact: true }).click();
  return chooseTopUp(extension, popup, amount);
}

/** In the page that shows the amounts: the popup, or the welcome page. */
export async function chooseTopUp(extension: Extension, page: Page, amount: string): Promise<Page> {
  const opened = extension.context.waitForEvent("page", { timeout: CHECKOUT_TIMEOUT_MS });
  // What was topped up last is marked as that.
  await page.getByRole("button", { name: `Top up ${amount}`, exact: true }).click();
  const checkout = await opened;
  await waitForLoad(checkout);
  return checkout;
}

export async function decideCheckout(checkout: Page, decision: CheckoutDecision): Promise<void> {
  await checkout.getByRole("button", { name: new RegExp(`^${decision}`) }).click();
  await waitForLoad(checkout);
}

export async function expectBalance(popup: Page, balance: string): Promise<void> {
  await expect(popup.locator("#balance")).toHaveText(balance);
}

/** Longer than the minute after which the wallet tries again what a provider that was too busy did not answer. */
const COINS_TIMEOUT_MS = 100_000;

/** Waits until all that the reader has lies in the drawer as coins. */
export async function waitForCoins(extension: Extension): Promise<void> {
  const standing = async () => {
    const snapshot = await readSnapshot(extension).catch(String);
    if (typeof snapshot === "string") return snapshot;
    const { balance } = snapshot;
    return balance.total !== "0" && balance.total === balance.coins ? "coins" : JSON.stringify(balance);
  };
  await expect.poll(standing, { timeout: COINS_TIMEOUT_MS, intervals: [200] }).toBe("coins");
}

export interface SnapshotJson {
  readonly balance: {
    readonly total: string;
    readonly account: string;
    readonly coins: string;
    readonly inFlight: string;
  };
  readonly payments: readonly {
    readonly id: string;
    readonly state: string;
    readonly amount: string;
    readonly title: string;
    readonly resource: string;
    readonly refundableUntil: number | null;
    readonly error: { readonly code: string; readonly message: string } | null;
  }[];
  readonly month: { readonly spent: string; readonly budget: { readonly left: string } | null };
  readonly approvals: readonly { readonly id: string; readonly state: string }[];
  readonly allowances: readonly { readonly origin: string; readonly left: string }[];
  readonly paused: boolean;
  /** Null where nothing is brought back. */
  readonly restore: { readonly phase: string } | null;
}

export async function readSnapshot(extension: Extension): Promise<SnapshotJson> {
  const answer = await extension.ask({ kind: "ui", type: "snapshot" });
  if (!("ok" in answer)) throw new Error(`no snapshot: ${JSON.stringify(answer)}`);
  return answer.ok as SnapshotJson;
}

export interface Approval {
  /** A budget for this site, as its choice reads: "$1". */
  readonly allowance?: string;
}

/** Approves in the wallet's own window, which closes by itself. */
export async function approve(window: Page, { allowance }: Approval = {}): Promise<void> {
  if (allowance !== undefined) {
    await window.getByRole("checkbox", { name: /Don’t ask again/ }).check();
    await window.getByLabel("Limit of the allowance").selectOption({ label: allowance });
  }
  const pay = window.getByRole("button", { name: /^(Pay|Tip) / });
  await expect(pay).toBeEnabled();
  await pressUnlessClosed(window, pay);
}

/** The same, and waits until the window is gone: for a test that opens another. */
export async function approveAndClose(window: Page, approval: Approval = {}): Promise<void> {
  const closed = window.waitForEvent("close");
  await approve(window, approval);
  await closed;
}

/** Says no, or goes on: presses a button that closes its own window, and waits until that is gone. */
export async function pressToClose(window: Page, button: Locator): Promise<void> {
  const closed = window.waitForEvent("close");
  await expect(button).toBeEnabled();
  await Promise.all([closed, pressUnlessClosed(window, button)]);
}

export async function decline(window: Page): Promise<void> {
  await pressToClose(window, window.getByRole("button", { name: "Not now" }));
}

/** The press may not live to see its own end: what it began is the proof that it happened. */
async function pressUnlessClosed(window: Page, button: Locator): Promise<void> {
  await button.click().catch((error: unknown) => (window.isClosed() ? undefined : Promise.reject(error)));
}

/** The button of the first paywall in the page. */
export function paywallButton(page: Page) {
  return page.locator("tuppence-paywall").getByRole("button");
}

export async function expectArticleOpen(page: Page): Promise<void> {
  await expect(page.locator("tuppence-paywall").first()).toHaveAttribute("state", "open");
}
