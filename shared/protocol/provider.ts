/** The provider's own endpoints, beside Cashu's (`cashu.ts`) and x402's (`x402.ts`). Paths: `docs/PROTOCOL.md`. */
import * as v from "valibot";
import { type ErrorCode, isErrorCode } from "../errors.ts";
import { BlindSignature, outputs } from "./cashu.ts";
import {
  amount,
  base64url,
  currency,
  hash256,
  id128,
  jws,
  keysetId,
  merchantId,
  origin,
  positiveAmount,
  RefundReason,
  refundPolicy,
  seconds,
  text,
  thumbprint,
  url,
} from "./fields.ts";

const Okp = (crv: "Ed25519" | "X25519") =>
  v.object({ kty: v.literal("OKP"), crv: v.literal(crv), x: thumbprint, kid: v.optional(v.string()) });
export const Ed25519PublicJwk = Okp("Ed25519");
export type Ed25519PublicJwk = v.InferOutput<typeof Ed25519PublicJwk>;
export const X25519PublicJwk = Okp("X25519");
export type X25519PublicJwk = v.InferOutput<typeof X25519PublicJwk>;

/** GET /.well-known/tuppence.json: all that a wallet or a merchant has to know of a provider. */
export const ProviderInfo = v.object({
  name: text,
  /** The anonymous origin: the provider's identity in offers and receipts. */
  origin,
  accountsOrigin: origin,
  currency,
  unit: v.string(),
  network: v.string(),
  /** True where top-ups are play money. */
  sandbox: v.boolean(),
  /** Where site owners try things out: a provider of its own, with its own keys, coins and books, always a sandbox. */
  mode: v.optional(v.picklist(["live", "test"]), "live"),
  /** The anonymous origin of the provider of the other mode, where there is one. */
  counterpart: v.optional(origin),
  /** Payments and content keys are sealed to this key (HPKE). */
  sealingKey: X25519PublicJwk,
  topUps: v.object({ gateways: v.array(v.string()), least: amount, most: amount }),
  largestPayment: amount,
});
export type ProviderInfo = v.InferOutput<typeof ProviderInfo>;

/** GET /.well-known/jwks.json */
export const Jwks = v.object({ keys: v.array(v.object({ ...Ed25519PublicJwk.entries, kid: v.string() })) });
export type Jwks = v.InferOutput<typeof Jwks>;

/** GET /.well-known/keysets.json: append-only, oldest first. */
export const KeysetLog = v.object({
  keysets: v.array(v.object({ id: keysetId, unit: v.string(), since: seconds })),
});

/** GET /merchants/{id} */
export const MerchantResponse = v.object({ merchantRecord: jws });

/** The claims of a merchant record. `exp` is at most a day after `iat`. */
export const MerchantRecord = v.object({
  iss: origin,
  sub: merchantId,
  name: v.pipe(text, v.minLength(1)),
  origins: v.array(origin),
  /** Origins of top pages in which this merchant's frames may ask. */
  frameParents: v.optional(v.array(origin), []),
  refundWindowSeconds: seconds,
  /** The merchant's own words. What is none of its own lines is left out: no text keeps anybody from paying. */
  refundPolicy: v.fallback(v.optional(refundPolicy), undefined),
  iat: seconds,
  exp: seconds,
});
export type MerchantRecord = v.InferOutput<typeof MerchantRecord>;

/** POST /payments/{id}: asked by the holder; `seal` asks for the key of a later seal of the same resource. */
export const PaymentLookup = v.object({ proof: jws, seal: v.optional(jws) });
/** What the holder's proof for a look-up says. */
export const HolderLookupClaims = v.object({ aud: origin, jti: id128, iat: seconds });

/** POST /payments/{id}/refund: takes it back inside the window, and fetches what the merchant gave back at any time. */
export const RefundRequest = v.object({ preimage: hash256, outputs, reason: v.optional(RefundReason) });
export const RefundResponse = v.object({ paymentId: id128, signatures: v.array(BlindSignature) });

/** GET /merchants/{id}/settlements/{number}: `StatementRootClaims` of `shared/statement.ts`, signed. */
export const SignedRootResponse = v.object({ signedRoot: jws });

