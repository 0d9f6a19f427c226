/** A merchant's payments, read from the ledger in the order in which they were made. */
import { add, type Micros, ZERO } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import {
  decodePaymentRecord,
  type PaymentRecord,
  paymentKey,
  refundGroupId,
  refundKey,
} from "../payments/index.ts";

export interface PaymentLine {
  readonly paymentId: string;
  /** Milliseconds since 1970. */
  readonly paidAt: number;
  readonly amount: Micros;
  readonly record: PaymentRecord;
  /** Of the payment's last transfer to the merchant. */
  readonly sequence: number;
  /** Milliseconds; undefined if the payment was not refunded. */
  readonly refundedAt: number | undefined;
}

export interface LineRange {
  readonly afterSequence: number;
  readonly upToSequence?: number;
}

/** The ledger answers at most this many transfers at once. */
const PAGE_TRANSFERS = 10_000;

/** At most about `most` payments, never a part of one. */
export async function readPaymentLines(
  ledger: Ledger,
  merchant: string,
  range: LineRange,
  most: number,
): Promise<PaymentLine[]> {
  const lines: PaymentLine[] = [];
  let afterSequence = range.afterSequence;
  for (;;) {
    const page = await ledger.transfers({
      account: merchantAccount(merchant),
      side: "credit",
      codes: ["payment"],
      afterSequence,
      ...(range.upToSequence === undefined ? {} : { upToSequence: range.upToSequence }),
      limit: PAGE_TRANSFERS,
    });
    const isLastPage = page.length < PAGE_TRANSFERS;
    const payments = groupByPayment(page);
    // The last payment of a full page may go on in the next one, so it is read again from there.
    if (!isLastPage) payments.pop();
    lines.push(...(await addRecords(ledger, payments)));
    if (isLastPage || lines.length >= most) return lines.slice(0, most);
    afterSequence = lines.at(-1)?.sequence ?? afterSequence;
  }
}

/** The transfers of a payment are committed together, so they stand side by side. */
function groupByPayment(transfers: readonly PostedTransfer[]): PostedTransfer[][] {
  const payments: PostedTransfer[][] = [];
  for (const transfer of transfers) {
    const last = payments.at(-1);
    if (last?.[0]?.groupId === transfer.groupId) last.push(transfer);
    else payments.push([transfer]);
  }
  return payments;
}

async function addRecords(
  ledger: Ledger,
  payments: readonly (readonly PostedTransfer[])[],
): Promise<PaymentLine[]> {
  const ids = payments.map((transfers) => transfers[0]?.reference ?? "");
  const records = await ledger.records(ids.map(paymentKey));
  const refunds = await ledger.records(ids.map(refundKey));
  const lines: PaymentLine[] = [];
  for (const [index, transfers] of payments.entries()) {
    const paymentId = ids[index] ?? "";
    const last = transfers.at(-1);
    const value = records.get(paymentKey(paymentId));
    if (!last || value === undefined) throw new Error(`payment ${paymentId} has no record`);
    const record = decodePaymentRecord(value);
    const amount = add(...transfers.map((transfer) => transfer.amount));
    if (amount !== record.amount)
      throw new Error(`payment ${paymentId} moved ${amount} for a record of ${record.amount}`);
    const refund = refunds.has(refundKey(paymentId))
      ? await ledger.group(refundGroupId(paymentId))
      : undefined;
    lines.push({
      paymentId,
      paidAt: last.timestamp,
      amount,
      record,
      sequence: last.sequence,
      refundedAt: refund?.timestamp,
    });
  }
  return lines;
}

export function totalOf(lines: readonly PaymentLine[]): Micros {
  return lines.reduce((total, line) => add(total, line.amount), ZERO);
}
