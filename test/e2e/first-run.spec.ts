/** The first minute: a wallet, its recovery phrase, and money in it. */

import type { Page } from "@playwright/test";
import { validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { expectBooksAddUp, type StockedReader } from "../support/books.ts";
import { expect, launchExtension, test } from "../support/extension.ts";
import {
  approveAndClose,
  checkPhrase,
  chooseTopUp,
  decideCheckout,
  expectArticleOpen,
  expectBalance,
  openCheckout,
  paywallButton,
  readPhrase,
  readSnapshot,
  setUpWallet,
  waitForCoins,
} from "../support/reader.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let reader: StockedReader;
/** Who never opens the popup. */
let newcomer: StockedReader;

test.beforeAll(async () => {
  world = await startWorld();
  reader = { extension: await launchExtension(), toppedUp: 0n };
  newcomer = { extension: await launchExtension(), toppedUp: 0n };
});
test.afterAll(async () => {
  await expectBooksAddUp(world.provider, [reader, newcomer]);
  await reader.extension.close();
  await newcomer.extension.close();
  await world.close();
});

test("the welcome page does not leave a newcomer without saying what this is, in three sentences", async () => {
  const welcome = await reader.extension.welcomePage();
  await expect(welcome.getByRole("heading", { name: "A few cents, one click" })).toBeVisible();
  const words = (await welcome.locator(".intro-words").textContent()) ?? "";
  const sentences = words.split(/(?<=\.)\s+/);
  expect(sentences).toHaveLength(3);
  expect(words).toContain("prepaid wallet");
});

test("the recovery phrase is one that another wallet would take, and is not lost by looking away", async () => {
  const welcome = await reader.extension.welcomePage();
  await welcome.getByText("Advanced").click();
  await welcome.getByLabel("Provider", { exact: true }).fill(world.provider.origin);
  await welcome.getByRole("button", { name: "Create my wallet" }).click();
  const phrase = await readPhrase(welcome);
  expect(phrase.split(" ")).toHaveLength(12);
  expect(validateMnemonic(phrase, wordlist), "the checksum of BIP-39").toBe(true);

  await welcome.getByRole("button", { name: "Hide" }).click();
  await expect(welcome.getByText(phrase.split(" ")[0] ?? "", { exact: true })).toHaveCount(0);
  expect(await readPhrase(welcome), "shown again").toBe(phrase);

  await welcome.reload();
  expect(await readPhrase(welcome), "shown again after the page was loaded again").toBe(phrase);

  // Put off: the words are still there.
  const popup = await reader.extension.openPopup();
  await expect(popup.getByText("Write down your recovery phrase")).toBeVisible();
  await welcome.getByRole("button", { name: "Do this later" }).click();
  await expect(popup.getByText("Write down your recovery phrase")).toHaveCount(0);
  await welcome.getByRole("button", { name: "Show it now" }).click();
  expect(await readPhrase(welcome), "shown again after it was put off").toBe(phrase);

  // Words that are not on paper are found out now, and not when the computer is gone.
  await checkPhrase(welcome, phrase.split(" ").toReversed().join(" "));
  await expect(welcome.getByText("This is not the word.").first()).toBeVisible();
  await welcome.getByRole("button", { name: "Show the words again" }).click();
  expect(await readPhrase(welcome)).toBe(phrase);
  await checkPhrase(welcome, phrase);
  await expect(welcome.getByText("Keep it in sight")).toBeVisible();
  await expect(popup.getByText("Write down your recovery phrase")).toHaveCount(0);
  await popup.close();
});

test("a top-up that the gateway declines adds nothing, and the popup says so without being opened again", async () => {
  const popup = await openMarkedPopup();
  const checkout = await openCheckout(reader.extension, popup, "$5");
  await expect(checkout.getByText("Play money", { exact: true })).toBeVisible();
  await expect(popup.getByText("Waiting for the payment page…")).toBeVisible();
  await decideCheckout(checkout, "Decline");
  await expect(popup.getByText("Your $5 top-up was declined")).toBeVisible();
  await expect(popup.getByText("Nothing was charged. Another card may work.")).toBeVisible();
  await expectBalance(popup, "$0.00");
  await expectSamePopup(popup);
  await checkout.close();
  await popup.close();
});

test("a payment page that is left does not look like money that is still to come", async () => {
  const popup = await openMarkedPopup();
  const checkout = await openCheckout(reader.extension, popup, "$5");
  await decideCheckout(checkout, "Leave");
  await expect(popup.getByText("Your $5 top-up was not finished")).toBeVisible();
  await expectBalance(popup, "$0.00");
  await expectSamePopup(popup);
  await checkout.close();
  await popup.close();
});

test("an approved top-up arrives in the open popup, once, and its coins lie in the drawer with every page closed", async () => {
  const popup = await openMarkedPopup();
  const checkout = await openCheckout(reader.extension, popup, "$5");
  await decideCheckout(checkout, "Approve");
  await expectBalance(popup, "$5.00");
  await expect(popup.getByText("$5 arrived")).toBeVisible();
  await expectSamePopup(popup);
  reader.toppedUp += 5_000_000n;
  // The form again, as a reader who goes back and clicks once more would send it.
  await checkout.goBack();
  const again = checkout.getByRole("button", { name: /^Approve/ });
  if (await again.isVisible()) await again.click();
  await checkout.close();
  await popup.close();

  await waitForCoins(reader.extension);
  const { balance } = await readSnapshot(reader.extension);
  expect(balance).toMatchObject({ total: "5000000", account: "0", coins: "5000000", inFlight: "0" });
});

test("a top-up that is approved while no page of the wallet is open is there at the next look", async () => {
  const popup = await openMarkedPopup();
  const checkout = await openCheckout(reader.extension, popup, "$5");
  await popup.close();
  await decideCheckout(checkout, "Approve");
  reader.toppedUp += 5_000_000n;
  await checkout.close();
  const later = await openMarkedPopup();
  await expectBalance(later, "$10.00");
  await later.close();
});

test("a newcomer need not find the popup: what is topped up on the welcome page arrives there, and pays for an article", async () => {
  const { extension } = newcomer;
  await setUpWallet(extension, world.provider.origin);
  const welcome = await extension.welcomePage();
  const balance = welcome.getByRole("paragraph").filter({ hasText: /^Balance / });
  await expect(balance).toHaveText("Balance $0.00");
  const checkout = await chooseTopUp(extension, welcome, "$5");
  await expect(welcome.getByText("Waiting for the payment page…")).toBeVisible();
  await decideCheckout(checkout, "Approve");
  newcomer.toppedUp += 5_000_000n;
  await expect(welcome.getByText("$5 arrived")).toBeVisible();
  await expect(welcome.getByText("Everything is ready. Look for “Read on” on an article.")).toBeVisible();
  await expect(balance).toHaveText("Balance $5.00");
  await checkout.close();

  const article = await extension.context.newPage();
  await article.goto(`${world.newspaper.origin}/articles/tide-mills.html`);
  await paywallButton(article).click();
  await approveAndClose(await extension.waitForApproval());
  await expectArticleOpen(article);
  await expect(balance).toHaveText("Balance $4.95");
  await article.close();
});

/** Marked, so that a popup that was loaded anew would be noticed. */
async function openMarkedPopup(): Promise<Page> {
  const popup = await reader.extension.openPopup();
  await popup.evaluate(() => Object.assign(globalThis, { isTheSame: true }));
  return popup;
}

async function expectSamePopup(popup: Page): Promise<void> {
  expect(await popup.evaluate(() => Reflect.get(globalThis, "isTheSame"))).toBe(true);
}
