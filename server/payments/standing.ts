/** What became of payments that were given back, for their merchant. */
import type { PaymentPage } from "../../shared/protocol/revenue.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  askedKey,
  collectionKey,
  decodeAskedRecord,
  decodeCollectionRecord,
  decodeRefundRecord,
  lateRefundGroupId,
  refundGroupId,
  refundKey,
} from "./record.ts";

type Standing = Pick<PaymentPage["payments"][number], "refundedAt" | "refund">;

/** By payment; nothing of those that nobody gave back. */
export async function readRefunds(
  ledger: Ledger,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const late = await ledger.groups(paymentIds.map(lateRefundGroupId));
  const refunds = await ledger.records(paymentIds.map(refundKey));
  const groups = await ledger.groups(paymentIds.map(refundGroupId));
  const collections = await ledger.records(paymentIds.map(collectionKey));
  const asked = await ledger.records(paymentIds.map(askedKey));
  const found = new Map<string, Standing>();
  for (const id of paymentIds) {
    const value = refunds.get(refundKey(id));
    const askedValue = asked.get(askedKey(id));
    if (value === undefined) {
      if (late.has(lateRefundGroupId(id)))
        found.set(id, { refundedAt: null, refund: { state: "waiting", givenBy: "merchant", reason: null } });
      else if (askedValue !== undefined) {
        const { reason } = decodeAskedRecord(askedValue);
        found.set(id, { refundedAt: null, refund: { state: "asked", givenBy: "reader", reason } });
      }
      continue;
    }
    const { givenBy, reason = null, givenAt } = decodeRefundRecord(value);
    found.set(id, {
      refundedAt: givenAt ?? groups.get(refundGroupId(id))?.timestamp ?? null,
      refund: {
        state: givenBy === "reader" ? "returned" : stateOf(collections.get(collectionKey(id))),
        givenBy,
        reason,
      },
    });
  }
  return found;
}

function stateOf(collection: string | undefined): "granted" | "returned" | "uncollected" {
  if (collection === undefined) return "granted";
  return decodeCollectionRecord(collection).isFetched ? "returned" : "uncollected";
}
