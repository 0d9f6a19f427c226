/** Every page of the real extension, checked with axe under its real Content-Security-Policy; all states: `npm run pictures`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import { expect, test } from "../support/extension.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { expectBalance, setUpWallet } from "../support/reader.ts";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

let provider: RunningProvider;
test.beforeAll(async () => {
  provider = await startProvider();
});
test.afterAll(() => provider.close());

test("no page shuts out a reader who uses a keyboard or a screen reader", async ({ extension }) => {
  const welcome = await extension.welcomePage();
  await expect(welcome.getByRole("button", { name: "Create my wallet" })).toBeVisible();
  expect(await violations(welcome)).toEqual([]);
  await welcome.getByRole("button", { name: "I have a recovery phrase" }).click();
  expect(await violations(welcome)).toEqual([]);
  await welcome.getByRole("button", { name: "Make a new wallet instead" }).click();

  await setUpWallet(extension, provider.origin);
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

async function violations(page: Page): Promise<string[]> {
  // What is still fading in has not its colours yet.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const found = await axe.run();
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target }) => `${id}: ${target.join(" ")}`),
    );
  });
}
