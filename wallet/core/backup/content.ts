/**
 * What stands in the parts of a backup, as JSON. Each device of an account has its own:
 *
 *   head          all that is small, and what the other parts are; written last, so that it never names what is not there
 *   coins n       coins in the drawer, so many in each
 *   payments n    what was paid, an older stretch of the device's own counters, written once and again only after a refund
 *                 or after a site was forgotten
 *
 * Another version's fields that this one does not know are passed over; whatever does not fit the schema is a damaged part.
 */
import * as v from "valibot";
import { dayOf } from "../../../shared/calendar.ts";
import { readUnverified } from "../../../shared/jws.ts";
import { micros } from "../../../shared/money.ts";
import { amount, id128, keysetId } from "../../../shared/protocol/fields.ts";
import { ReceiptClaims } from "../../../shared/receipt.ts";
import { resourceKeyOf } from "../reserve.ts";
import {
  type AllowanceRow,
  type CoinRow,
  type PaymentRow,
  type PaymentState,
  SETTINGS_KEY,
  type SettingsRow,
} from "../rows.ts";

/** So many coins fit into a part, whatever they are. */
export const COINS_PER_PART = 400;

const PAID: readonly PaymentState[] = ["paid", "refunding", "refunded"];

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const words = v.pipe(v.string(), v.maxLength(4_096));
const day = v.pipe(v.string(), v.isoDate());

export const PaymentRecord = v.object({
  receipt: v.pipe(v.string(), v.maxLength(8_192)),
  device: count,
  counter: count,
  at: v.number(),
  /** On which it counts as spent. */
  day,
  title: words,
  merchantName: words,
  refundWindowSeconds: count,
  /** The site's allowance paid it. */
  unasked: v.optional(v.literal(true)),
  refunded: v.optional(v.literal(true)),
  isPrivate: v.optional(v.literal(true)),
});
export type PaymentRecord = v.InferOutput<typeof PaymentRecord>;

const CoinRecord = v.object({
  secret: v.pipe(v.string(), v.maxLength(512)),
  C: words,
  keysetId,
  amount,
});

const AllowanceRecord = v.object({
  origin: words,
  merchant: words,
  merchantName: words,
  perPayment: v.optional(amount),
  perDay: v.optional(amount),
  perMonth: v.optional(amount),
  total: v.optional(v.object({ limit: amount, spent: amount })),
  at: v.number(),
});

const SettingsRecord = v.object({ paused: v.boolean(), monthlyLimit: v.optional(amount) });

export const Head = v.object({
  v: v.literal(1),
  device: count,
  /** Of the wallet that writes: two that took the same number know each other by it. */
  instance: id128,
  writtenAt: v.number(),
  /** The number was just taken, and nothing of the wallet was written yet. */
  isEmpty: v.optional(v.literal(true)),
  /** Set by a device that took over what this one had: which, and what coins, by their marks. */
  takenOver: v.optional(v.object({ by: count, coins: v.array(words) })),
  /** From where on outputs may have been signed that this backup does not know. */
  outputs: v.array(v.object({ key: words, from: count })),
  /** Of the device's payments, the first that was not made yet; and those before it of which nobody knew what became. */
  nextPayment: count,
  openPayments: v.array(count),
  coins: v.object({ parts: count, value: amount }),
  payments: v.object({ parts: count, count }),
  /** Finished, and in no other part yet. */
  recent: v.array(PaymentRecord),
  /** Of other devices, as they were changed here. */
  changed: v.array(PaymentRecord),
  /** Ids of payments of other devices that the reader had forgotten here. */
  forgotten: v.array(id128),
  allowances: v.array(AllowanceRecord),
  /** Undefined where the reader never set any. */
  settings: v.optional(SettingsRecord),
});
export type Head = v.InferOutput<typeof Head>;
export type HeadJson = v.InferInput<typeof Head>;

/** `writtenAt` of the head that it was written for: with one that is older than its head somebody put back what was there before. */
export const CoinsPart = v.object({ writtenAt: v.number(), coins: v.array(CoinRecord) });
export const PaymentsPart = v.object({ payments: v.array(PaymentRecord) });

/** Undefined where it is no such part. */
export function readPart<S extends v.GenericSchema>(
  schema: S,
  text: string | undefined,
): v.InferOutput<S> | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

export function coinRecord({
  secret,
  C,
  keysetId: id,
  amount: value,
}: CoinRow): v.InferInput<typeof CoinRecord> {
  return { secret, C, keysetId: id, amount: value.toString() };
}

