/** Compact JWS (RFC 7515) with Ed25519 (RFC 8037), one algorithm and one type each, checked before the content. */
import { CompactSign, calculateJwkThumbprint, compactVerify, importJWK } from "jose";
import * as v from "valibot";
import { fromBase64url, fromUtf8, utf8 } from "./bytes.ts";
import { Ed25519PublicJwk } from "./protocol/provider.ts";

const ALGORITHM = "EdDSA";

/** A key that can sign, with the public half that others know it by. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: Ed25519PublicJwk;
}

export type JwsType =
  | "payment-receipt+jwt"
  | "tuppence-merchant+jwt"
  | "tuppence-seal+jwt"
  | "tuppence-kept-seals+jwt"
  | "tuppence-holder+jwt"
  | "tuppence-account+jwt"
  | "tuppence-statement+jwt"
  | "tuppence-handover+jwt";

/** `by: "kid"` names the key by its thumbprint; `by: "jwk"` carries it, for keys that nobody published. */
export async function signJws(
  type: JwsType,
  claims: object,
  key: SigningKey,
  by: "kid" | "jwk",
): Promise<string> {
  const { kty, crv, x } = key.publicJwk;
  const name = by === "kid" ? { kid: await thumbprintOf(key.publicJwk) } : { jwk: { kty, crv, x } };
  return new CompactSign(utf8(JSON.stringify(claims)))
    .setProtectedHeader({ alg: ALGORITHM, typ: type, ...name })
    .sign(key.privateKey);
}

/**
 * The claims, if `token` is a JWS of this type, signed by one of `keys` (named by its `kid`), and the claims
 * fit the schema. Undefined otherwise: to the caller every flaw is the same.
 */
export async function verifyJws<S extends v.GenericSchema>(
  type: JwsType,
  token: string,
  keys: readonly Ed25519PublicJwk[],
  claims: S,
): Promise<v.InferOutput<S> | undefined> {
  const header = decodeHeader(token);
  if (!header || header.typ !== type || header.kid === undefined) return undefined;
  for (const key of keys) {
    if ((await thumbprintOf(key)) === header.kid) return verifyWith(token, key, claims);
  }
  return undefined;
}

/** As `verifyJws`, for a token that carries its own key: the signer is who that key's thumbprint says. */
export async function verifySelfSigned<S extends v.GenericSchema>(
  type: JwsType,
  token: string,
  claims: S,
): Promise<{ claims: v.InferOutput<S>; thumbprint: string } | undefined> {
  const header = decodeHeader(token);
  if (!header || header.typ !== type || !header.jwk) return undefined;
  const verified = await verifyWith(token, header.jwk, claims);
  return verified === undefined
    ? undefined
    : { claims: verified, thumbprint: await thumbprintOf(header.jwk) };
}

/** Reads claims without any check. For a wallet's own stored tokens, and to find out whose key to ask for. */
export function readUnverified<S extends v.GenericSchema>(
  token: string,
  claims: S,
): v.InferOutput<S> | undefined {
  try {
    const parsed = v.safeParse(claims, JSON.parse(fromUtf8(fromBase64url(token.split(".")[1] ?? ""))));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7638, SHA-256. */
export function thumbprintOf({ kty, crv, x }: Ed25519PublicJwk): Promise<string> {
  return remembered(thumbprints, x, () => calculateJwkThumbprint({ kty, crv, x }));
}

/** @param seed 32 bytes, the private key as RFC 8032 defines it */
export async function signingKeyFromSeed(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== 32) throw new RangeError("an Ed25519 seed has 32 bytes");
  const pkcs8 = new Uint8Array([...PKCS8_ED25519_PREFIX, ...seed]);
  const extractable = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", extractable);
  const publicJwk = v.parse(Ed25519PublicJwk, { kty: jwk.kty, crv: jwk.crv, x: jwk.x });
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  return { privateKey, publicJwk };
}

/** RFC 8410: the DER that stands before the 32 bytes of an Ed25519 private key. */
const PKCS8_ED25519_PREFIX = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

const Header = v.strictObject({
  alg: v.literal(ALGORITHM),
  typ: v.string(),
  kid: v.optional(v.string()),
  jwk: v.optional(Ed25519PublicJwk),
});

function decodeHeader(token: string): v.InferOutput<typeof Header> | undefined {
  try {
    const parsed = v.safeParse(Header, JSON.parse(fromUtf8(fromBase64url(token.split(".")[0] ?? ""))));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function importKey({ kty, crv, x }: Ed25519PublicJwk): ImportedKey {
  return remembered(verifyingKeys, x, () => importJWK({ kty, crv, x }, ALGORITHM));
}

/** A provider's or a merchant's key comes again with every payment; a holder's comes once, so that old ones have to go. */
const MAX_REMEMBERED_KEYS = 500;
const thumbprints = new Map<string, Promise<string>>();
const verifyingKeys = new Map<string, ImportedKey>();
type ImportedKey = ReturnType<typeof importJWK>;

/** What was made of the key with these bytes before, or is made of it now. Failures are not kept. */
function remembered<T>(made: Map<string, Promise<T>>, x: string, make: () => Promise<T>): Promise<T> {
  const before = made.get(x);
  if (before) return before;
  if (made.size >= MAX_REMEMBERED_KEYS) made.clear();
  const now = make();
  made.set(x, now);
  now.catch(() => made.delete(x));
  return now;
}

async function verifyWith<S extends v.GenericSchema>(
  token: string,
  key: Ed25519PublicJwk,
  claims: S,
): Promise<v.InferOutput<S> | undefined> {
  try {
    const { payload } = await compactVerify(token, await importKey(key), { algorithms: [ALGORITHM] });
    const parsed = v.safeParse(claims, JSON.parse(fromUtf8(payload)));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
