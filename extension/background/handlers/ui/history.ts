import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** A page of payments, newest first. */
export function history(wallet: Wallet, request: UiRequestOf<"history">): Promise<UiResultJson<"history">> {
  return wallet.history(request);
}
