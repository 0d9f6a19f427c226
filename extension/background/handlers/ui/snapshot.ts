import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";

/** The wallet's state, once; a page that stays open listens on the port instead. */
export function snapshot(wallet: Wallet): Promise<UiResultJson<"snapshot">> {
  return wallet.snapshot();
}
