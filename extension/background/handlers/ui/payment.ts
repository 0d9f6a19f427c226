import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** One payment, with its receipt. */
export function payment(wallet: Wallet, request: UiRequestOf<"payment">): Promise<UiResultJson<"payment">> {
  return wallet.payment(request);
}
