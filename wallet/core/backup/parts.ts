/**
 * One part of a backup: sealed with AES-256-GCM under a key of the phrase, with a fresh nonce each time, bound to its name,
 * and padded before that, so that the provider sees one of a few sizes and a name that says nothing:
 *
 *   nonce (12) ‖ AES-GCM( length of the text in bytes, big-endian (4) ‖ text in UTF-8 ‖ zeros )
 *
 * What a name stands for only the phrase tells: `head`, `coins` or `payments`, the device, and a number.
 */
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "../../../shared/bytes.ts";
import { BACKUP_STEPS_BYTES } from "../../../shared/protocol/provider.ts";
import type { BackupKeys } from "../keys.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES + LENGTH_BYTES;

/** What a part may hold at most, in bytes of UTF-8. */
export const MAX_PART_BYTES = Math.max(...BACKUP_STEPS_BYTES) - OVERHEAD_BYTES;

/** base64url. @throws RangeError where it is longer than a part may be */
export async function sealPart(
  { sealingKey }: BackupKeys,
  name: string,
  text: string,
  nonce: Uint8Array,
): Promise<string> {
  const content = utf8(text);
  const step = BACKUP_STEPS_BYTES.find((bytes) => bytes >= content.length + OVERHEAD_BYTES);
  if (step === undefined) throw new RangeError(`a part of a backup has ${MAX_PART_BYTES} bytes at most`);
  const padded = new Uint8Array(step - NONCE_BYTES - TAG_BYTES);
  new DataView(padded.buffer).setUint32(0, content.length);
  padded.set(content, LENGTH_BYTES);
  const iv = new Uint8Array(nonce);
  const cipher = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: bindingOf(name) },
    await sealingKey,
    padded,
  );
  const sealed = new Uint8Array(step);
  sealed.set(iv);
  sealed.set(new Uint8Array(cipher), NONCE_BYTES);
  return toBase64url(sealed);
}

/** Undefined where it was altered, cut, or stood under another name. */
export async function openPart(
  { sealingKey }: BackupKeys,
  name: string,
  sealed: string,
): Promise<string | undefined> {
  try {
    const bytes = fromBase64url(sealed);
    const iv = bytes.slice(0, NONCE_BYTES);
    const padded = new Uint8Array(
      await crypto.subtle.decrypt(
        { name: "AES-GCM", iv, additionalData: bindingOf(name) },
        await sealingKey,
        bytes.slice(NONCE_BYTES),
      ),
    );
    const length = new DataView(padded.buffer).getUint32(0);
    return fromUtf8(padded.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  } catch {
    return undefined;
  }
}

export const NONCE_OF_A_PART_BYTES = NONCE_BYTES;

function bindingOf(name: string): Uint8Array<ArrayBuffer> {
  return utf8(`tuppence backup v1 ${name}`);
}
