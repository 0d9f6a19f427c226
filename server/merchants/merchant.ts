/** A merchant: who may be paid, on which sites, and how. */
import * as v from "valibot";
import type { Micros } from "../../shared/money.ts";
import { amount, merchantId, origin, seconds, text } from "../../shared/protocol/fields.ts";
import { Ed25519PublicJwk } from "../../shared/protocol/provider.ts";

const MAX_ORIGINS = 20;
const MAX_SEAL_KEYS = 10;
const MAX_REFUND_WINDOW_SECONDS = 90 * 24 * 3_600;

/** What the operator enters. What is left out of an update stays as it is, so that a new name drops no key. */
export const MerchantRegistration = v.object({
  id: merchantId,
  name: v.pipe(text, v.trim(), v.minLength(1), v.check(isStorable, "not text")),
  origins: v.pipe(v.array(origin), v.minLength(1), v.maxLength(MAX_ORIGINS)),
  /** Origins of top pages in which this merchant's frames may ask. */
  frameParents: v.optional(v.pipe(v.array(origin), v.maxLength(MAX_ORIGINS))),
  refundWindowSeconds: v.optional(v.pipe(seconds, v.maxValue(MAX_REFUND_WINDOW_SECONDS))),
  /** Below this a settlement is carried forward. */
  payoutMinimum: v.optional(amount),
  /** Whose signature a seal must carry. */
  sealKeys: v.optional(v.pipe(v.array(Ed25519PublicJwk), v.maxLength(MAX_SEAL_KEYS))),
  /** Seals issued before are refused (seconds since 1970). */
  sealsValidFrom: v.optional(seconds),
});
export type MerchantRegistration = v.InferOutput<typeof MerchantRegistration>;

/** Of a merchant that is there; what is left out stays. */
export type MerchantUpdate = Pick<MerchantRegistration, "id"> & Partial<Omit<MerchantRegistration, "id">>;

/** PostgreSQL takes neither into its JSON: the character of number zero, and half of a pair of surrogates. */
function isStorable(value: string): boolean {
  return !value.includes("\0") && value.isWellFormed();
}

export interface Merchant {
  readonly id: string;
  /** Who signed up for it; undefined where the operator registered it. */
  readonly ownerId: string | undefined;
  readonly name: string;
  readonly origins: readonly string[];
  readonly frameParents: readonly string[];
  readonly refundWindowSeconds: number;
  readonly payoutMinimum: Micros;
  readonly sealKeys: readonly Ed25519PublicJwk[];
  readonly sealsValidFrom: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
