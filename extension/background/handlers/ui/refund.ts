import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Takes a payment back, inside the merchant's window. */
export async function refund(
  wallet: Wallet,
  request: UiRequestOf<"refund">,
): Promise<UiResultJson<"refund">> {
  await wallet.refund(request);
  return {};
}
