/**
 * Offers and payments: x402 version 2, scheme `exact`, network `tuppence:<currency>`.
 * https://github.com/coinbase/x402 names the objects; what Tuppence puts into `extra` and `payload` is here.
 */
import * as v from "valibot";
import { MAX_CHANGE_OUTPUTS } from "../money.ts";
import { BlindedMessage, BlindSignature, Proof } from "./cashu.ts";
import {
  base64url,
  currency,
  hash256,
  id128,
  jws,
  merchantId,
  origin,
  positiveAmount,
  seconds,
  text,
  thumbprint,
  url,
} from "./fields.ts";

export const X402_VERSION = 2;
export const SCHEME = "exact";
const MAX_TIMEOUT_SECONDS = 3_600;
/** A payment never needs more coins than this; the wallet swaps into larger ones first. */
export const MAX_PAYMENT_COINS = 20;

export function networkOf(currencyCode: string): `tuppence:${string}` {
  return `tuppence:${currencyCode.toLowerCase()}`;
}

export const PaymentKind = v.picklist(["article", "tip"]);
export type PaymentKind = v.InferOutput<typeof PaymentKind>;

const OfferExtra = v.object({
  /** The provider's anonymous origin. Compared with the wallet's own, never connected to. */
  provider: origin,
  kind: PaymentKind,
  title: text,
  merchantRecord: v.optional(jws),
  seal: v.optional(jws),
});

export const PaymentRequirements = v.object({
  scheme: v.literal(SCHEME),
  network: v.pipe(v.string(), v.regex(/^tuppence:[a-z]{3}$/)),
  amount: positiveAmount,
  asset: currency,
  payTo: merchantId,
  maxTimeoutSeconds: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_TIMEOUT_SECONDS)),
  extra: OfferExtra,
});
export type PaymentRequirements = v.InferOutput<typeof PaymentRequirements>;
export type PaymentRequirementsJson = v.InferInput<typeof PaymentRequirements>;

export const Resource = v.object({
  url,
  description: v.optional(text),
  mimeType: v.optional(v.pipe(v.string(), v.maxLength(100))),
});

/** The offer. Other schemes and networks may stand beside ours in `accepts`, so each is decoded by itself. */
export const PaymentRequired = v.object({
  x402Version: v.literal(X402_VERSION),
  resource: Resource,
  accepts: v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(20)),
  extensions: v.optional(v.record(v.string(), v.unknown())),
});
export type PaymentRequired = v.InferOutput<typeof PaymentRequired>;

/** A proof with a DLEQ decodes too, so that the provider can refuse it by its name; what stands in it is dropped unread. */
const PaymentProof = v.object({
  ...Proof.entries,
  dleq: v.optional(
    v.pipe(
      v.unknown(),
      v.transform(() => true),
    ),
  ),
});

/** Coins given for an offer. `paymentId` is made by the wallet and stored before it is sent. */
export const Payment = v.object({
  paymentId: id128,
  proofs: v.pipe(v.array(PaymentProof), v.minLength(1), v.maxLength(MAX_PAYMENT_COINS)),
  /** The thumbprint of the holder key: whoever can sign with it may ask for this payment again. */
  holder: thumbprint,
  /** SHA-256 of the preimage whose revelation asks for the money back. */
  refundHash: hash256,
  /** Blank outputs for the change (their amounts are not read), where the coins do not fit. */
  outputs: v.optional(v.pipe(v.array(BlindedMessage), v.maxLength(MAX_CHANGE_OUTPUTS))),
});
export type Payment = v.InferOutput<typeof Payment>;
export type PaymentJson = v.InferInput<typeof Payment>;

/** The Payment, sealed by HPKE to the provider, for a payment that a site's back end carries. See `shared/hpke.ts`. */
export const SealedPayment = v.object({ enc: base64url(100), ct: base64url(40_000), expiresAt: seconds });
export type SealedPayment = v.InferOutput<typeof SealedPayment>;

const PaymentPayload = v.object({
  x402Version: v.literal(X402_VERSION),
  resource: Resource,
  accepted: PaymentRequirements,
  payload: v.union([Payment, SealedPayment]),
  extensions: v.optional(v.record(v.string(), v.unknown())),
});

/** What `/x402/verify` and `/x402/settle` take. */
export const FacilitatorRequest = v.object({
  x402Version: v.literal(X402_VERSION),
  paymentPayload: PaymentPayload,
  paymentRequirements: PaymentRequirements,
});
export type FacilitatorRequestJson = v.InferInput<typeof FacilitatorRequest>;

export const VerifyResponse = v.object({
  isValid: v.boolean(),
  invalidReason: v.optional(v.string()),
  invalidMessage: v.optional(v.string()),
  payer: v.optional(v.string()),
});

export const PaymentResult = v.object({
  receipt: jws,
  change: v.optional(v.array(BlindSignature)),
  contentKey: v.optional(v.pipe(v.string(), v.length(43), base64url(43))),
});
export type PaymentResult = v.InferOutput<typeof PaymentResult>;

export const SettleResponse = v.variant("success", [
  v.object({
    success: v.literal(true),
    transaction: id128,
    network: v.string(),
    payer: v.string(),
    amount: v.optional(v.string()),
    extensions: v.object({ tuppence: PaymentResult }),
  }),
  v.object({
    success: v.literal(false),
    errorReason: v.string(),
    errorMessage: v.optional(v.string()),
    transaction: v.string(),
    network: v.string(),
    payer: v.optional(v.string()),
  }),
]);
export type SettleResponse = v.InferOutput<typeof SettleResponse>;
export type SettleResponseJson = v.InferInput<typeof SettleResponse>;
