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
import { deriveId } from "../ledger/ids.ts";
import type { Ledger } from "../ledger/ledger.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const Closing = v.object({
  /** Every payment up to this transfer is covered. */
  upToSequence: whole,
  /** Milliseconds since 1970. All windows of what is covered ended by then. */
  closedAt: whole,
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
  const found = new Set<number>();
  for (const powers of POWERS_ASKED) {
    const records = await ledger.records(powers.map((number) => closingKey(merchantId, number)));
    for (const number of powers) if (records.has(closingKey(merchantId, number))) found.add(number);
    if (records.size < powers.length) break;
  }
  // Without gaps, so the last one lies between the largest power that exists and the next.
  let exists = Math.max(0, ...found);
  let missing = exists === 0 ? 1 : exists * 2;
  while (missing - exists > 1) {
    const middle = Math.floor((exists + missing) / 2);
    if ((await ledger.record(closingKey(merchantId, middle))) === undefined) missing = middle;
    else exists = middle;
  }
  return exists === 0 ? undefined : readClosing(ledger, merchantId, exists);
}

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
