/**
 * What a merchant's statement says, and how it is made sure of: everything in it is a leaf of one Merkle tree (RFC 9162,
 * `merkle.ts`), whose root the provider signs and publishes. A leaf is JSON by RFC 8785, so that whoever has the statement,
 * or a receipt, comes to the same bytes. In this order:
 *
 * 1. the settlement: the sums, and what they follow;
 * 2. each payment, as it was made. Its leaf has what its receipt says, but for who signed it: a receipt that the reader or
 *    the merchant kept leads to the leaf, whatever keys and addresses the provider had since;
 * 3. each refund of one of these payments, in the order of the payments;
 * 4. each late refund that this settlement paid, of a payment in a statement before, in the order in which they were given;
 * 5. each refund that was given in a statement before and fetched by nobody.
 */
import * as v from "valibot";
import { fromHex, toHex, utf8 } from "./bytes.ts";
import { type SigningKey, signJws, verifyJws } from "./jws.ts";
import { leafHash, rootByProof } from "./merkle.ts";
import { type Micros, splitByWeight, ZERO } from "./money.ts";
import {
  amount,
  currency,
  hash256,
  id128,
  jws,
  merchantId,
  origin,
  seconds,
  sum,
  text,
  thumbprint,
  url,
} from "./protocol/fields.ts";
import type { Inclusion, Jwks } from "./protocol/provider.ts";
import { PaymentKind } from "./protocol/x402.ts";
import type { ReceiptClaims } from "./receipt.ts";

const STATEMENT_TYPE = "tuppence-statement+jwt";
const WHOLE_BASIS_POINTS = 10_000n;
/** Of JavaScript's dates. */
const LAST_MOMENT_MS = 8_640_000_000_000_000;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The sums of a merchant's payments whose refund windows ended. */
export const Settlement = v.object({
  merchant: merchantId,
  /** 1, 2, 3, … without a gap. */
  number: v.pipe(whole, v.minValue(1)),
  currency,
  /** Milliseconds: every refund window of what is covered ended by then. */
  closedAt: v.pipe(whole, v.maxValue(LAST_MOMENT_MS)),
  /** The payments are those whose transfers come after the first and up to the second. */
  afterSequence: whole,
  upToSequence: whole,
  paymentCount: whole,
  refundCount: whole,
  payments: sum,
  refunds: sum,
  /**
   * Of payments of settlements before, whose fee the provider keeps. They are paid in one order, those up to this number so
   * far. Statements from before there were any do not speak of them: 0.
   */
  lateRefundCount: v.optional(whole, 0),
  lateRefunds: v.optional(sum, "0"),
  upToLateRefund: v.optional(whole, 0),
  /** Given back before, fetched by nobody, and so the merchant's again. Likewise. */
  uncollectedCount: v.optional(whole, 0),
  uncollected: v.optional(sum, "0"),
  upToUncollected: v.optional(whole, 0),
  feeBasisPoints: v.pipe(whole, v.maxValue(Number(WHOLE_BASIS_POINTS))),
  fee: sum,
  carryForwardIn: sum,
  payout: sum,
  carryForwardOut: sum,
});
export type Settlement = v.InferOutput<typeof Settlement>;
export type SettlementJson = v.InferInput<typeof Settlement>;

/** How people and paths name it: `the-lantern-3`. */
export const settlementId = (merchant: string, number: number): string => `${merchant}-${number}`;

/** Only what a settlement has, of whatever has more; always in this order, because it is committed under its hash. */
export function settlementJson(settlement: Settlement): SettlementJson {
  const { merchant, number, currency: code, closedAt, afterSequence, upToSequence } = settlement;
  const { paymentCount, refundCount, feeBasisPoints } = settlement;
  return {
    merchant,
    number,
    currency: code,
    closedAt,
    afterSequence,
    upToSequence,
    paymentCount,
    refundCount,
    feeBasisPoints,
    payments: settlement.payments.toString(),
    refunds: settlement.refunds.toString(),
    fee: settlement.fee.toString(),
    carryForwardIn: settlement.carryForwardIn.toString(),
    payout: settlement.payout.toString(),
    carryForwardOut: settlement.carryForwardOut.toString(),
    ...(settlement.upToLateRefund === 0
      ? {}
      : {
          lateRefundCount: settlement.lateRefundCount,
          lateRefunds: settlement.lateRefunds.toString(),
          upToLateRefund: settlement.upToLateRefund,
        }),
    ...(settlement.upToUncollected === 0
      ? {}
      : {
          uncollectedCount: settlement.uncollectedCount,
          uncollected: settlement.uncollected.toString(),
          upToUncollected: settlement.upToUncollected,
        }),
  };
}

