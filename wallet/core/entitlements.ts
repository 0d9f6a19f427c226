/** What was bought before: its receipt, its content key, and the holder's proof that it was bought by this wallet. */
import { TuppenceError } from "../../shared/errors.ts";
import type { EntitlementResult, PageRequestOf } from "../../shared/protocol/page.ts";
import { issueHolderProof } from "../../shared/receipt.ts";
import type { Context } from "./context.ts";
import { refuseOpaque } from "./orders.ts";
import { askById, changePayment } from "./payments.ts";
import { resourceKeyOf } from "./reserve.ts";
import type { PaymentRow } from "./rows.ts";
import { mayShow } from "./sites.ts";
import type { PageSender } from "./wallet.ts";

/** A page that asks for more is listing what its reader owns. The same one may be asked for again. */
const MAX_RESOURCES_PER_PAGE = 8;
const PAGE_FORGOTTEN_AFTER_MS = 60_000;
const MAX_PAGES = 200;

export interface Entitlements {
  /** @throws TuppenceError click_required, resource_mismatch, rate_limited, entitlement_unknown, provider_* */
  answer(request: PageRequestOf<"entitlement">["payload"], sender: PageSender): Promise<EntitlementResult>;
}

export function keepEntitlements(context: Context): Entitlements {
  const pages = new Map<string, { readonly sinceMs: number; readonly resources: Set<string> }>();
  const count = (sender: PageSender, resource: string): void => {
    const key = `${sender.tabId} ${sender.url}`;
    const page = pages.get(key);
    const isFresh = page !== undefined && context.nowMs() - page.sinceMs < PAGE_FORGOTTEN_AFTER_MS;
    const counted = isFresh ? page : { sinceMs: context.nowMs(), resources: new Set<string>() };
    if (pages.size >= MAX_PAGES) pages.clear();
    pages.set(key, counted);
    counted.resources.add(resource);
    if (counted.resources.size > MAX_RESOURCES_PER_PAGE) throw new TuppenceError("rate_limited");
  };
  return {
    answer: async ({ merchant, resource, seal, challenge }, sender) => {
      refuseOpaque(sender);
      if (sender.isPrivate && !sender.clicked) throw new TuppenceError("click_required");
      if (!sender.isTopFrame && sender.origin !== sender.topOrigin)
        throw new TuppenceError("frame_not_allowed");
      if (!URL.canParse(resource) || new URL(resource).origin !== sender.origin)
        throw new TuppenceError("resource_mismatch");
      count(sender, resource);
      const [payment, { keys }] = await Promise.all([
        findBought(context, merchant, resource, sender),
        context.open(),
      ]);
      if (payment?.receipt === undefined) throw new TuppenceError("entitlement_unknown");
      const [{ holder }, contentKey] = await Promise.all([
        keys.payment(payment.id),
        contentKeyFor(context, payment, seal),
      ]);
      const holderProof = await issueHolderProof(
        { aud: sender.origin, challenge, jti: payment.id, iat: context.nowSeconds() },
        holder,
      );
      return {
        paymentId: payment.id,
        receipt: payment.receipt,
        holderProof,
        ...(contentKey === undefined ? {} : { contentKey }),
      };
    },
  };
}

/**
 * The key for the seal that stands in the page. The page may have been built anew since: then the provider is asked,
 * which opens every later seal of what was bought.
 */
export async function contentKeyFor(
  context: Context,
  payment: PaymentRow,
  seal: string | undefined,
): Promise<string | undefined> {
  if (seal === undefined) return undefined;
  if (payment.contentKeySeal === seal && payment.contentKey !== undefined) return payment.contentKey;
  const result = await askById(context, payment, seal);
  const { contentKey } = result ?? {};
  if (contentKey === undefined) throw new TuppenceError("seal_mismatch");
  await changePayment(context, payment.id, (row) =>
    row.state === "paid" ? { ...row, contentKey, contentKeySeal: seal } : row,
  );
  return contentKey;
}

async function findBought(
  context: Context,
  merchant: string,
  resource: string,
  sender: PageSender,
): Promise<PaymentRow | undefined> {
  const payments = await context.store.read((tables) =>
    tables.payments.where("resourceKey", resourceKeyOf(merchant, resource)),
  );
  return payments.find(
    (payment) => payment.state === "paid" && payment.order.kind === "article" && mayShow(payment, sender),
  );
}
