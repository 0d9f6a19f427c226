import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** A piece of all payments, with their receipts. */
export function exportHistory(
  wallet: Wallet,
  request: UiRequestOf<"exportHistory">,
): Promise<UiResultJson<"exportHistory">> {
  return wallet.exportHistory(request);
}
