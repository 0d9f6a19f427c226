import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** The backup at the provider, now. */
export async function saveBackup(wallet: Wallet): Promise<UiResultJson<"saveBackup">> {
  await wallet.saveBackup();
  return {};
}
