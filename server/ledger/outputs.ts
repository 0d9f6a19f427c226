/** The records by which a blinded message is signed at most once, and by which the audit knows what was issued. */
import * as v from "valibot";
import { amount, keysetId } from "../../shared/protocol/fields.ts";

export const OUTPUT_RECORD_PREFIX = "output:";

export const outputRecordKey = (blindedMessage: string): string => `${OUTPUT_RECORD_PREFIX}${blindedMessage}`;

/** `reference` is the payment, quote or swap that the output belongs to. */
export const OutputRecord = v.object({ amount, keysetId, reference: v.string() });
export type OutputRecord = v.InferOutput<typeof OutputRecord>;

export function writeOutputRecord(record: OutputRecord): string {
  return JSON.stringify({
    amount: record.amount.toString(),
    keysetId: record.keysetId,
    reference: record.reference,
  });
}
