import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

export async function depositAll(wallet: Pick<Wallet, "depositAll">): Promise<UiResultJson<"depositAll">> {
  await wallet.depositAll();
  return {};
}
