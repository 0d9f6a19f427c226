import { ERRORS, TuppenceError, tellReader } from "../../../../shared/errors.ts";
import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Wallet } from "../../../../wallet/core/index.ts";
import { activeTab } from "../../../platform.ts";
import { findTip, findTipOfOtherMode } from "../../tip-in-page.ts";

/**
 * Whom the page in the active tab lets one tip, as the provider knows them. Nobody, if it names nobody; the reason, if it names
 * somebody who may not be paid here, so that a lit icon is never without a word.
 */
export async function tipSite(wallet: Wallet): Promise<UiResultJson<"tipSite">> {
  const tab = await activeTab();
  const found = (await findTip(wallet, tab)) ?? (await findTipOfOtherMode(wallet, tab));
  if (found === undefined) return { site: null, problem: null };
  try {
    return { site: await wallet.tipSite(found.tip, found.sender), problem: null };
  } catch (error) {
    if (!(error instanceof TuppenceError)) throw error;
    const { code } = error;
    // A provider that does not answer is nothing that the page did, and is told elsewhere.
    const isOfPage = ERRORS[code].retry === "never";
    return { site: null, problem: isOfPage ? { code, message: tellReader(code) } : null };
  }
}
