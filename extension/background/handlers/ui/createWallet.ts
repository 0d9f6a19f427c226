import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Makes the wallet, or brings it back from its recovery phrase. */
export function createWallet(
  wallet: Wallet,
  request: UiRequestOf<"createWallet">,
): Promise<UiResultJson<"createWallet">> {
  return wallet.create(request);
}
