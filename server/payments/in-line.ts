/**
 * What the next settlements have to take along beside payments, numbered 1, 2, 3, … without a gap for each merchant, so that a
 * closing says by one number how far it goes (`<kind>:<merchant>:<n>`).
 */
import * as v from "valibot";
import type { Micros } from "../../shared/money.ts";
import { id128, positiveAmount } from "../../shared/protocol/fields.ts";
import type { Ledger, LedgerRecord } from "../ledger/ledger.ts";
import { lastNumber } from "./closing.ts";

export type LineKind = "late-refund" | "uncollected";

const Entry = v.object({ paymentId: id128, amount: positiveAmount });
export interface InLine {
  readonly number: number;
  readonly paymentId: string;
  readonly amount: Micros;
}

/** Of each kind a settlement takes no more, so that its group stays small. What is beyond waits for the next. */
export const MAX_IN_LINE_PER_SETTLEMENT = 200;

const keyOf = (kind: LineKind, merchant: string, number: number): string => `${kind}:${merchant}:${number}`;

/** At the end of the line: for a group that is rejected with `record_exists` where another was first. */
export async function nextInLine(
  ledger: Ledger,
  kind: LineKind,
  merchant: string,
  { paymentId, amount }: Pick<InLine, "paymentId" | "amount">,
): Promise<LedgerRecord> {
  const number = (await lastNumber(ledger, (at) => keyOf(kind, merchant, at))) + 1;
  const json: v.InferInput<typeof Entry> = { paymentId, amount: amount.toString() };
  return { key: keyOf(kind, merchant, number), value: JSON.stringify(json) };
}

/** Those after this number, in order; at most as many as one settlement takes. */
export async function readInLine(
  ledger: Ledger,
  kind: LineKind,
  merchant: string,
  afterNumber: number,
  upToNumber = Number.MAX_SAFE_INTEGER,
): Promise<InLine[]> {
  const most = Math.min(MAX_IN_LINE_PER_SETTLEMENT, upToNumber - afterNumber);
  const numbers = Array.from({ length: most }, (_, index) => afterNumber + 1 + index);
  const records = await ledger.records(numbers.map((number) => keyOf(kind, merchant, number)));
  const found: InLine[] = [];
  for (const number of numbers) {
    const value = records.get(keyOf(kind, merchant, number));
    if (value === undefined) break;
    found.push({ number, ...v.parse(Entry, JSON.parse(value)) });
  }
  return found;
}
