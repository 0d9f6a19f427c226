/** A merchant's payments, newest first, and whether each was taken back: read from the ledger, nothing is kept of it. */
import type { PaymentPage, PaymentsQuery } from "../../shared/protocol/revenue.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import { paymentRecordOf, readRefunds } from "../payments/index.ts";

/** Most payments are a coin or two. */
const TRANSFERS_AT_ONCE = 500;

export async function latestPayments(
  ledger: Ledger,
  merchant: string,
  query: PaymentsQuery,
): Promise<Pick<PaymentPage, "payments" | "hasMore">> {
  const found = await newestGroups(ledger, merchant, query);
  const payments = found.slice(0, query.limit);
  const groups = await ledger.groups(payments.map(({ groupId }) => groupId));
  const refunds = await readRefunds(
    ledger,
    payments.map(({ reference }) => reference),
  );
  return {
    payments: payments.map(({ groupId, reference, sequence, timestamp }) => {
      const group = groups.get(groupId);
      if (!group) throw new Error(`payment ${reference} has no group`);
      const { resource, kind, amount } = paymentRecordOf(group, reference);
      return {
        id: reference,
        sequence,
        paidAt: timestamp,
        resource,
        kind,
        amount: amount.toString(),
        ...(refunds.get(reference) ?? { refundedAt: null, refund: null }),
      };
    }),
    hasMore: found.length > query.limit,
  };
}

/** The first transfer of each payment, which is its place: what comes before it is of other payments. One more than asked for. */
async function newestGroups(
  ledger: Ledger,
  merchant: string,
  { before, limit }: PaymentsQuery,
): Promise<PostedTransfer[]> {
  const found: PostedTransfer[] = [];
  let upToSequence = before === undefined ? undefined : before - 1;
  for (;;) {
    const page = await ledger.transfers({
      account: merchantAccount(merchant),
      side: "credit",
      codes: ["payment"],
      order: "newest_first",
      ...(upToSequence === undefined ? {} : { upToSequence }),
      limit: TRANSFERS_AT_ONCE,
    });
    for (const transfer of page) {
      if (found.at(-1)?.groupId === transfer.groupId) found.pop();
      found.push(transfer);
      // The one too many is not whole yet, and need not be.
      if (found.length > limit) return found;
    }
    const last = page.at(-1);
    if (!last || page.length < TRANSFERS_AT_ONCE) return found;
    upToSequence = last.sequence - 1;
  }
}
