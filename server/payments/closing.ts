/**
 * The closing of refund windows. A settlement pays out payments whose windows have closed, so from then on no refund
 * may be committed, whatever the clocks of several processes say. Both sides meet in one record, `closing:<merchant>:<n>`:
 *
 * - A settlement first commits the closing: up to which transfer, at which time. Only after that it adds up, so what it
 *   adds up can no longer change, and whoever settles the same closing again gets the same sums.
 * - A refund reads the last closing, is refused if its window ended by then, and is committed on the condition that
 *   there is no further closing yet.
 *
 * The numbers of a merchant's closings are 1, 2, 3, … without a gap.
 */
import * as v from "valibot";
import { amount } from "../../shared/protocol/fields.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const Closing = v.object({
  /** Every payment up to this transfer is covered. */
  upToSequence: whole,
  /** Milliseconds since 1970. All windows of what is covered ended by then. */
  closedAt: whole,
  /** The late refunds up to this number are paid, as far as the money reaches, and all up to that that nobody fetched (`in-line.ts`). */
  upToLateRefund: v.optional(whole, 0),
  upToUncollected: v.optional(whole, 0),
  /** What the settlement follows, fixed here, so that it comes out the same whoever finishes it, and when. */
  terms: v.object({
    feeBasisPoints: whole,
    payoutMinimum: amount,
    /** A new merchant's first payout waits. */
    isPayoutHeld: v.boolean(),
  }),
});
export type Closing = v.InferOutput<typeof Closing>;

export interface NumberedClosing extends Closing {
  readonly number: number;
}

export const closingKey = (merchantId: string, number: number): string => `closing:${merchantId}:${number}`;

/** The group that commits it: its time is when the last refund may have been committed. */
export const closingGroupId = (merchantId: string, number: number): string =>
  deriveId("closing", merchantId, String(number));

export function encodeClosing(closing: Closing): string {
  const { feeBasisPoints, payoutMinimum, isPayoutHeld } = closing.terms;
  const json: v.InferInput<typeof Closing> = {
    ...closing,
    terms: { feeBasisPoints, payoutMinimum: payoutMinimum.toString(), isPayoutHeld },
  };
  return JSON.stringify(json);
}

export async function readClosing(
  ledger: Ledger,
  merchantId: string,
  number: number,
): Promise<NumberedClosing | undefined> {
  const value = await ledger.record(closingKey(merchantId, number));
  return value === undefined ? undefined : { number, ...v.parse(Closing, JSON.parse(value)) };
}

export async function latestClosing(
  ledger: Ledger,
  merchantId: string,
): Promise<NumberedClosing | undefined> {
  const number = await lastNumber(ledger, (at) => closingKey(merchantId, at));
  return number === 0 ? undefined : readClosing(ledger, merchantId, number);
}

/** Of records that are numbered 1, 2, 3, … without a gap; 0 if there is none. */
export async function lastNumber(ledger: Ledger, keyOf: (number: number) => string): Promise<number> {
  const found = new Set<number>();
  for (const powers of POWERS_ASKED) {
    const records = await ledger.records(powers.map(keyOf));
    for (const number of powers) if (records.has(keyOf(number))) found.add(number);
    if (records.size < powers.length) break;
  }
  // Without gaps, so the last one lies between the largest power that exists and the next.
  let exists = Math.max(0, ...found);
  let missing = exists === 0 ? 1 : exists * 2;
  while (missing - exists > 1) {
    const middle = Math.floor((exists + missing) / 2);
    if ((await ledger.record(keyOf(middle))) === undefined) missing = middle;
    else exists = middle;
  }
  return exists;
}

/** Whether the closing covers the payment. Times decide, but for payments of the very millisecond in which it ends. */
export async function isCovered(
  ledger: Ledger,
  { upToSequence }: Pick<Closing, "upToSequence">,
  {
    paymentId,
    merchant,
    paidAt,
  }: { readonly paymentId: string; readonly merchant: string; readonly paidAt: number },
): Promise<boolean> {
  if (upToSequence === 0) return false;
  const payments = { account: merchantAccount(merchant), side: "credit", codes: ["payment"] } as const;
  const [last] = await ledger.transfers({ ...payments, afterSequence: upToSequence - 1, limit: 1 });
  if (last?.sequence !== upToSequence)
    throw new Error(`transfer ${upToSequence} is no payment to ${merchant}`);
  if (paidAt !== last.timestamp) return paidAt < last.timestamp;
  for await (const { reference, timestamp } of readAllTransfers(
    ledger,
    { ...payments, afterSequence: upToSequence },
    PAGE_TRANSFERS,
  )) {
    if (timestamp > paidAt) break;
    if (reference === paymentId) return false;
  }
  return true;
}

/** Of one millisecond: hardly ever more than a few. */
const PAGE_TRANSFERS = 500;

/** At once; most merchants have few closings. The last is for two million: one a minute for four years. */
const POWERS_ASKED: readonly (readonly number[])[] = [
  [1, 2, 4, 8, 16],
  [32, 64, 128, 256, 512],
  Array.from({ length: 11 }, (_, power) => 2 ** (power + 10)),
];

/** When a payment can no longer be taken back, milliseconds. `paidAt` is the ledger's timestamp. */
export function refundWindowEnd(paidAt: number, refundWindowSeconds: number): number {
  return paidAt + refundWindowSeconds * 1_000;
}
