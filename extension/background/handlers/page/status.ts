import type { PageRequestOf, PageResults } from "../../../../shared/protocol/page.ts";
import type { PageSender, Wallet } from "../../../../wallet/core/index.ts";

/** Says how a payment of this page stands, and takes the report that its content did not open. */
export function status(
  wallet: Wallet,
  request: PageRequestOf<"status">,
  sender: PageSender,
): Promise<PageResults["status"]> {
  return wallet.page(request, sender);
}
