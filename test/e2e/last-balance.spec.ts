/** The popup shows the balance as it was last before the background answers: in a browser that was only just started too. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { POPUP_PAGE } from "../../shared/protocol/ui.ts";
import { type Finds, openEarly } from "../support/early-popup.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { movedIn } from "../support/moved.ts";
import { PASSPHRASE, setPassphrase } from "../support/passphrase.ts";
import { namesOfFilesWith } from "../support/profile.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { decideCheckout, expectBalance, setUpWallet, topUp, waitForCoins } from "../support/reader.ts";
import { readDisk } from "../support/stored-rows.ts";

let provider: RunningProvider;
test.beforeAll(async () => {
  provider = await startProvider();
});
test.afterAll(() => provider.close());

test("the balance as it was last is there before the background answers, and its head does not move when the rest comes", async ({
  extension,
}) => {
  await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  const early = await openEarly(extension);
  await expectBalance(early, "$5.00");
  await expect(early.getByRole("button", { name: "Top up" })).toBeDisabled();
  const heightOf = (page: Page) => page.locator(".hero").evaluate(({ clientHeight }) => clientHeight);
  const height = await heightOf(popup);
  expect(await heightOf(early)).toBe(height);
  const whole = await extension.openPopup();
  await expect(whole.getByRole("switch", { name: "Pause all payments" })).toBeVisible();
  expect(await movedIn(whole), "when the rest came").toEqual([]);
  const first = await openEarly(extension, { finds: "nothing" });
  await expect(first.locator(".waiting")).toBeVisible();
  expect(await heightOf(first), "nor where nothing is remembered").toBe(height);
  // What stands in the page before its scripts is what they draw then.
  const written = readFileSync(new URL(`../../dist/chrome/${POPUP_PAGE}`, import.meta.url), "utf8");
  const drawn = await first.evaluate((source) => {
    const brand = (of: Document) => {
      const copy = of.querySelector(".hero .brand")?.cloneNode(true);
      if (!copy) return null;
      const texts = of.createNodeIterator(copy, NodeFilter.SHOW_TEXT);
      for (let text = texts.nextNode(); text; text = texts.nextNode())
        if (text.textContent?.trim() === "") text.parentNode?.removeChild(text);
      return copy;
    };
    return brand(new DOMParser().parseFromString(source, "text/html"))?.isEqualNode(brand(document));
  }, written);
  expect(drawn).toBe(true);
});

test.describe("after the browser's restart", () => {
  let profileFolder: string;
  let extension: Extension;
  test.beforeAll(async () => {
    profileFolder = await mkdtemp(join(tmpdir(), "tuppence-last-balance-"));
    extension = await launchExtension({ profileFolder });
    await setUpWallet(extension, provider.origin);
    const popup = await extension.openPopup();
    await popup.getByRole("button", { name: "Top up", exact: true }).click();
    await popup.getByText("Another amount", { exact: true }).click();
    await popup.getByLabel("Another amount to top up").fill("7.53");
    const opens = extension.context.waitForEvent("page");
    await popup.getByRole("button", { name: "Top up $7.53" }).click();
    await decideCheckout(await opens, "Approve");
    await expectBalance(popup, "$7.53");
  });
  test.afterAll(async () => {
    await extension.close();
    await rm(profileFolder, { recursive: true, force: true });
  });

  const restart = async () => {
    await extension.close();
    extension = await launchExtension({ profileFolder });
  };

  /** The background keeps it a moment after the change. */
  const expectKept = async (finds: Finds) => {
    const popup = await openEarly(extension, { finds });
    await expect(async () => {
      await popup.reload();
      await expect(popup.locator("#balance")).toHaveText("$7.53", { timeout: 1_000 });
    }).toPass();
    await popup.close();
  };

  test("the first popup does not wait for the background to show the balance, and the profile's files do not tell it", async () => {
    // Not only for as long as the browser runs.
    await expectKept("disk");
    await restart();
    const first = await openEarly(extension, { finds: "disk" });
    await expectBalance(first, "$7.53");
    await expect(first.getByRole("button", { name: "Top up" })).toBeDisabled();
    const { readable, keys } = await readDisk(extension);
    expect(readable.filter((text) => text.includes("7530000"))).toEqual([]);
    expect(keys).toContainEqual({ at: "tuppence-last-balance/balance", exported: "nothing" });
    await extension.close();
    expect(await namesOfFilesWith(profileFolder, "7530000")).toEqual([]);
    expect(
      await namesOfFilesWith(profileFolder, "tuppence-last-balance"),
      "it lies in these files",
    ).not.toEqual([]);
    extension = await launchExtension({ profileFolder });
  });

  test("a wallet that a passphrase keeps shows nothing, and has nothing on the disk to show", async () => {
    await setPassphrase(extension);
    // While it is open, memory has it.
    await expectKept("all");
    expect((await readDisk(extension)).keys).toEqual([]);
    await restart();
    const early = await openEarly(extension);
    expect(await inMemory(early)).toEqual([]);
    expect((await readDisk(extension)).keys).toEqual([]);
    await expect(early.locator(".waiting")).toBeVisible();
    const popup = await extension.openPopup();
    await expect(popup.getByRole("heading", { name: "Your wallet is locked" })).toBeVisible();
    for (const page of [early, popup]) await expect(page.locator("body")).not.toContainText("$7");
    await popup.getByLabel("Passphrase").fill(PASSPHRASE);
    await popup.getByRole("button", { name: "Unlock" }).click();
    await expectBalance(popup, "$7.53");
  });
});

/** What memory still has of the wallet: the balance, and what opens the rest. */
async function inMemory(popup: Page): Promise<unknown[]> {
  const stored = await popup.evaluate(() => chrome.storage.session.get(["last-balance", "row-key"]));
  return Object.values(stored).filter(Boolean);
}
