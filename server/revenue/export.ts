/**
 * Everything that ever moved a merchant's money, as CSV, in the order in which it moved: payments, refunds, fees, payouts.
 * The rows add up to the merchant's balance. It is read a page at a time and written as it is read.
 */
import { subtract, ZERO } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { paymentGroupId, paymentSubjectOf, REFUND_CODES, readRefund } from "../payments/index.ts";
import { csvHead, csvMovement, type PaymentLine, readPaymentLines } from "../settlement/index.ts";

/** Below it, a piece costs more to hand on than to write. */
const PIECE_CHARACTERS = 65_536;
/** Far fewer than payments. */
const PAGE_DEBITS = 500;

export async function* exportMovements(
  ledger: Ledger,
  merchant: string,
  currency: string,
): AsyncGenerator<string> {
  let piece = csvHead("reason");
  for await (const row of rowsOf(ledger, merchant, currency)) {
    piece += row;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Payments and debits are each in order; of the two next ones the older comes first. */
async function* rowsOf(ledger: Ledger, merchant: string, currency: string): AsyncGenerator<string> {
  const debits = readAllTransfers(ledger, { account: merchantAccount(merchant), side: "debit" }, PAGE_DEBITS);
  let debit = await debits.next();
  const everything = { afterSequence: 0, upToSequence: Number.MAX_SAFE_INTEGER };
  for await (const line of readPaymentLines(ledger, merchant, everything)) {
    while (!debit.done && debit.value.sequence < line.sequence) {
      yield await debitRow(ledger, debit.value, currency);
      debit = await debits.next();
    }
    yield paymentRow(line, currency);
  }
  while (!debit.done) {
    yield await debitRow(ledger, debit.value, currency);
    debit = await debits.next();
  }
}

function paymentRow({ paymentId: id, paidAt, amount, record }: PaymentLine, currency: string): string {
  const { resource, kind } = record;
  return csvMovement({ type: "payment", time: isoTime(paidAt), id, resource, kind, currency, amount }, "");
}

async function debitRow(
  ledger: Ledger,
  { code: type, timestamp, reference: id, amount }: PostedTransfer,
  currency: string,
): Promise<string> {
  const row = { type, time: isoTime(timestamp), id, currency, amount: subtract(ZERO, amount) };
  if (!REFUND_CODES.includes(type)) return csvMovement(row, "");
  const group = await ledger.group(paymentGroupId(id));
  if (!group) throw new Error(`payment ${id} was refunded and never made`);
  const { reason = "" } = (await readRefund(ledger, id)) ?? {};
  return csvMovement({ ...row, ...paymentSubjectOf(group, id) }, reason);
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
