import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

export function closeAccount(wallet: Pick<Wallet, "closeAccount">): Promise<UiResultJson<"closeAccount">> {
  return wallet.closeAccount();
}
