/**
 * Late refunds: of payments that were settled before their merchant gave them back. Their money has left, so they wait for
 * a settlement that can pay them: numbered 1, 2, 3, … per merchant under `late-refund:<merchant>:<n>`, paid in this order,
 * each whole or not yet; until then the merchant is paid nothing. A reader has the receipt until then.
 */
import * as v from "valibot";
import type { Micros } from "../../shared/money.ts";
import { id128, positiveAmount } from "../../shared/protocol/fields.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Group, Ledger } from "../ledger/ledger.ts";
import { lastNumber } from "./closing.ts";

const LateRefundRecord = v.object({ paymentId: id128, amount: positiveAmount });
export interface LateRefund {
  readonly number: number;
  readonly paymentId: string;
  readonly amount: Micros;
}

/** One settlement pays no more, so that its group stays small. What is beyond waits for the next. */
export const MAX_LATE_REFUNDS_PER_SETTLEMENT = 200;

export const lateRefundGroupId = (paymentId: string): string => deriveId("late refund", paymentId);

const keyOf = (merchant: string, number: number): string => `late-refund:${merchant}:${number}`;

/** The group that puts it at the end of the line, which moves no money yet. */
export async function lateRefundGroup(
  ledger: Ledger,
  merchant: string,
  { paymentId, amount }: Pick<LateRefund, "paymentId" | "amount">,
): Promise<Group> {
  const number = (await lastNumber(ledger, (at) => keyOf(merchant, at))) + 1;
  const json: v.InferInput<typeof LateRefundRecord> = { paymentId, amount: amount.toString() };
  return {
    id: lateRefundGroupId(paymentId),
    fingerprint: "late refund",
    transfers: [],
    records: [{ key: keyOf(merchant, number), value: JSON.stringify(json) }],
  };
}

/** Those after this number, in order; at most as many as one settlement pays. */
export async function readLateRefunds(
  ledger: Ledger,
  merchant: string,
  afterNumber: number,
  upToNumber = Number.MAX_SAFE_INTEGER,
): Promise<LateRefund[]> {
  const most = Math.min(MAX_LATE_REFUNDS_PER_SETTLEMENT, upToNumber - afterNumber);
  const numbers = Array.from({ length: most }, (_, index) => afterNumber + 1 + index);
  const records = await ledger.records(numbers.map((number) => keyOf(merchant, number)));
  const found: LateRefund[] = [];
  for (const number of numbers) {
    const value = records.get(keyOf(merchant, number));
    if (value === undefined) break;
    found.push({ number, ...v.parse(LateRefundRecord, JSON.parse(value)) });
  }
  return found;
}