export function allowanceRecord(row: AllowanceRow): v.InferInput<typeof AllowanceRecord> {
  const { origin, merchant, merchantName, perPayment, perDay, perMonth, total, at } = row;
  return {
    origin,
    merchant,
    merchantName,
    ...(perPayment === undefined ? {} : { perPayment: perPayment.toString() }),
    ...(perDay === undefined ? {} : { perDay: perDay.toString() }),
    ...(perMonth === undefined ? {} : { perMonth: perMonth.toString() }),
    ...(total && { total: { limit: total.limit.toString(), spent: total.spent.toString() } }),
    at,
  };
}

export function allowanceRow(record: v.InferOutput<typeof AllowanceRecord>): AllowanceRow {
  const { perPayment, perDay, perMonth, total } = record;
  return { ...record, perPayment, perDay, perMonth, total };
}

export function settingsRecord({ paused, monthlyLimit }: SettingsRow): v.InferInput<typeof SettingsRecord> {
  return { paused, ...(monthlyLimit === undefined ? {} : { monthlyLimit: monthlyLimit.toString() }) };
}

export function settingsRow({ paused, monthlyLimit }: v.InferOutput<typeof SettingsRecord>): SettingsRow {
  return { key: SETTINGS_KEY, paused, monthlyLimit };
}

/** A head as it was read, as it is written. */
export function headJson(head: Head): HeadJson {
  const { coins, allowances, settings, ...kept } = head;
  return {
    ...kept,
    coins: { ...coins, value: coins.value.toString() },
    allowances: allowances.map((record) => allowanceRecord(allowanceRow(record))),
    ...(settings && { settings: settingsRecord(settingsRow(settings)) }),
  };
}

/** What was paid; undefined of any other. A refund that is under way is found by the public list, should it come to a restore. */
export function paymentRecord(row: PaymentRow): PaymentRecord | undefined {
  if (row.receipt === undefined || !PAID.includes(row.state)) return undefined;
  return {
    receipt: row.receipt,
    device: row.device ?? 0,
    counter: row.counter,
    at: row.at,
    day: row.day,
    title: row.order.title,
    merchantName: row.order.merchantName,
    refundWindowSeconds: row.order.refundWindowSeconds,
    ...(row.fromAllowance ? { unasked: true } : {}),
    ...(row.state === "refunded" ? { refunded: true } : {}),
    ...(row.order.isPrivate ? { isPrivate: true } : {}),
  };
}

/** Of a receipt and no more, where the backup did not get to know the payment: its address has to do for a title. */
export function recordOfReceipt(
  receipt: string,
  place: { readonly device: number; readonly counter: number },
  isRefunded: boolean,
): PaymentRecord | undefined {
  const claims = readUnverified(receipt, ReceiptClaims);
  return (
    claims && {
      receipt,
      ...place,
      at: claims.iat * 1_000,
      day: dayOf(claims.iat * 1_000),
      title: claims.resource.slice(0, 300),
      merchantName: claims.aud,
      refundWindowSeconds: 0,
      ...(isRefunded ? { refunded: true } : {}),
    }
  );
}

/** The row of a payment that is over: what only its sending needed is not there any more. Undefined for a broken receipt. */
export function paymentRow(record: PaymentRecord): PaymentRow | undefined {
  const claims = readUnverified(record.receipt, ReceiptClaims);
  if (!claims) return undefined;
  const { origin } = new URL(claims.resource);
  return {
    id: claims.jti,
    device: record.device,
    counter: record.counter,
    state: record.refunded ? "refunded" : "paid",
    order: {
      mode: "direct",
      kind: claims.kind,
      title: record.title,
      merchant: claims.aud,
      merchantName: record.merchantName,
      origin,
      resourceUrl: claims.resource,
      acceptedJson: "{}",
      resourceJson: "{}",
      amount: claims.amount,
      least: claims.amount,
      most: claims.amount,
      refundWindowSeconds: record.refundWindowSeconds,
      maxTimeoutSeconds: 0,
      seal: undefined,
      isPrivate: record.isPrivate ?? false,
    },
    origin,
    resourceKey: resourceKeyOf(claims.aud, claims.resource),
    amount: claims.amount,
    at: record.at,
    day: record.day,
    requestKey: `restored ${claims.jti}`,
    approvalId: undefined,
    fromAllowance: record.unasked ?? false,
    body: "",
    paymentJson: "",
    expiresAt: record.at,
    coinSecrets: [],
    coinsValue: micros(claims.amount),
    blanks: undefined,
    change: "none",
    changeSignatures: undefined,
    attempts: 0,
    receipt: record.receipt,
    paidAtSeconds: claims.iat,
    contentKey: undefined,
    contentKeySeal: undefined,
    refund: undefined,
    error: undefined,
    spentRetries: 0,
  };
}
