import type { PageRequestOf, PageResults } from "../../../../shared/protocol/page.ts";
import type { PageSender, Wallet } from "../../../../wallet/core/index.ts";

/** Asks the reader how much to give, and gives it. */
export function tip(
  wallet: Wallet,
  request: PageRequestOf<"tip">,
  sender: PageSender,
): Promise<PageResults["tip"]> {
  return wallet.page(request, sender);
}
