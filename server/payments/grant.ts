/**
 * The merchant gives a payment back. The provider cannot make the reader's coins: the blank ones are in the wallet. So the
 * money is set aside (`granted:<merchant>`), and the reader's wallet fetches it as it takes back a payment inside the
 * window. It is the reader's from then on, and the receipt counts no more.
 *
 * Before its settlement a payment is in the merchant's balance, and its money is set aside at once, on the condition
 * that no further closing exists: as with a reader's refund. Afterwards the money has left, and the refund waits in line
 * for the merchant's next settlements, in order, each whole or not yet; until then the merchant is paid nothing. Never is more given than is there, and nothing that readers may still take back.
 */
import { TuppenceError } from "../../shared/errors.ts";
import type { RefundGranted } from "../../shared/protocol/dashboard.ts";
import { grantedAccount, merchantAccount } from "../ledger/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { closingKey, isCovered, latestClosing } from "./closing.ts";
import { nextInLine } from "./in-line.ts";
import {
  encodeRefundRecord,
  lateRefundGroupId,
  type PostedPayment,
  readCollection,
  readPayment,
  readRefund,
  refundGroupId,
  refundKey,
  refundTransferId,
} from "./record.ts";

/** How often it looks again because a settlement, the reader or another grant was first. */
const MAX_OTHERS_MET = 20;

/** Idempotent: asked again, it tells what became of it. @throws TuppenceError payment_unknown, refund_done */
export async function grantRefund(
  { ledger }: { readonly ledger: Ledger },
  merchant: string,
  paymentId: string,
): Promise<RefundGranted> {
  const paid = await readPayment(ledger, paymentId);
  // Another merchant's payments are not told apart from those that there are not.
  if (paid?.record.merchant !== merchant) throw new TuppenceError("payment_unknown");
  for (let met = 0; met < MAX_OTHERS_MET; met++) {
    const state = (await readGrant(ledger, paymentId)) ?? (await give(ledger, paymentId, paid));
    if (state !== undefined) return { paymentId, amount: paid.record.amount.toString(), state };
  }
  throw new TuppenceError("overloaded");
}

/** What is committed. Undefined before anybody gave it back. @throws TuppenceError refund_done where the reader took it */
async function readGrant(ledger: Ledger, paymentId: string): Promise<RefundGranted["state"] | undefined> {
  const refund = await readRefund(ledger, paymentId);
  if (refund?.givenBy === "reader") throw new TuppenceError("refund_done");
  if (refund) {
    const collection = await readCollection(ledger, paymentId);
    return collection === undefined ? "granted" : collection.isFetched ? "collected" : "uncollected";
  }
  return (await ledger.group(lateRefundGroupId(paymentId))) ? "waiting" : undefined;
}

/** Undefined if something was first: then it is judged again. */
async function give(
  ledger: Ledger,
  paymentId: string,
  { record, timestamp }: PostedPayment,
): Promise<RefundGranted["state"] | undefined> {
  const { merchant, amount } = record;
  const closing = await latestClosing(ledger, merchant);
  if (closing && (await isCovered(ledger, closing, { paymentId, merchant, paidAt: timestamp }))) {
    // From the closing on nobody but a settlement gives it back, and that only what stands in line: so this is the last word.
    const state = await readGrant(ledger, paymentId);
    if (state !== undefined) return state;
    await ledger.apply({
      id: lateRefundGroupId(paymentId),
      fingerprint: "late refund",
      transfers: [],
      records: [await nextInLine(ledger, "late-refund", merchant, { paymentId, amount })],
    });
    return undefined;
  }
  await ledger.apply({
    // The one that a reader's refund would have: whoever is first is the only one.
    id: refundGroupId(paymentId),
    fingerprint: "granted",
    transfers: [
      {
        id: refundTransferId(paymentId),
        debit: merchantAccount(merchant),
        credit: grantedAccount(merchant),
        amount,
        code: "refund",
        reference: paymentId,
      },
    ],
    records: [{ key: refundKey(paymentId), value: encodeRefundRecord({ outputs: [], givenBy: "merchant" }) }],
    guards: [{ kind: "absent", key: closingKey(merchant, (closing?.number ?? 0) + 1) }],
  });
  return undefined;
}
