import { TuppenceError } from "../../../../shared/errors.ts";
import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";
import { findTip } from "../../tip-in-page.ts";

/** Opens the approval of a tip to the site in the active tab. */
export async function startTip(wallet: Wallet): Promise<UiResultJson<"startTip">> {
  const found = await findTip();
  if (found === undefined) throw new TuppenceError("nothing_to_tip");
  return wallet.startTip(found.tip, found.sender);
}
