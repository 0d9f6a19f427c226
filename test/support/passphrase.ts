/** A wallet that a passphrase keeps. */
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { type Extension, expect } from "./extension.ts";

export const PASSPHRASE = "correct horse battery staple";

export async function openSafety(extension: Extension) {
  const options = await extension.context.newPage();
  await options.goto(extension.url(`${OPTIONS_PAGE}#/safety`));
  return options;
}

/** It locks itself after five minutes without use. */
export async function setPassphrase(extension: Extension): Promise<void> {
  const options = await openSafety(extension);
  await options.getByRole("button", { name: "Set a passphrase" }).click();
  await options.getByLabel("New passphrase").fill(PASSPHRASE);
  await options.getByLabel("The same once more").fill(PASSPHRASE);
  await options.getByLabel("Lock after").selectOption("5");
  await options.getByRole("button", { name: "Save" }).click();
  await expect(options.getByText("Saved")).toBeVisible();
  await options.close();
}
