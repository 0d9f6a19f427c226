import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** The recovery phrase, for a page of ours to show again. */
export function showPhrase(wallet: Wallet): Promise<UiResultJson<"showPhrase">> {
  return wallet.showPhrase();
}