/** GET /payments/{id}/inclusion: an inclusion proof (RFC 9162) of the payment's leaf, its hashes hexadecimal. */
export const Inclusion = v.object({
  signedRoot: jws,
  index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  proof: v.pipe(v.array(hash256), v.maxLength(64)),
});
export type Inclusion = v.InferOutput<typeof Inclusion>;
export type InclusionJson = v.InferInput<typeof Inclusion>;

/** GET /receipts/revoked */
export const RevokedReceipts = v.object({ revoked: v.array(v.object({ jti: id128, at: seconds })) });

/** POST /accounts and GET /accounts/me */
export const AccountResponse = v.object({
  id: thumbprint,
  currency,
  /** May be below zero after a chargeback. */
  balance: v.pipe(v.string(), v.regex(/^-?(0|[1-9][0-9]{0,15})$/)),
  frozen: v.boolean(),
  /** What may be withdrawn now, the limits considered. */
  withdrawable: amount,
});
export type AccountResponse = v.InferOutput<typeof AccountResponse>;

/** POST /topups: `id` is made by the wallet. */
export const TopUpRequest = v.object({ id: id128, amount: positiveAmount, gateway: v.picklist(["sandbox"]) });
export type TopUpRequestJson = v.InferInput<typeof TopUpRequest>;
export const TopUpState = v.picklist(["open", "paid", "declined", "abandoned", "charged_back"]);
export const TopUpResponse = v.object({
  id: id128,
  amount: positiveAmount,
  gateway: v.string(),
  state: TopUpState,
  checkoutUrl: url,
});
export type TopUpResponse = v.InferOutput<typeof TopUpResponse>;

/** POST /accounts/me/closure: `id` is made by the wallet. All that the account holds goes back through the gateway. */
export const ClosureRequest = v.object({ id: id128, gateway: v.picklist(["sandbox"]) });
export type ClosureRequestJson = v.InferInput<typeof ClosureRequest>;
export const ClosureResponse = v.object({ id: id128, returned: amount });

/** The sizes that a part of a wallet's backup may have: its sealed content says nothing, and its length no more than this. */
export const BACKUP_STEPS_BYTES: readonly number[] = [16_384, 32_768, 65_536, 131_072];
/** Of the largest, in base64url. */
const MAX_BACKUP_CONTENT_LENGTH = 174_763;
const backupContent = v.pipe(
  base64url(MAX_BACKUP_CONTENT_LENGTH),
  v.check((text) => text.length % 4 !== 1, "not base64url"),
);
/** How often a part was written. */
const version = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** GET /accounts/me/backup */
export const BackupListing = v.object({
  parts: v.array(v.object({ name: id128, version, bytes: v.number() })),
});
export type BackupListing = v.InferOutput<typeof BackupListing>;

/** GET /accounts/me/backup/{name}: empty where the account was closed since; its name stays taken. */
export const BackupPart = v.object({
  name: id128,
  version,
  content: v.union([v.literal(""), backupContent]),
});
export type BackupPart = v.InferOutput<typeof BackupPart>;

/** POST /accounts/me/backup/{name}: `version` is the one that is replaced, 0 where there is to be none. */
export const BackupWrite = v.object({ version, content: backupContent });
export type BackupWriteJson = v.InferInput<typeof BackupWrite>;
export const BackupWritten = v.object({ name: id128, version });

/** The claims of an account's token (`Authorization: Bearer`), made afresh for each attempt. */
export const AccountTokenClaims = v.object({
  aud: origin,
  htm: v.picklist(["GET", "POST", "PUT", "DELETE"]),
  /** Path and query of the request. */
  htu: v.pipe(v.string(), v.maxLength(2_048)),
  /** SHA-256 of the body in base64url; of nothing, where there is none. */
  body: thumbprint,
  iat: seconds,
});

/** RFC 9457. `code` is the key in `shared/errors.ts`; what else stands there are the error's details. */
export const Problem = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.optional(v.string()),
  code: v.custom<ErrorCode>(isErrorCode, "unknown error code"),
});
