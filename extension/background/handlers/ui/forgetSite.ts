import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Takes away what lets a site recognize the reader: receipts, allowance, and the script that listens there. */
export async function forgetSite(
  wallet: Wallet,
  request: UiRequestOf<"forgetSite">,
): Promise<UiResultJson<"forgetSite">> {
  await wallet.forgetSite(request);
  return {};
}
