import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** From now on this site is paid so much without asking. */
export async function setAllowance(
  wallet: Wallet,
  request: UiRequestOf<"setAllowance">,
): Promise<UiResultJson<"setAllowance">> {
  await wallet.setAllowance(request);
  return {};
}
