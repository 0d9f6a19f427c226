/**
 * What is committed with a payment under `payment:<id>`: all that its answer is made from, on a replay too, and never
 * a coin. `change` are the outputs with the amounts they are signed for. `sealedKey` is there only if a merchant's
 * signed seal was paid for; without it a receipt opens nothing, or a tip on an article's address would open the article.
 */
import * as v from "valibot";
import { BlindedMessage, type BlindedMessageJson } from "../../shared/protocol/cashu.ts";
import {
  base64url,
  currency,
  hash256,
  merchantId,
  positiveAmount,
  seconds,
  thumbprint,
  url,
} from "../../shared/protocol/fields.ts";
import { PaymentKind } from "../../shared/protocol/x402.ts";
import type { Ledger, LedgerRecord } from "../ledger/ledger.ts";

export const PaymentRecord = v.object({
  merchant: merchantId,
  amount: positiveAmount,
  currency,
  resource: url,
  kind: PaymentKind,
  holder: thumbprint,
  refundHash: hash256,
  /** The merchant's window as it was when the payment was made. */
  refundWindowSeconds: seconds,
  change: v.array(BlindedMessage),
  sealedKey: v.optional(v.object({ enc: base64url(100), ct: base64url(200) })),
});
export type PaymentRecord = v.InferOutput<typeof PaymentRecord>;

/** What is committed with a refund under `refund:<id>`. */
export const RefundRecord = v.object({ outputs: v.array(BlindedMessage) });
export type RefundRecord = v.InferOutput<typeof RefundRecord>;

export const paymentKey = (paymentId: string): string => `payment:${paymentId}`;
export const refundKey = (paymentId: string): string => `refund:${paymentId}`;

export function encodePaymentRecord(record: PaymentRecord): string {
  const json: v.InferInput<typeof PaymentRecord> = {
    ...record,
    amount: record.amount.toString(),
    change: record.change.map(outputJson),
  };
  return JSON.stringify(json);
}

export function encodeRefundRecord(record: RefundRecord): string {
  const json: v.InferInput<typeof RefundRecord> = { outputs: record.outputs.map(outputJson) };
  return JSON.stringify(json);
}

/** Throws on a record that this program did not write: that is a bug or a damaged database, no refusal. */
export function decodePaymentRecord(value: string): PaymentRecord {
  return v.parse(PaymentRecord, JSON.parse(value));
}

export function decodeRefundRecord(value: string): RefundRecord {
  return v.parse(RefundRecord, JSON.parse(value));
}

export function findPaymentRecord(records: readonly LedgerRecord[], paymentId: string): PaymentRecord {
  const found = records.find(({ key }) => key === paymentKey(paymentId));
  if (!found) throw new Error(`payment ${paymentId} was committed without its record`);
  return decodePaymentRecord(found.value);
}

export async function readPaymentRecord(
  ledger: Ledger,
  paymentId: string,
): Promise<PaymentRecord | undefined> {
  const value = await ledger.record(paymentKey(paymentId));
  return value === undefined ? undefined : decodePaymentRecord(value);
}

function outputJson({ amount, id, B_ }: BlindedMessage): BlindedMessageJson {
  return { amount: Number(amount), id, B_ };
}
