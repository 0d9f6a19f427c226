import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Pauses every payment, or lets them go on. */
export async function setPaused(
  wallet: Wallet,
  request: UiRequestOf<"setPaused">,
): Promise<UiResultJson<"setPaused">> {
  await wallet.setPaused(request);
  return {};
}
