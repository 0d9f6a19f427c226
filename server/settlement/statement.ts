/**
 * The statement of a settlement: every payment and refund it covers, and how they become the payout. It is read from
 * the ledger each time, so it cannot differ from what was paid. The signed rows of the CSV add up to its last one:
 *
 *   carry-forward in + payments − refunds − fee − payout = carry-forward out
 */
import { add, MICROS_PER_UNIT, type Micros, subtract } from "../../shared/money.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Merchant } from "../merchants/index.ts";
import { readPaymentLines, totalOf } from "./lines.ts";
import { MAX_PAYMENTS_PER_SETTLEMENT } from "./settle.ts";
import { readSettlement, type Settlement, settlementId, settlementJson } from "./settlement.ts";

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
  readonly lines: readonly StatementLine[];
}

export async function readStatement(
  ledger: Ledger,
  merchant: Pick<Merchant, "id" | "name">,
  number: number,
): Promise<Statement | undefined> {
  const settlement = await readSettlement(ledger, merchant.id, number);
  if (!settlement) return undefined;
  const payments = await readPaymentLines(ledger, merchant.id, settlement, MAX_PAYMENTS_PER_SETTLEMENT);
  const refunds = payments.filter((line) => line.refundedAt !== undefined);
  const lines: StatementLine[] = [];
  for (const { paymentId: id, paidAt, amount, record } of payments) {
    lines.push({
      type: "payment",
      time: isoTime(paidAt),
      id,
      resource: record.resource,
      kind: record.kind,
      amount,
    });
  }
  for (const { paymentId: id, refundedAt, amount, record } of refunds) {
    lines.push({
      type: "refund",
      time: isoTime(refundedAt ?? 0),
      id,
      resource: record.resource,
      kind: record.kind,
      amount,
    });
  }
  const { carryForwardIn, fee, payout, carryForwardOut } = settlement;
  const left = subtract(subtract(add(carryForwardIn, totalOf(payments)), totalOf(refunds)), add(fee, payout));
  if (left !== carryForwardOut)
    throw new Error(
      `statement ${settlementId(merchant.id, number)}: ${left} is left over, ${carryForwardOut} was carried forward`,
    );
  return { id: settlementId(merchant.id, number), merchantName: merchant.name, settlement, lines };
}

export function statementJson({ id, merchantName, settlement, lines }: Statement) {
  return {
    id,
    merchantName,
    closed: isoTime(settlement.closedAt),
    ...settlementJson(settlement),
    lines: lines.map((line) => ({ ...line, amount: line.amount.toString() })),
  };
}

/** RFC 4180. Amounts signed, in micros and in the major unit. */
export function statementCsv({ id, settlement, lines }: Statement): string {
  const { currency, carryForwardIn, fee, payout, carryForwardOut } = settlement;
  const closed = isoTime(settlement.closedAt);
  const sum = (type: string, amount: Micros) => [
    type,
    closed,
    id,
    "",
    "",
    currency,
    amount.toString(),
    decimal(amount),
  ];
  const rows = [
    ["type", "time", "id", "resource", "kind", "currency", "amount_micros", "amount"],
    sum("carry_forward_in", carryForwardIn),
    ...lines.map(({ type, time, id: payment, resource, kind, amount }) => {
      const signed = type === "refund" ? negative(amount) : amount;
      return [type, time, payment, resource, kind, currency, signed.toString(), decimal(signed)];
    }),
    sum("fee", negative(fee)),
    sum("payout", negative(payout)),
    sum("carry_forward_out", carryForwardOut),
  ];
  return rows.map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/** An address is chosen by a stranger: what a spreadsheet would take for a formula becomes text. Our own amounts stay numbers. */
export function csvField(value: string): string {
  const isAmount = /^-?[0-9]+(\.[0-9]+)?$/.test(value);
  const safe = !isAmount && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function negative(amount: Micros): Micros {
  return subtract(subtract(amount, amount), amount);
}

/** Exact, with all six decimals, as a bookkeeping program reads it. */
function decimal(amount: Micros): string {
  const value = amount < 0n ? -amount : amount;
  return `${amount < 0n ? "-" : ""}${value / MICROS_PER_UNIT}.${(value % MICROS_PER_UNIT).toString().padStart(6, "0")}`;
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
