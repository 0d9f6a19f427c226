import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** Keeps the reminder of the recovery phrase away for a while. */
export async function putOffPhrase(wallet: Wallet): Promise<UiResultJson<"putOffPhrase">> {
  await wallet.putOffPhrase();
  return {};
}
