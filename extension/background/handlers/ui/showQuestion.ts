import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

export async function showQuestion(
  wallet: Wallet,
  request: UiRequestOf<"showQuestion">,
): Promise<UiResultJson<"showQuestion">> {
  await wallet.showQuestion(request);
  return {};
}
