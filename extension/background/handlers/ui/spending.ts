import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** What was spent in a month or a year, over time and by site. */
export function spending(
  wallet: Wallet,
  request: UiRequestOf<"spending">,
): Promise<UiResultJson<"spending">> {
  return wallet.spending(request);
}
