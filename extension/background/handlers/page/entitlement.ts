import type { PageRequestOf, PageResults } from "../../../../shared/protocol/page.ts";
import type { PageSender, Wallet } from "../../../../wallet/core/index.ts";

/** Proves what was bought on this page before, so that nobody pays twice. */
export function entitlement(
  wallet: Wallet,
  request: PageRequestOf<"entitlement">,
  sender: PageSender,
): Promise<PageResults["entitlement"]> {
  return wallet.page(request, sender);
}
