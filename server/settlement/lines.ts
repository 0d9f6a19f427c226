/** A merchant's payments, read from the ledger in the order in which they were made, a page at a time. */
import { add, type Micros } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { type PaymentRecord, paymentRecordOf } from "../payments/index.ts";
import type { Stretch } from "./sums.ts";

export interface PaymentLine {
  readonly paymentId: string;
  /** Of its last transfer. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly paidAt: number;
  readonly amount: Micros;
  readonly record: PaymentRecord;
}

/** Payments whose records are read at once. */
const BATCH_PAYMENTS = 1_000;

/** @throws Error at a payment that has no record, or one of another amount */
export async function* readPaymentLines(
  ledger: Ledger,
  merchant: string,
  stretch: Stretch,
): AsyncGenerator<PaymentLine> {
  let batch: PostedTransfer[][] = [];
  for await (const transfer of readAllTransfers(ledger, {
    account: merchantAccount(merchant),
    side: "credit",
    codes: ["payment"],
    ...stretch,
  })) {
    // The transfers of a payment are committed together, so they stand side by side.
    const last = batch.at(-1);
    if (last?.[0]?.groupId === transfer.groupId) {
      last.push(transfer);
      continue;
    }
    if (batch.length >= BATCH_PAYMENTS) {
      yield* await addRecords(ledger, batch);
      batch = [];
    }
    batch.push([transfer]);
  }
  yield* await addRecords(ledger, batch);
}

async function addRecords(
  ledger: Ledger,
  payments: readonly (readonly PostedTransfer[])[],
): Promise<PaymentLine[]> {
  const groups = await ledger.groups(payments.flatMap(([first]) => (first ? [first.groupId] : [])));
  return payments.map((transfers) => {
    const last = transfers.at(-1);
    const group = groups.get(last?.groupId ?? "");
    if (!last || !group) throw new Error(`payment ${last?.reference} has no group`);
    const paymentId = last.reference;
    const record = paymentRecordOf(group, paymentId);
    const amount = add(...transfers.map((transfer) => transfer.amount));
    if (amount !== record.amount)
      throw new Error(`payment ${paymentId} moved ${amount} for a record of ${record.amount}`);
    return { paymentId, sequence: last.sequence, paidAt: last.timestamp, amount, record };
  });
}
