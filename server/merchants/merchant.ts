/** A merchant: who may be paid, on which sites, and how. */
import * as v from "valibot";
import type { Micros } from "../../shared/money.ts";
import { label, MAX_ORIGINS, MerchantSettingsRequest } from "../../shared/protocol/dashboard.ts";
import { merchantId, origin } from "../../shared/protocol/fields.ts";
import type { Ed25519PublicJwk } from "../../shared/protocol/provider.ts";

/** What the operator enters. What is left out of an update stays as it is, so that a new name drops no key. */
export const MerchantRegistration = v.object({
  ...MerchantSettingsRequest.entries,
  id: merchantId,
  name: label,
  origins: v.pipe(v.array(origin), v.minLength(1), v.maxLength(MAX_ORIGINS)),
});
export type MerchantRegistration = v.InferOutput<typeof MerchantRegistration>;

/** Of a merchant that is there; what is left out stays. */
export type MerchantUpdate = v.InferOutput<typeof MerchantSettingsRequest> & {
  readonly id: string;
  readonly origins?: string[];
};

export interface Merchant {
  readonly id: string;
  /** Who signed up for it; undefined where the operator registered it. */
  readonly ownerId: string | undefined;
  readonly name: string;
  readonly origins: readonly string[];
  readonly frameParents: readonly string[];
  readonly refundWindowSeconds: number;
  /** What readers may take back by themselves in a day, together; null: everything. */
  readonly refundsPerDay: Micros | null;
  /** What it says of refunds, in its own words; null: nothing. */
  readonly refundPolicy: string | null;
  readonly payoutMinimum: Micros;
  readonly sealKeys: readonly Ed25519PublicJwk[];
  readonly sealsValidFrom: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
