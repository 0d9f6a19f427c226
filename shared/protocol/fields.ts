/** The fields that messages are made of, each with its limit. Schemas decode `unknown`; types follow from them. */
import * as v from "valibot";
import { type Micros, micros, parseMicros, ZERO } from "../money.ts";

export const MAX_URL_LENGTH = 2_048;
export const MAX_TEXT_LENGTH = 300;
/** In UTF-16 units. It travels in every offer and every stored payment, so it is a few sentences. */
export const MAX_REFUND_POLICY_LENGTH = 300;
const MAX_JWS_LENGTH = 8_192;
export const MAX_INPUTS = 200;
export const MAX_OUTPUTS = 200;

/** An amount on the wire: a canonical decimal string of micros, zero included. */
export const amount = v.pipe(
  v.string(),
  v.maxLength(13),
  v.rawTransform(({ dataset, addIssue, NEVER }): Micros => {
    const parsed = parseMicros(dataset.value);
    if (parsed !== undefined) return parsed;
    addIssue({ message: "not an amount in micros" });
    return NEVER;
  }),
);

/** As `amount`, but more than zero. */
export const positiveAmount = v.pipe(
  amount,
  v.check((value) => value > ZERO, "must be more than zero"),
);

/** A sum of many amounts may be larger than any single amount. */
export const sum = v.pipe(
  v.string(),
  v.regex(/^(0|[1-9][0-9]{0,17})$/, "not a sum in micros"),
  v.transform((value) => micros(BigInt(value))),
);
export const signedSum = v.pipe(
  v.string(),
  v.regex(/^(0|-?[1-9][0-9]{0,17})$/, "not a sum in micros"),
  v.transform((value) => micros(BigInt(value))),
);

/** An amount inside a Cashu message, where the specification says integer. */
export const cashuAmount = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.transform((value) => micros(value)),
);

export const hex = (digits: number) =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`), `not ${digits} hex digits`));
export const id128 = hex(32);
export const hash256 = hex(64);
/** A compressed point of secp256k1. */
export const point = v.pipe(v.string(), v.regex(/^0[23][0-9a-f]{64}$/, "not a compressed point"));
export const base64url = (most: number) =>
  v.pipe(v.string(), v.maxLength(most), v.regex(/^[A-Za-z0-9_-]+$/, "not base64url"));
/** A JWK thumbprint (RFC 7638) or another SHA-256 in base64url. */
export const thumbprint = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, "not a thumbprint"));
export const jws = v.pipe(
  v.string(),
  v.maxLength(MAX_JWS_LENGTH),
  v.regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/, "not a compact JWS"),
);
export const text = v.pipe(v.string(), v.maxLength(MAX_TEXT_LENGTH));

/** Control characters, ends of lines, spaces of no width and marks of direction. U+200D joins: emoji and scripts need it. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u2069\ufeff]/u;

/** Text of one line without anything that is not seen, or turns round what stands beside it. */
export const oneLine = (most: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1, "is empty"),
    v.maxLength(most),
    v.check((value) => value.isWellFormed() && !UNSEEN.test(value), "is not text of one line"),
  );
/** What a merchant says of refunds, to be shown as its words. */
export const refundPolicy = oneLine(MAX_REFUND_POLICY_LENGTH);
/** Why a reader takes a payment back. The merchant is told, of this payment. */
export const RefundReason = v.picklist([
  "not_as_described",
  "already_have_it",
  "did_not_open",
  "changed_mind",
]);
export type RefundReason = v.InferOutput<typeof RefundReason>;

/** An absolute http(s) address. */
export const url = v.pipe(
  v.string(),
  v.maxLength(MAX_URL_LENGTH),
  v.check((value) => isHttpUrl(value), "not an http(s) address"),
);
/** scheme://host[:port], nothing else. */
export const origin = v.pipe(
  v.string(),
  v.maxLength(300),
  v.check((value) => isHttpUrl(value) && new URL(value).origin === value, "not an origin"),
);
export const currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/, "not a currency code"));
export const merchantId = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{1,39}$/, "not a merchant id"));
export const keysetId = v.pipe(v.string(), v.regex(/^(00[0-9a-f]{14}|01[0-9a-f]{64})$/, "not a keyset id"));
/** Seconds since 1970. */
export const seconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === "https:" || protocol === "http:") && username === "" && password === "";
}
