import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** The reader says that the recovery phrase is written down. */
export async function saveBackup(wallet: Wallet): Promise<UiResultJson<"saveBackup">> {
  await wallet.saveBackup();
  return {};
}
