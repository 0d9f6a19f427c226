/** A wallet that a passphrase keeps: locked it pays nothing and shows nothing, and what was under way is not lost. */
import { tableNamed } from "../../extension/store/index.ts";
import { seedOf } from "../../wallet/core/keys.ts";
import { type Extension, expect, test, turnClock } from "../support/extension.ts";
import { openSafety, PASSPHRASE, setPassphrase } from "../support/passphrase.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approve,
  approveAndClose,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../support/reader.ts";
import { type ServedSite, startServedSite } from "../support/served-site.ts";
import { openTable, readDisk, readRows } from "../support/stored-rows.ts";

const MINUTE_MS = 60_000;
/** Of the hashes that stand on the disk for names and ids. */
const HASH_LETTERS = 32;

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

test("a wallet that is left open on the screen does not stay open: the alarm locks it, and nobody touches it", async ({
  extension,
}) => {
  await stocked(extension);
  await setPassphrase(extension);
  const options = await openSafety(extension);
  await expect(options.getByRole("button", { name: "Lock now" })).toBeVisible();
  const popup = await extension.openPopup();
  await expectBalance(popup, "$5.00");
  const ringsAfter = () =>
    popup.evaluate(async () => {
      const { "last-use": lastUse } = await chrome.storage.session.get("last-use");
      const alarm = await chrome.alarms.get("lock");
      return alarm && alarm.scheduledTime - Number(lastUse);
    });
  await expect.poll(ringsAfter).toBe(5 * MINUTE_MS);
  await turnClock(extension, 6 * MINUTE_MS);
  // The browser's own clock cannot be turned: the alarm is set anew, and rings at once.
  await popup.evaluate(() => chrome.alarms.create("lock", { when: Date.now() }));
  for (const page of [popup, options]) {
    await expect(page.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
    await expect(page.locator("body")).not.toContainText("$5");
  }
});

test("who has the disk reads nothing of what was bought, from whom, and by which phrase; with a passphrase no key lies there", async ({
  extension,
}) => {
  const phrase = await stocked(extension);
  const title = "What nobody is to know";
  const page = await extension.context.newPage();
  await page.goto(site.offer(title));
  await paywallButton(page).click();
  await approveAndClose(await extension.waitForApproval());
  await expectArticleOpen(page);
  await page.close();
  const secrets = await secretsOf(title, phrase);

  const byDevice = await readDisk(extension);
  expect(foundIn(byDevice.readable, secrets)).toEqual([]);
  expect(byDevice.keys).toEqual([
    { at: "tuppence/vault", exported: "nothing" },
    { at: "tuppence-last-balance/balance", exported: "nothing" },
  ]);
  // It is all there: the extension itself, with that key, finds it.
  const opened = await Promise.all(
    ["wholePayments", "merchants", "wallet"].map((table) => openTable(extension, tableNamed(table))),
  );
  const rows = opened.flatMap((table) => table.rows.map(({ row }) => textOf(row)));
  expect(foundIn(rows, secrets)).toEqual(Object.keys(secrets));

  await setPassphrase(extension);
  const rowKey = await inSession(extension, "row-key");
  expect(rowKey).toMatch(/^[0-9a-f]{64}$/);
  const [vault = "{}"] = (await readRows(extension)).vault ?? [];
  expect(JSON.parse(vault).iterations, "each guess costs as much as it should today").toBeGreaterThanOrEqual(
    600_000,
  );
  const kept = {
    ...secrets,
    passphrase: [PASSPHRASE],
    "the key of the rows": [rowKey, Buffer.from(rowKey, "hex").toString("latin1")],
  };
  const expectNothing = async () => {
    const { readable, keys } = await readDisk(extension);
    expect(foundIn(readable, kept)).toEqual([]);
    expect(keys).toEqual([]);
    // What the key of this device opened is not left lying beside.
    const seen = new Set(byDevice.readable.filter(({ length }) => length >= HASH_LETTERS));
    expect(readable.filter((text) => seen.has(text)).length).toBe(0);
  };
  await expectNothing();
  await lock(extension);
  await expectNothing();
  expect(foundIn([await inSession(extension)], kept), "in the session's storage").toEqual([]);
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

/** Answers the recovery phrase. */
async function stocked(extension: Extension): Promise<string> {
  const phrase = await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await popup.close();
  return phrase;
}

/** By what it is called: the forms in which it would be read. */
type Secrets = Readonly<Record<string, readonly (string | RegExp)[]>>;

async function secretsOf(title: string, phrase: string): Promise<Secrets> {
  const words = phrase.split(" ");
  return {
    title: [title],
    merchant: ["Test Site"],
    site: [new URL(site.origin).host],
    // In twos: a short one by itself stands in bytes by chance, and some are names of a row's own, as "state" or "device".
    phrase: words.slice(1).map((word, index) => new RegExp(`${words[index]}[^a-z]{1,9}${word}`, "i")),
    seed: [await seedOf(phrase)],
  };
}

function foundIn(texts: readonly string[], secrets: Secrets): string[] {
  const isIn = (form: string | RegExp) =>
    texts.some((text) => (typeof form === "string" ? text.includes(form) : form.test(text)));
  return Object.keys(secrets).filter((name) => secrets[name]?.some(isIn));
}

function textOf(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

/** What a page of the extension finds in the session's storage: under this name, or all of it. */
async function inSession(extension: Extension, name?: string): Promise<string> {
  const options = await openSafety(extension);
  const stored = await options.evaluate(() => chrome.storage.session.get());
  await options.close();
  return name === undefined ? textOf(stored) : String(stored[name]);
}

async function lock(extension: Extension): Promise<void> {
  const popup = await extension.openPopup();
  await popup.getByRole("button", { name: "Lock the wallet" }).click();
  await expect(popup.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
  await popup.close();
}
