/**
 * How a site owner comes from the live dashboard into the one of test mode, which is another provider's
 * (docs/decisions/0051): signed by the live provider, carried by the browser, shown to the test provider once.
 */
import * as v from "valibot";
import { label, MAX_MERCHANTS_PER_OWNER, MAX_ORIGINS, MerchantSettingsRequest } from "./dashboard.ts";
import { hash256, id128, merchantId, origin, seconds } from "./fields.ts";

export const HANDOVER_SECONDS = 60;
/** An owner with as many merchants, sites and keys as there may be needs less. */
const MAX_HANDOVER_LENGTH = 400_000;
export const MAX_HANDOVER_BODY_BYTES = MAX_HANDOVER_LENGTH + 1_000;

/** What comes along of a merchant: what its owner may change, and the sites that are proven. */
export const HandedMerchant = v.object({
  ...MerchantSettingsRequest.entries,
  id: merchantId,
  name: label,
  origins: v.pipe(v.array(origin), v.maxLength(MAX_ORIGINS)),
});
export type HandedMerchant = v.InferOutput<typeof HandedMerchant>;

export const HandoverClaims = v.object({
  /** The live provider's anonymous origin, by whose keys it is verified. */
  iss: origin,
  /** The test provider's accounts origin. */
  aud: origin,
  jti: id128,
  /**
   * SHA-256 of what the browser that asked keeps meanwhile: nobody is signed in by somebody else's link, and who only reads the
   * handover cannot show it.
   */
  nonceHash: hash256,
  owner: id128,
  merchants: v.pipe(v.array(HandedMerchant), v.maxLength(MAX_MERCHANTS_PER_OWNER)),
  iat: seconds,
  exp: seconds,
});
export type HandoverClaims = v.InferOutput<typeof HandoverClaims>;

/** POST /api/me/handover, at the live provider. */
export const HandoverRequest = v.object({ nonceHash: hash256 });
export const HandoverMade = v.object({ handover: v.string() });

/** POST /api/session/handover, at the test provider. */
export const HandoverShown = v.object({
  handover: v.pipe(v.string(), v.maxLength(MAX_HANDOVER_LENGTH)),
  /** 32 random bytes. */
  nonce: hash256,
});
/** Merchants whose id is somebody else's here. */
export const HandoverTaken = v.object({ leftOut: v.array(v.string()) });
