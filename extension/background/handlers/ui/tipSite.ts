import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";
import { findTip } from "../../tip-in-page.ts";

/** Whom the page in the active tab lets one tip, as the provider knows them; null where that is nobody. */
export async function tipSite(wallet: Wallet): Promise<UiResultJson<"tipSite">> {
  const found = await findTip();
  return { site: (found && (await wallet.tipSite(found.tip, found.sender))) ?? null };
}
