/**
 * The statement of a settlement: every payment and refund it covers, and how they become the payout. It is read from
 * the ledger each time, line by line, so it cannot differ from what was paid. All of it adds up:
 *
 *   carry-forward in + payments − refunds − fee − payout = carry-forward out
 */
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Merchant } from "../merchants/index.ts";
import { type PaymentLine, readPaymentLines } from "./lines.ts";
import { readSettlement, type Settlement, settlementId } from "./settlement.ts";
import { readRefunds } from "./sums.ts";

export interface StatementLine {
  readonly type: "payment" | "refund";
  /** ISO 8601. */
  readonly time: string;
  /** The payment's id, as in its receipt (`jti`). */
  readonly id: string;
  readonly resource: string;
  readonly kind: string;
  readonly amount: Micros;
}

export interface Statement {
  readonly id: string;
  readonly merchantName: string;
  readonly settlement: Settlement;
  /** Payments, then refunds. Ends with an Error if they do not add up to the settlement. */
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
    yield statementLine("payment", line.paidAt, line);
    left = add(left, line.amount);
    const refund = refunds.get(line.paymentId);
    if (refund) refunded.push(statementLine("refund", refund.refundedAt, line));
  }
  yield* refunded;
  const returned = refunded.reduce((total, { amount }) => add(total, amount), ZERO);
  left = subtract(left, add(returned, fee, payout));
  if (left !== carryForwardOut)
    throw new Error(
      `statement ${settlementId(merchant, number)}: ${left} is left over, ${carryForwardOut} was carried forward`,
    );
}

function statementLine(
  type: StatementLine["type"],
  at: number,
  { paymentId: id, amount, record: { resource, kind } }: PaymentLine,
): StatementLine {
  return { type, time: isoTime(at), id, resource, kind, amount };
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
