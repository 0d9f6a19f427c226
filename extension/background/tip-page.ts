/** A tip that begins outside of the page: in the popup, the context menu, or with the keys. */
import { TuppenceError } from "../../shared/errors.ts";
import type { UiResultJson } from "../../shared/protocol/ui.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import { activeTab, type Tab } from "../platform.ts";
import { tellProblem } from "./approvals.ts";
import type { Background } from "./compose.ts";
import { findTip, findTipOfOtherMode } from "./tip-in-page.ts";
import { underWay } from "./under-way.ts";

export const TIP_COMMAND = "tip-page";
export const TIP_MENU_ITEM = "tip-page";

/** Opens the question. @throws TuppenceError nothing_to_tip, and whatever is wrong with the offer or its merchant */
export async function tipPage(wallet: Wallet, tab: Tab | undefined): Promise<UiResultJson<"startTip">> {
  const found = (await findTip(wallet, tab)) ?? (await findTipOfOtherMode(wallet, tab));
  if (found === undefined)
    throw new TuppenceError((await wallet.provider()) ? "nothing_to_tip" : "wallet_missing");
  return wallet.startTip(found.tip, found.sender);
}

/** The same where no page of ours is open that could say what went wrong. */
export async function tipPageOrTell(
  background: Pick<Background, "wallet" | "lock" | "underWay">,
  tab: Tab | undefined,
): Promise<void> {
  const { wallet, lock } = background;
  try {
    await underWay(background, async () => {
      await lock.admit();
      await tipPage(wallet, tab ?? (await activeTab()));
    });
  } catch (error) {
    if (!(error instanceof TuppenceError)) throw error;
    // The question that stands in the way is in front already.
    if (error.code !== "prompt_open") await tellProblem(error.code);
  }
}
