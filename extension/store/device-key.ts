/**
 * A key of this device: an AES-GCM key that WebCrypto made not to be exported, so that no script, ours included, can read
 * it out or carry it off. It lies in the same profile, though, beside what it seals.
 */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes.ts";

const NONCE_BYTES = 12;

/** What `sealUnder` makes of bytes. */
export const sealedFields = { nonce: v.instance(Uint8Array), wrapped: v.instance(Uint8Array) };
export interface Sealed {
  readonly nonce: Uint8Array;
  readonly wrapped: Uint8Array;
}

export function makeDeviceKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

export async function sealUnder(
  key: CryptoKey,
  bytes: Bytes,
): Promise<{ readonly nonce: Bytes; readonly wrapped: Bytes }> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return {
    nonce,
    wrapped: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, bytes)),
  };
}

/** Rejects if it was changed, or sealed under another key. */
export async function openUnder(key: CryptoKey, { nonce, wrapped }: Sealed): Promise<Bytes> {
  const iv = new Uint8Array(nonce);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, new Uint8Array(wrapped)));
}
