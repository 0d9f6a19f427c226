import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** The reader says that the recovery phrase is written down. */
export async function takeOver(wallet: Wallet): Promise<UiResultJson<"takeOver">> {
  await wallet.takeOver();
  return {};
}
