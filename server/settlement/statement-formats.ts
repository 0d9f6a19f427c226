/** How statements are written, piece by piece, so that nobody holds a whole one. */
import { MICROS_PER_UNIT, type Micros, subtract } from "../../shared/money.ts";
import { type StatementLine, settlementJson } from "../../shared/statement.ts";
import type { Mode } from "../config.ts";
import { isoTime } from "./statement.ts";
import type { SignedStatement } from "./statement-root.ts";

export interface StatementFormat {
  head(statement: SignedStatement): string;
  line(statement: SignedStatement, line: StatementLine, index: number): string;
  end(statement: SignedStatement): string;
}

/** Below it, a piece costs more to hand on than to write. */
const PIECE_CHARACTERS = 65_536;

export async function* formatStatement(
  statement: SignedStatement,
  format: StatementFormat,
): AsyncGenerator<string> {
  let piece = format.head(statement);
  let index = 0;
  for await (const line of statement.lines()) {
    piece += format.line(statement, line, index);
    index += 1;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  yield piece + format.end(statement);
}

/** RFC 4180. Amounts signed, in micros and in the major unit; the rows but the last add up to the last. */
export const STATEMENT_CSV: StatementFormat = {
  head: (statement) =>
    csvHead(statement.mode) + csvSum(statement, "carry_forward_in", statement.settlement.carryForwardIn),
  line: ({ settlement: { currency }, mode }, line) =>
    csvMovement(mode, { ...line, currency, amount: comesIn(line) ? line.amount : negative(line.amount) }),
  end(statement) {
    const { fee, payout, carryForwardOut } = statement.settlement;
    return (
      csvSum(statement, "fee", negative(fee)) +
      csvSum(statement, "payout", negative(payout)) +
      csvSum(statement, "carry_forward_out", carryForwardOut)
    );
  },
};

/** `StatementFile` of `shared/statement.ts`: the settlement's members, the signed root, and the lines, one a row. */
export const STATEMENT_JSON: StatementFormat = {
  head({ id, merchantName, mode, settlement, signedRoot }) {
    const closed = isoTime(settlement.closedAt);
    const members = {
      id,
      merchantName,
      ...(mode === "test" ? { mode } : {}),
      closed,
      ...settlementJson(settlement),
      signedRoot,
    };
    return `${JSON.stringify(members, undefined, 2).slice(0, -"\n}".length)},\n  "lines": [`;
  },
  line: (_, line, index) =>
    `${index === 0 ? "" : ","}\n    ${JSON.stringify({ ...line, amount: line.amount.toString() })}`,
  end: () => "\n  ]\n}\n",
};

function csvSum(
  { id, mode, settlement: { currency, closedAt } }: SignedStatement,
  type: string,
  amount: Micros,
): string {
  return csvMovement(mode, { type, time: isoTime(closedAt), id, currency, amount });
}

/** In test mode each row says so, in a column of its own: a file that is cut or joined still does. @param more names of further columns */
export function csvHead(mode: Mode, ...more: readonly string[]): string {
  return csvRow([
    "type",
    "time",
    "id",
    "resource",
    "kind",
    "currency",
    "amount_micros",
    "amount",
    ...more,
    ...(mode === "test" ? ["mode"] : []),
  ]);
}

/** @param movement its amount with its sign  @param more for further columns */
export function csvMovement(
  mode: Mode,
  movement: {
    readonly type: string;
    readonly time: string;
    readonly id: string;
    readonly resource?: string;
    readonly kind?: string;
    readonly currency: string;
    readonly amount: Micros;
  },
  ...more: readonly string[]
): string {
  const { type, time, id, resource = "", kind = "", currency, amount } = movement;
  return csvRow([
    type,
    time,
    id,
    resource,
    kind,
    currency,
    amount.toString(),
    decimal(amount),
    ...more,
    ...(mode === "test" ? [mode] : []),
  ]);
}

function csvRow(fields: readonly string[]): string {
  return `${fields.map(csvField).join(",")}\r\n`;
}

/** An address is chosen by a stranger: what a spreadsheet would take for a formula becomes text. Our own amounts stay numbers. */
export function csvField(value: string): string {
  const isAmount = /^-?[0-9]+(\.[0-9]+)?$/.test(value);
  const safe = !isAmount && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function comesIn({ type }: StatementLine): boolean {
  return type === "payment" || type === "uncollected_refund";
}

function negative(amount: Micros): Micros {
  return subtract(subtract(amount, amount), amount);
}

/** Exact, with all six decimals, as a bookkeeping program reads it. */
function decimal(amount: Micros): string {
  const value = amount < 0n ? -amount : amount;
  return `${amount < 0n ? "-" : ""}${value / MICROS_PER_UNIT}.${(value % MICROS_PER_UNIT).toString().padStart(6, "0")}`;
}
