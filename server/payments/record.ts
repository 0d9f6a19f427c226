/**
 * What is committed with a payment as its group's memo: all that its answer is made from, on a replay too, and never
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
  RefundReason,
  seconds,
  thumbprint,
  url,
} from "../../shared/protocol/fields.ts";
import { PaymentKind } from "../../shared/protocol/x402.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger, TransferCode } from "../ledger/ledger.ts";

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

/** What was paid for. */
const PaymentSubject = v.pick(PaymentRecord, ["resource", "kind"]);
export type PaymentSubject = v.InferOutput<typeof PaymentSubject>;

/** What is committed with a refund under `refund:<id>`, whoever gave the money back. */
export const RefundRecord = v.object({
  /** Of a reader who took it. What a merchant gave is fetched later: `collection:<id>`. */
  outputs: v.array(BlindedMessage),
  givenBy: v.optional(v.picklist(["reader", "merchant"]), "reader"),
  /** What the reader said. */
  reason: v.optional(RefundReason),
  /** Milliseconds; only where a settlement gave it: otherwise it has a group of its own, whose time it is. */
  givenAt: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});
export type RefundRecord = v.InferOutput<typeof RefundRecord>;

/** What is committed under `collection:<id>` with the end of a granted refund: the reader fetched it, or nobody did in time. */
export const CollectionRecord = v.object({
  outputs: v.array(BlindedMessage),
  isFetched: v.boolean(),
});

export const paymentGroupId = (paymentId: string): string => deriveId("payment", paymentId);
export const refundGroupId = (paymentId: string): string => deriveId("refund", paymentId);
export const refundKey = (paymentId: string): string => `refund:${paymentId}`;
/** By these a payment's money leaves its merchant. */
export const REFUND_CODES: readonly TransferCode[] = ["refund", "late_refund"];
/** Whoever gives a payment back does it under this id, so that nobody does it a second time. */
export const refundTransferId = (paymentId: string): string => deriveId("refund transfer", paymentId);

export const collectionKey = (paymentId: string): string => `collection:${paymentId}`;
export const collectionGroupId = (paymentId: string): string => deriveId("refund collection", paymentId);
/** What was granted leaves once, to the reader or back to the merchant. */
export const collectionTransferId = (paymentId: string): string =>
  deriveId("refund collection transfer", paymentId);
/** Of a payment that was settled before: the group that puts it in line. */
export const lateRefundGroupId = (paymentId: string): string => deriveId("late refund", paymentId);

/** Beyond what readers take back by themselves: the reader asked, and the merchant may give it. */
export const askedKey = (paymentId: string): string => `refund-asked:${paymentId}`;
const AskedRecord = v.object({ reason: v.nullable(RefundReason) });

export function encodeAskedRecord(reason: RefundReason | undefined): string {
  return JSON.stringify({ reason: reason ?? null } satisfies v.InferInput<typeof AskedRecord>);
}

export function decodeAskedRecord(value: string): v.InferOutput<typeof AskedRecord> {
  return v.parse(AskedRecord, JSON.parse(value));
}

export function encodePaymentRecord(record: PaymentRecord): string {
  const json: v.InferInput<typeof PaymentRecord> = {
    ...record,
    amount: record.amount.toString(),
    change: record.change.map(outputJson),
  };
  return JSON.stringify(json);
}

export function encodeRefundRecord(record: RefundRecord): string {
  const json: v.InferInput<typeof RefundRecord> = { ...record, outputs: record.outputs.map(outputJson) };
  return JSON.stringify(json);
}

export function encodeCollectionRecord(record: v.InferOutput<typeof CollectionRecord>): string {
  const json: v.InferInput<typeof CollectionRecord> = { ...record, outputs: record.outputs.map(outputJson) };
  return JSON.stringify(json);
}

export function decodeCollectionRecord(value: string): v.InferOutput<typeof CollectionRecord> {
  return v.parse(CollectionRecord, JSON.parse(value));
}

export async function readCollection(
  ledger: Ledger,
  paymentId: string,
): Promise<v.InferOutput<typeof CollectionRecord> | undefined> {
  const value = await ledger.record(collectionKey(paymentId));
  return value === undefined ? undefined : decodeCollectionRecord(value);
}

/** Throws on a record that this program did not write: that is a bug or a damaged database, no refusal. */
export function decodePaymentRecord(value: string): PaymentRecord {
  return v.parse(PaymentRecord, JSON.parse(value));
}

export function decodeRefundRecord(value: string): RefundRecord {
  return v.parse(RefundRecord, JSON.parse(value));
}

export async function readRefund(ledger: Ledger, paymentId: string): Promise<RefundRecord | undefined> {
  const value = await ledger.record(refundKey(paymentId));
  return value === undefined ? undefined : decodeRefundRecord(value);
}

/** Of a committed payment's group. */
export function paymentRecordOf(
  { memo }: { readonly memo: string | undefined },
  paymentId: string,
): PaymentRecord {
  if (memo === undefined) throw new Error(`payment ${paymentId} was committed without its record`);
  return decodePaymentRecord(memo);
}

/** As `paymentRecordOf`, for whoever reads a million of them and wants no more than this. */
export function paymentSubjectOf(
  { memo }: { readonly memo: string | undefined },
  paymentId: string,
): PaymentSubject {
  if (memo === undefined) throw new Error(`payment ${paymentId} was committed without its record`);
  return v.parse(PaymentSubject, JSON.parse(memo));
}

export interface PostedPayment {
  readonly record: PaymentRecord;
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

export async function readPayment(ledger: Ledger, paymentId: string): Promise<PostedPayment | undefined> {
  const group = await ledger.group(paymentGroupId(paymentId));
  if (!group) return undefined;
  const { fingerprint, timestamp } = group;
  return { record: paymentRecordOf(group, paymentId), fingerprint, timestamp };
}

function outputJson({ amount, id, B_ }: BlindedMessage): BlindedMessageJson {
  return { amount: Number(amount), id, B_ };
}
