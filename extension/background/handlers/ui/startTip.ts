import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";
import { activeTab } from "../../../platform.ts";
import { tipPage } from "../../tip-page.ts";

/** Opens the approval of a tip to the site in the active tab. */
export async function startTip(wallet: Wallet): Promise<UiResultJson<"startTip">> {
  return tipPage(wallet, await activeTab());
}
