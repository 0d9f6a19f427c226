import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** The reader says that the other browsers with this phrase are not used any more: their coins are brought here. */
export async function takeOver(wallet: Wallet): Promise<UiResultJson<"takeOver">> {
  await wallet.takeOver();
  return {};
}
