import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Takes the reader's answer to a question that an approval window asks. */
export async function decide(
  wallet: Wallet,
  request: UiRequestOf<"decide">,
): Promise<UiResultJson<"decide">> {
  await wallet.decide(request);
  return {};
}
