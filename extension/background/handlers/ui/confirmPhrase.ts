import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Notes that the reader has the recovery phrase, if the words that were asked for are right. */
export function confirmPhrase(
  wallet: Wallet,
  request: UiRequestOf<"confirmPhrase">,
): Promise<UiResultJson<"confirmPhrase">> {
  return wallet.confirmPhrase(request);
}
