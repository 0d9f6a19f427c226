import type { PageRequestOf, PageResults } from "../../../../shared/protocol/page.ts";
import type { PageSender, Wallet } from "../../../../wallet/core/index.ts";

/** Pays an offer of the page, after the reader's approval or within the site's allowance. */
export function pay(
  wallet: Wallet,
  request: PageRequestOf<"pay">,
  sender: PageSender,
): Promise<PageResults["pay"]> {
  return wallet.page(request, sender);
}
