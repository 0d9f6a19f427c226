/** What the dashboard's pages and a merchant's programs say to the provider under `/api/`, and what it answers. */
import * as v from "valibot";
import { MAX_TEXT_LENGTH, merchantId, origin } from "./fields.ts";

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
export const label = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "is empty"),
  v.maxLength(MAX_TEXT_LENGTH),
  // PostgreSQL takes neither: the character of number zero, and half of a pair of surrogates.
  v.check((value) => !value.includes("\0") && value.isWellFormed(), "is not text"),
);

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

/** A new merchant of whoever is signed in. */
export const MerchantRequest = v.object({ id: merchantId, name: label });

export const SiteRequest = v.object({ origin });
