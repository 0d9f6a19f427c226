/** A recovery phrase that is put off: the reminder comes back as soon as there is something to lose, and grows. */
import { expect, test, turnClock } from "../support/extension.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { expectBalance, topUp } from "../support/reader.ts";

const DAY_MS = 86_400_000;

let provider: RunningProvider;
test.beforeAll(async () => {
  provider = await startProvider();
});
test.afterAll(() => provider.close());

test("who has money in a wallet without a written phrase is reminded of it, more firmly as it grows, and can put it off", async ({
  extension,
}) => {
  const welcome = await extension.welcomePage();
  await welcome.getByText("Advanced").click();
  await welcome.getByLabel("Provider", { exact: true }).fill(provider.origin);
  await welcome.getByRole("button", { name: "Create my wallet" }).click();
  await welcome.getByRole("button", { name: "Do this later" }).click();

  const popup = await extension.openPopup();
  await expectBalance(popup, "$0.00");
  const reminder = popup.locator(".notice").filter({ hasText: "Write down your recovery phrase" });
  await expect(reminder).toHaveCount(0);
  await topUp(extension, popup, "$5");
  await expectBalance(popup, "$5.00");
  await expect(reminder).toContainText("Without it, a lost computer loses $5.00.");
  await expect(reminder).toHaveAttribute("data-tone", "warn");
  // Twice, and it is urgent; the fourth time it stays.
  await reminder.getByRole("button", { name: "Later" }).click();
  await expect(reminder).toHaveAttribute("data-tone", "danger");
  await reminder.getByRole("button", { name: "Later" }).click();
  await expect(reminder).toHaveCount(0);
  await popup.close();

  await turnClock(extension, 2 * DAY_MS);
  const later = await extension.openPopup();
  await expect(later.getByText("Write down your recovery phrase")).toBeVisible();
});
