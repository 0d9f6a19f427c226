/** The body of a sealed article: AES-256-GCM, by WebCrypto alone, because the snippet carries this file into every page. */
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "./bytes.ts";

const NONCE_BYTES = 12;
export const CONTENT_KEY_BYTES = 32;

/** Nonce and ciphertext in one, base64url. The resource is bound, so that one article cannot stand in for another. */
export async function encryptArticle(
  html: string,
  contentKey: Uint8Array,
  resource: string,
  nonce: Uint8Array,
): Promise<string> {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`a nonce has ${NONCE_BYTES} bytes`);
  const key = await importContentKey(contentKey, "encrypt");
  const cipher = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: new Uint8Array(nonce), additionalData: utf8(resource) },
    key,
    utf8(html),
  );
  const sealed = new Uint8Array(NONCE_BYTES + cipher.byteLength);
  sealed.set(nonce);
  sealed.set(new Uint8Array(cipher), NONCE_BYTES);
  return toBase64url(sealed);
}

/** The article's HTML; undefined if the key is another one or the ciphertext was altered. */
export async function decryptArticle(
  sealed: string,
  contentKey: Uint8Array,
  resource: string,
): Promise<string | undefined> {
  try {
    const bytes = fromBase64url(sealed);
    const key = await importContentKey(contentKey, "decrypt");
    const algorithm = { name: "AES-GCM", iv: bytes.slice(0, NONCE_BYTES), additionalData: utf8(resource) };
    return fromUtf8(new Uint8Array(await crypto.subtle.decrypt(algorithm, key, bytes.slice(NONCE_BYTES))));
  } catch {
    return undefined;
  }
}

function importContentKey(contentKey: Uint8Array, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(contentKey), "AES-GCM", false, [use]);
}
