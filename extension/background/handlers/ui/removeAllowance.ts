import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** From now on this site asks before each payment. */
export async function removeAllowance(
  wallet: Wallet,
  request: UiRequestOf<"removeAllowance">,
): Promise<UiResultJson<"removeAllowance">> {
  await wallet.removeAllowance(request);
  return {};
}
