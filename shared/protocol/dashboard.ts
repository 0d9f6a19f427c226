/** What the dashboard's pages and a merchant's programs say to the provider under `/api/`, and what it answers. */
import * as v from "valibot";
import {
  amount,
  base64url,
  id128,
  MAX_TEXT_LENGTH,
  merchantId,
  oneLine,
  origin,
  refundPolicy,
  seconds,
} from "./fields.ts";
import { Ed25519PublicJwk } from "./provider.ts";

/** What an API key may be allowed to do. A person who signed in by passkey may do all of it, and make keys. */
export const SCOPES = [
  "payments:read",
  "refunds:write",
  "statements:read",
  "sites:read",
  "sites:write",
  "webhooks:read",
  "webhooks:write",
] as const;
export const Scope = v.picklist(SCOPES);
export type Scope = v.InferOutput<typeof Scope>;

/** What a person reads, of one line. */
export const label = oneLine(MAX_TEXT_LENGTH);

const milliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const ApiKeyRequest = v.object({
  name: label,
  scopes: v.pipe(v.array(Scope), v.minLength(1, "has no scope"), v.maxLength(SCOPES.length)),
});
export const ApiKey = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(Scope),
  createdAt: milliseconds,
  /** To the hour. */
  lastUsedAt: v.nullable(milliseconds),
});
export type ApiKey = v.InferOutput<typeof ApiKey>;
export const ApiKeyList = v.object({ keys: v.array(ApiKey) });
/** `token` is told once. */
export const ApiKeyMade = v.object({ key: ApiKey, token: v.string() });

/** So that nobody takes all the good names. */
export const MAX_MERCHANTS_PER_OWNER = 20;

/** A new merchant of whoever is signed in. */
export const MerchantRequest = v.object({ id: merchantId, name: label });

export const SiteRequest = v.object({ origin });

const MAX_CREDENTIAL_LENGTH = 1_400;
const MAX_ATTESTATION_LENGTH = 16_384;
const passkeyId = base64url(MAX_CREDENTIAL_LENGTH);
const MAX_TRANSPORTS = 10;

/** WebAuthn's `RegistrationResponseJSON`, as far as it is read. */
export const RegistrationResponse = v.object({
  id: passkeyId,
  rawId: passkeyId,
  type: v.literal("public-key"),
  response: v.object({
    clientDataJSON: base64url(MAX_ATTESTATION_LENGTH),
    attestationObject: base64url(MAX_ATTESTATION_LENGTH),
    transports: v.exactOptional(
      v.pipe(v.array(v.pipe(v.string(), v.maxLength(40))), v.maxLength(MAX_TRANSPORTS)),
    ),
  }),
});
/** WebAuthn's `AuthenticationResponseJSON`, as far as it is read. */
export const AuthenticationResponse = v.object({
  id: passkeyId,
  rawId: passkeyId,
  type: v.literal("public-key"),
  response: v.object({
    clientDataJSON: base64url(MAX_ATTESTATION_LENGTH),
    authenticatorData: base64url(MAX_ATTESTATION_LENGTH),
    signature: base64url(MAX_ATTESTATION_LENGTH),
    userHandle: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(200)))),
  }),
});

/** `name` is for the list of passkeys: "Laptop". */
export const PasskeyRequest = v.object({ name: label, response: RegistrationResponse });
/** `name` is what the authenticator shows; the provider does not keep it. */
export const PasskeyOptionsRequest = v.object({ name: label });
export const SignInRequest = v.object({ response: AuthenticationResponse });
export const RecoveryRequest = v.object({ code: v.pipe(v.string(), v.maxLength(100)) });
/** They are told once, and replace those before. */
export const RecoveryCodes = v.object({ codes: v.array(v.string()) });

export const Passkey = v.object({
  id: v.string(),
  name: v.string(),
  createdAt: milliseconds,
  lastUsedAt: milliseconds,
});
export type Passkey = v.InferOutput<typeof Passkey>;

/** Whoever is signed in. */
export const Me = v.object({
  passkeys: v.array(Passkey),
  recoveryCodesLeft: v.number(),
  merchants: v.array(v.object({ id: v.string(), name: v.string() })),
});
export type Me = v.InferOutput<typeof Me>;

