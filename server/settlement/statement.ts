/**
 * The statement of a settlement: every payment and refund it covers, and how they become the payout. It is read from
 * the ledger each time, line by line, so it cannot differ from what was paid. All of it adds up:
 *
 *   carry-forward in + payments − refunds − late refunds + uncollected − fee − payout = carry-forward out
 */
import { add, subtract, ZERO } from "../../shared/money.ts";
import { type Settlement, type StatementLine, settlementId } from "../../shared/statement.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Merchant } from "../merchants/index.ts";
import { type InLine, readInLine, readPayment, uncollectedGroupId } from "../payments/index.ts";
import { type PaymentLine, readPaymentLines } from "./lines.ts";
import { readSettlement } from "./settlement.ts";
import { readRefunds } from "./sums.ts";

export interface Statement {
  readonly id: string;
  readonly merchantName: string;
  readonly settlement: Settlement;
  /** Payments, refunds, late refunds, what nobody fetched. Ends with an Error if they do not add up to the settlement. */
  readonly lines: () => AsyncGenerator<StatementLine>;
}

export async function readStatement(
  ledger: Ledger,
  merchant: Pick<Merchant, "id" | "name">,
  number: number,
): Promise<Statement | undefined> {
  const settlement = await readSettlement(ledger, merchant.id, number);
  return (
    settlement && {
      id: settlementId(merchant.id, number),
      merchantName: merchant.name,
      settlement,
      lines: () => readLines(ledger, settlement),
    }
  );
}

async function* readLines(ledger: Ledger, settlement: Settlement): AsyncGenerator<StatementLine> {
  const { merchant, number, carryForwardIn, fee, payout, carryForwardOut } = settlement;
  const refunds = await readRefunds(ledger, merchant, { ...settlement, closing: number });
  const refunded: StatementLine[] = [];
  let left = carryForwardIn;
  for await (const line of readPaymentLines(ledger, merchant, settlement)) {
    yield { type: "payment", ...movedBy(line, line.paidAt), holder: line.record.holder };
    left = add(left, line.amount);
    const refund = refunds.get(line.paymentId);
    if (refund) refunded.push({ type: "refund", ...movedBy(line, refund.refundedAt) });
  }
  yield* refunded;
  for await (const late of readLateLines(ledger, settlement)) {
    yield late;
    left = subtract(left, late.amount);
  }
  for await (const back of readUncollectedLines(ledger, settlement)) {
    yield back;
    left = add(left, back.amount);
  }
  const returned = refunded.reduce((total, { amount }) => add(total, amount), ZERO);
  left = subtract(left, add(returned, fee, payout));
  if (left !== carryForwardOut)
    throw new Error(
      `statement ${settlementId(merchant, number)}: ${left} is left over, ${carryForwardOut} was carried forward`,
    );
}

async function* readLateLines(
  ledger: Ledger,
  { merchant, closedAt, upToLateRefund: upTo, lateRefundCount: count }: Settlement,
): AsyncGenerator<StatementLine> {
  for (const late of await readInLine(ledger, "late-refund", merchant, upTo - count, upTo))
    yield { type: "late_refund", ...movedBy({ ...late, record: await recordOf(ledger, late) }, closedAt) };
}

async function* readUncollectedLines(
  ledger: Ledger,
  { merchant, upToUncollected: upTo, uncollectedCount: count }: Settlement,
): AsyncGenerator<StatementLine> {
  for (const back of await readInLine(ledger, "uncollected", merchant, upTo - count, upTo)) {
    const group = await ledger.group(uncollectedGroupId(back.paymentId));
    if (!group) throw new Error(`refund of ${back.paymentId} came back without its group`);
    const line = { ...back, record: await recordOf(ledger, back) };
    yield { type: "uncollected_refund", ...movedBy(line, group.timestamp) };
  }
}

async function recordOf(ledger: Ledger, { paymentId }: InLine): Promise<PaymentLine["record"]> {
  const paid = await readPayment(ledger, paymentId);
  if (!paid) throw new Error(`payment ${paymentId} was refunded and never made`);
  return paid.record;
}

function movedBy(
  { paymentId: id, amount, record: { resource, kind } }: Pick<PaymentLine, "paymentId" | "amount" | "record">,
  at: number,
) {
  return { time: isoTime(at), id, resource, kind, amount };
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
