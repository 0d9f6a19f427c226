/** What only the provider may read: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM. */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { type Bytes, fromBase64url, toBase64url, utf8 } from "./bytes.ts";
import { canonicalJson } from "./canonical.ts";
import type { X25519PublicJwk } from "./protocol/provider.ts";
import type { PaymentRequirementsJson } from "./protocol/x402.ts";

/** It keeps nothing of what it sealed or opened, and is slow to make. */
const SUITE = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

export type SealPurpose = "tuppence payment v1" | "tuppence content key v1";

export interface SealedBytes {
  readonly enc: string;
  readonly ct: string;
}

/** @param associated what the content is bound to; it is not part of the result, and opening needs the same */
export async function sealTo(
  recipient: X25519PublicJwk,
  purpose: SealPurpose,
  associated: string,
  content: Uint8Array,
): Promise<SealedBytes> {
  const recipientPublicKey = await SUITE.kem.importKey("raw", fromBase64url(recipient.x).buffer, true);
  const { enc, ct } = await SUITE.seal(
    { recipientPublicKey, info: utf8(purpose).buffer },
    new Uint8Array(content).buffer,
    utf8(associated).buffer,
  );
  return { enc: toBase64url(new Uint8Array(enc)), ct: toBase64url(new Uint8Array(ct)) };
}

/** The content, or undefined if it was sealed to another key, for another purpose, or bound to something else. */
export async function openSealed(
  recipientKey: CryptoKeyPair,
  purpose: SealPurpose,
  associated: string,
  sealed: SealedBytes,
): Promise<Bytes | undefined> {
  try {
    const content = await SUITE.open(
      { recipientKey, enc: fromBase64url(sealed.enc).buffer, info: utf8(purpose).buffer },
      fromBase64url(sealed.ct).buffer,
      utf8(associated).buffer,
    );
    return new Uint8Array(content);
  } catch {
    return undefined;
  }
}

/** With its public half, which would be computed anew each time that something is opened. @param secret 32 bytes (RFC 7748) */
export async function importSealingKey(secret: Uint8Array): Promise<CryptoKeyPair> {
  const privateKey = await SUITE.kem.importKey("raw", new Uint8Array(secret).buffer, false);
  const { x = "" } = await crypto.subtle.exportKey("jwk", privateKey);
  return { privateKey, publicKey: await SUITE.kem.importKey("raw", fromBase64url(x).buffer, true) };
}

/** What a sealed payment is bound to: nobody can take it for another merchant, amount, article or time. */
export function paymentBinding(
  accepted: PaymentRequirementsJson,
  resourceUrl: string,
  expiresAt: number,
): string {
  return canonicalJson({ accepted, resource: resourceUrl, expiresAt });
}

/** What a content key is bound to. */
export function contentKeyBinding(merchant: string, resourceUrl: string): string {
  return canonicalJson({ merchant, resource: resourceUrl });
}