/** The ways to prove that a site is one's own (`server/sites/prove.ts`). */
const PROOF_METHODS = ["file", "meta", "dns"] as const;
export const ProofMethod = v.picklist(PROOF_METHODS);
export type ProofMethod = v.InferOutput<typeof ProofMethod>;

/** Where a proof was looked for, and what stood there, in words. */
export const ProofAttempt = v.object({ method: ProofMethod, found: v.boolean(), seen: v.string() });
export type ProofAttempt = v.InferOutput<typeof ProofAttempt>;

export const Site = v.object({
  origin: v.string(),
  /** What the file, the tag or the record has to hold. */
  token: v.string(),
  method: v.nullable(ProofMethod),
  /** Null: not proven, and readers' wallets refuse to pay there. */
  provenAt: v.nullable(milliseconds),
  /** Since when the proof is not found any more. It counts for some days still. */
  missingSince: v.nullable(milliseconds),
});
export type Site = v.InferOutput<typeof Site>;
export const SiteList = v.object({ sites: v.array(Site) });
export const SiteChecked = v.object({ site: Site, attempts: v.array(ProofAttempt) });
export type SiteChecked = v.InferOutput<typeof SiteChecked>;

/** GET /api/provider: what the pages say of the provider. */
export const DashboardProvider = v.object({
  name: v.string(),
  /** The anonymous origin, which stands in what a merchant pastes. */
  origin: v.string(),
  currency: v.string(),
  /** No money of anybody's is behind it. */
  playMoney: v.boolean(),
  mode: v.picklist(["live", "test"]),
  /** The accounts origin of the provider of the other mode, where its dashboard is; null where there is none. */
  counterpart: v.nullable(v.string()),
  feeBasisPoints: v.number(),
});
export type DashboardProvider = v.InferOutput<typeof DashboardProvider>;

const MAX_REFUND_WINDOW_SECONDS = 90 * 24 * 3_600;
export const MAX_ORIGINS = 20;
const MAX_SEAL_KEYS = 10;

/** What an owner may change. What is left out stays. `payoutMinimum`: below it a settlement is carried forward. `frameParents`: origins of top pages in which the merchant's frames may ask. `sealKeys`: whose signature a seal must carry, those issued before `sealsValidFrom` (seconds since 1970) are refused. */
export const MerchantSettingsRequest = v.object({
  name: v.optional(label),
  refundWindowSeconds: v.optional(v.pipe(seconds, v.maxValue(MAX_REFUND_WINDOW_SECONDS))),
  /** What readers may take back by themselves in a day, all of them together; null: everything. What is beyond is the merchant's to give. */
  refundsPerDay: v.optional(v.nullable(amount)),
  /** What readers are told of refunds, in the merchant's words; null: nothing. */
  refundPolicy: v.optional(v.nullable(refundPolicy)),
  payoutMinimum: v.optional(amount),
  frameParents: v.optional(v.pipe(v.array(origin), v.maxLength(MAX_ORIGINS))),
  sealKeys: v.optional(v.pipe(v.array(Ed25519PublicJwk), v.maxLength(MAX_SEAL_KEYS))),
  sealsValidFrom: v.optional(seconds),
});
export const MerchantSettings = v.object({
  id: v.string(),
  name: v.string(),
  origins: v.array(v.string()),
  refundWindowSeconds: seconds,
  refundsPerDay: v.nullable(amount),
  refundPolicy: v.nullable(v.string()),
  payoutMinimum: amount,
  frameParents: v.array(v.string()),
  sealKeys: v.array(Ed25519PublicJwk),
  sealsValidFrom: seconds,
});
export type MerchantSettings = v.InferOutput<typeof MerchantSettings>;

/**
 * POST /api/merchants/{id}/payments/{payment}/refund. `granted`: the money is set aside for the reader. `waiting`: the payment
 * was settled, and the merchant's next settlements have to pay it first. `collected`: the reader has it.
 * `uncollected`: nobody fetched it within a year, and it is the merchant's again.
 */
export const RefundGranted = v.object({
  paymentId: id128,
  amount,
  state: v.picklist(["waiting", "granted", "collected", "uncollected"]),
});
export type RefundGranted = v.InferInput<typeof RefundGranted>;
