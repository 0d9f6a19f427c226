import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Background } from "../../compose.ts";

/** The recovery phrase, for a page of ours to show again: whoever finds the browser open does not get it for that. */
export async function showPhrase(
  { wallet, lock }: Pick<Background, "wallet" | "lock">,
  { passphrase }: UiRequestOf<"showPhrase">,
): Promise<UiResultJson<"showPhrase">> {
  await lock.verify(passphrase);
  return wallet.showPhrase();
}
