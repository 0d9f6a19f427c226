/** What of a top-up stands in the ledger, committed with the money. */
import * as v from "valibot";
import { amount, id128, thumbprint } from "../../shared/protocol/fields.ts";

/** Written when it is paid. `finalAt` in milliseconds since 1970. */
export const PaidRecord = v.object({ account: thumbprint, amount, finalAt: v.number() });
export type PaidRecord = v.InferOutput<typeof PaidRecord>;

export const paidKey = (topUpId: string): string => `topup:${topUpId}`;
/** Written when it stops to be provisional: final, or charged back. Whichever comes first. */
export const provisionalEndKey = (topUpId: string): string => `topup_provisional_end:${topUpId}`;
export const chargedBackKey = (topUpId: string): string => `topup_charged_back:${topUpId}`;

export function writePaidRecord(record: PaidRecord): string {
  return JSON.stringify({ ...record, amount: record.amount.toString() });
}

export function readPaidRecord(value: string): PaidRecord {
  return v.parse(PaidRecord, JSON.parse(value));
}

export const TopUpId = id128;
