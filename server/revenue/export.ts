/**
 * Everything that ever moved a merchant's money, as CSV, in the order in which it moved: payments, refunds, fees, payouts.
 * The rows add up to the merchant's balance. It is read a page at a time and written as it is read.
 */
import { subtract, ZERO } from "../../shared/money.ts";
import type { Config } from "../config.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { AccountName, Ledger, PostedTransfer, TransferCode } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { paymentGroupId, paymentSubjectOf, REFUND_CODES, readRefund } from "../payments/index.ts";
import { csvHead, csvMovement, type PaymentLine, readPaymentLines } from "../settlement/index.ts";

/** Below it, a piece costs more to hand on than to write. */
const PIECE_CHARACTERS = 65_536;
/** Far fewer than payments. */
const PAGE_OTHERS = 500;

type Terms = Pick<Config, "currency" | "mode">;

export async function* exportMovements(
  ledger: Ledger,
  merchant: string,
  terms: Terms,
): AsyncGenerator<string> {
  let piece = csvHead(terms.mode, "reason");
  for await (const row of rowsOf(ledger, merchant, terms)) {
    piece += row;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Payments and what else moved are each in order; of the two next ones the older comes first. */
async function* rowsOf(ledger: Ledger, merchant: string, terms: Terms): AsyncGenerator<string> {
  const others = readOthers(ledger, merchantAccount(merchant));
  let other = await others.next();
  const everything = { afterSequence: 0, upToSequence: Number.MAX_SAFE_INTEGER };
  for await (const line of readPaymentLines(ledger, merchant, everything)) {
    while (!other.done && other.value.sequence < line.sequence) {
      yield await otherRow(ledger, merchant, other.value, terms);
      other = await others.next();
    }
    yield paymentRow(line, terms);
  }
  while (!other.done) {
    yield await otherRow(ledger, merchant, other.value, terms);
    other = await others.next();
  }
}

/** What left the account, and what came in beside payments. */
async function* readOthers(ledger: Ledger, account: AccountName): AsyncGenerator<PostedTransfer> {
  const debits = readAllTransfers(ledger, { account, side: "debit" }, PAGE_OTHERS);
  const codes: readonly TransferCode[] = ["refund_uncollected"];
  let debit = await debits.next();
  for await (const credit of readAllTransfers(ledger, { account, side: "credit", codes }, PAGE_OTHERS)) {
    while (!debit.done && debit.value.sequence < credit.sequence) {
      yield debit.value;
      debit = await debits.next();
    }
    yield credit;
  }
  for (; !debit.done; debit = await debits.next()) yield debit.value;
}

function paymentRow(
  { paymentId: id, paidAt, amount, record }: PaymentLine,
  { currency, mode }: Terms,
): string {
  const { resource, kind } = record;
  const row = { type: "payment", time: isoTime(paidAt), id, resource, kind, currency, amount };
  return csvMovement(mode, row, "");
}

async function otherRow(
  ledger: Ledger,
  merchant: string,
  { code: type, timestamp, reference: id, amount: moved, credit }: PostedTransfer,
  { currency, mode }: Terms,
): Promise<string> {
  const amount = credit === merchantAccount(merchant) ? moved : subtract(ZERO, moved);
  const row = { type, time: isoTime(timestamp), id, currency, amount };
  if (!REFUND_CODES.includes(type) && type !== "refund_uncollected") return csvMovement(mode, row, "");
  const group = await ledger.group(paymentGroupId(id));
  if (!group) throw new Error(`payment ${id} was refunded and never made`);
  const { reason = "" } = (await readRefund(ledger, id)) ?? {};
  return csvMovement(mode, { ...row, ...paymentSubjectOf(group, id) }, reason);
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
