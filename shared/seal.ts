/**
 * Sealed articles. The body is encrypted with AES-256-GCM under a fresh content key; the key is sealed to the
 * provider by HPKE; the **seal**, signed by the merchant, says what the key costs. Paid means delivered.
 */
import * as v from "valibot";
import { CONTENT_KEY_BYTES } from "./article.ts";
import type { Bytes } from "./bytes.ts";
import { contentKeyBinding, openSealed, sealTo } from "./hpke.ts";
import { type SigningKey, signJws, verifyJws } from "./jws.ts";
import { base64url, currency, merchantId, positiveAmount, seconds, url } from "./protocol/fields.ts";
import type { Ed25519PublicJwk, X25519PublicJwk } from "./protocol/provider.ts";

const SEAL_TYPE = "tuppence-seal+jwt";

export const SealClaims = v.object({
  iss: merchantId,
  resource: url,
  amount: positiveAmount,
  currency,
  sealedKey: v.object({ enc: base64url(100), ct: base64url(200) }),
  iat: seconds,
});
export type SealClaims = v.InferOutput<typeof SealClaims>;

export interface SealTerms {
  readonly merchant: string;
  readonly resource: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly issuedAtSeconds: number;
}

/** The signed seal, a compact JWS. */
export async function issueSeal(
  terms: SealTerms,
  contentKey: Uint8Array,
  provider: X25519PublicJwk,
  merchantKey: SigningKey,
): Promise<string> {
  const sealedKey = await sealTo(
    provider,
    "tuppence content key v1",
    contentKeyBinding(terms.merchant, terms.resource),
    contentKey,
  );
  const { merchant, resource, amount, currency: code, issuedAtSeconds } = terms;
  return signJws(
    SEAL_TYPE,
    { iss: merchant, resource, amount: amount.toString(), currency: code, sealedKey, iat: issuedAtSeconds },
    merchantKey,
    "kid",
  );
}

/** The seal's claims, if one of the merchant's registered keys signed it. */
export async function verifySeal(
  seal: string,
  merchant: string,
  merchantKeys: readonly Ed25519PublicJwk[],
): Promise<SealClaims | undefined> {
  const claims = await verifyJws(SEAL_TYPE, seal, merchantKeys, SealClaims);
  return claims?.iss === merchant ? claims : undefined;
}

/** The content key of a verified seal; undefined if it was not sealed to this provider for these terms. */
export async function openSeal(
  claims: Pick<SealClaims, "iss" | "resource" | "sealedKey">,
  providerKey: CryptoKeyPair,
): Promise<Bytes | undefined> {
  const key = await openSealed(
    providerKey,
    "tuppence content key v1",
    contentKeyBinding(claims.iss, claims.resource),
    claims.sealedKey,
  );
  return key?.length === CONTENT_KEY_BYTES ? key : undefined;
}
