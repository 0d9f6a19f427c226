/** Every page of the real extension, checked with axe under its real Content-Security-Policy; all states: `npm run pictures`. */
import path from "node:path";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import { keyboardFaults, movingParts, structureFaults, violations } from "../support/accessibility.ts";
import { expect, test } from "../support/extension.ts";
import { sayings, startWalkedWorld, type WalkedWorld, walkThrough } from "../support/languages.ts";
import { expectBalance, setUpWallet } from "../support/reader.ts";

const DIST = path.resolve(import.meta.dirname, "../../dist/chrome");

let world: WalkedWorld;
test.beforeAll(async () => {
  world = await startWalkedWorld();
});
test.afterAll(() => world.close());

test("no page shuts out a reader who uses a keyboard or a screen reader", async ({ extension }) => {
  const welcome = await extension.welcomePage();
  await expect(welcome.getByRole("button", { name: "Create my wallet" })).toBeVisible();
  expect(await violations(welcome)).toEqual([]);
  await welcome.getByRole("button", { name: "I have a recovery phrase" }).click();
  expect(await violations(welcome)).toEqual([]);
  await welcome.getByRole("button", { name: "Make a new wallet instead" }).click();

  await setUpWallet(extension, world.provider.origin);
  expect(await violations(welcome)).toEqual([]);

  const popup = await extension.openPopup();
  await expectBalance(popup, "$0.00");
  expect(await violations(popup)).toEqual([]);

  // By keyboard alone: to the amounts, and Escape back to where one was.
  await popup.getByRole("button", { name: "Top up", exact: true }).focus();
  await popup.keyboard.press("Enter");
  await expect(popup.getByRole("heading", { name: "Top up" })).toBeFocused();
  expect(await violations(popup)).toEqual([]);
  await popup.keyboard.press("Escape");
  await expect(popup.getByRole("button", { name: "Top up", exact: true })).toBeFocused();

  const question = await extension.context.newPage();
  await question.goto(`${extension.url(APPROVE_PAGE)}?id=${"0".repeat(32)}`);
  await expect(question.getByRole("heading", { name: "This question is over" })).toBeVisible();
  expect(await violations(question)).toEqual([]);
});

test("no state of any page is out of reach, in either theme, for the keyboard, a screen reader or a reader whom motion makes ill", async ({
  extension,
}) => {
  const faults: string[] = [];
  const moving: string[] = [];
  await walkThrough(extension, world, sayings(DIST, "en"), async (page, state) => {
    const note = (found: readonly string[]) => faults.push(...found.map((fault) => `${state}: ${fault}`));
    await page.emulateMedia({ reducedMotion: "no-preference" });
    moving.push(...(await movingParts(page)).map((part) => `${state}: ${part}`));
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      note((await violations(page)).map((violation) => `${colorScheme}: ${violation}`));
    }
    // `violations` asked for less motion.
    note((await movingParts(page)).map((part) => `${part} still moves`));
    note(await structureFaults(page));
    note(await keyboardFaults(page));
  });
  expect(faults).toEqual([]);
  // The same look sees what does move for everyone else, so that it is not blind.
  expect(moving).toContain("popup: waiting for the payment page: span.ring");
});