/** Fee and what stays add up to the amount, to the micro. */
export function feeOf(turnover: Micros, feeBasisPoints: number): Micros {
  const [fee] = splitByWeight(turnover, [
    BigInt(feeBasisPoints),
    WHOLE_BASIS_POINTS - BigInt(feeBasisPoints),
  ]);
  return fee ?? ZERO;
}

const line = {
  /** ISO 8601, in UTC and with milliseconds: as text it is in order of time. */
  time: v.pipe(v.string(), v.isoTimestamp(), v.regex(/^.{23}Z$/, "not in UTC with milliseconds")),
  /** The payment's id, as in its receipt (`jti`). */
  id: id128,
  resource: url,
  kind: PaymentKind,
  amount,
};
/** `holder` is the thumbprint of the payment's own key, as in its receipt (`sub`): it names no reader. */
const PaymentLine = v.object({ type: v.literal("payment"), ...line, holder: thumbprint });
const RefundLine = v.object({ type: v.literal("refund"), ...line });
const LateRefundLine = v.object({ type: v.literal("late_refund"), ...line });
const UncollectedLine = v.object({ type: v.literal("uncollected_refund"), ...line });
export const StatementLine = v.variant("type", [PaymentLine, RefundLine, LateRefundLine, UncollectedLine]);
export type StatementLine = v.InferOutput<typeof StatementLine>;

/** A statement as it is handed out, in JSON. */
export const StatementFile = v.object({
  id: v.string(),
  merchantName: text,
  /** Only of test mode: nothing of it is money. */
  mode: v.optional(v.literal("test")),
  ...Settlement.entries,
  /** Signed by the provider: `StatementRootClaims`. */
  signedRoot: jws,
  lines: v.array(StatementLine),
});
export type StatementFile = v.InferOutput<typeof StatementFile>;

/** What the provider signs and publishes of a statement. It says neither how many payments there are, nor what they come to. */
export const StatementRootClaims = v.object({
  iss: origin,
  aud: merchantId,
  /** Of the settlement. */
  number: v.pipe(whole, v.minValue(1)),
  /** Hexadecimal. */
  root: hash256,
  /** When the settlement was closed. */
  iat: seconds,
});
export type StatementRootClaims = v.InferOutput<typeof StatementRootClaims>;

export function signStatementRoot(claims: StatementRootClaims, key: SigningKey): Promise<string> {
  return signJws(STATEMENT_TYPE, claims, key, "kid");
}

/** The claims, if one of these keys signed them; undefined for every flaw. */
export function verifyStatementRoot(token: string, jwks: Jwks): Promise<StatementRootClaims | undefined> {
  return verifyJws(STATEMENT_TYPE, token, jwks.keys, StatementRootClaims);
}

/** Whether the proof leads from the receipt's payment to this root. Receipt and root are to be verified before. */
export function isIncluded(
  receipt: ReceiptClaims,
  { index, size, proof }: Omit<Inclusion, "signedRoot">,
  { aud, root }: StatementRootClaims,
): boolean {
  const found = rootByProof(receiptHash(receipt), { index, size, proof: proof.map(fromHex) });
  return receipt.aud === aud && found !== undefined && toHex(found) === root;
}

export function settlementHash(settlement: Settlement): Uint8Array {
  return hashOf({ type: "settlement", ...settlementJson(settlement) });
}

export function lineHash({ merchant, currency }: Settlement, stated: StatementLine): Uint8Array {
  const { type, time, id, resource, kind, amount: moved } = stated;
  const common = { type, aud: merchant, jti: id, amount: moved.toString(), currency, resource, kind };
  return type === "payment"
    ? hashOf({ ...common, sub: stated.holder, iat: Math.floor(Date.parse(time) / 1_000) })
    : hashOf({ ...common, time });
}

/** Of the payment that the receipt is for. */
export function receiptHash({
  aud,
  jti,
  amount: paid,
  currency: code,
  resource,
  kind,
  sub,
  iat,
}: ReceiptClaims): Uint8Array {
  return hashOf({
    type: "payment",
    aud,
    jti,
    amount: paid.toString(),
    currency: code,
    resource,
    kind,
    sub,
    iat,
  });
}

/** RFC 8785, for objects without objects in them, whose numbers are whole. What is not there is no part of it. */
function hashOf(leaf: Readonly<Record<string, string | number | undefined>>): Uint8Array {
  const sorted = Object.entries(leaf).sort(([a], [b]) => (a < b ? -1 : 1));
  return leafHash(utf8(JSON.stringify(Object.fromEntries(sorted))));
}
