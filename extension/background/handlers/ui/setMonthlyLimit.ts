import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** How much may be spent a month at all sites together. */
export async function setMonthlyLimit(
  wallet: Wallet,
  request: UiRequestOf<"setMonthlyLimit">,
): Promise<UiResultJson<"setMonthlyLimit">> {
  await wallet.setMonthlyLimit(request);
  return {};
}
