/** Ids of groups and transfers. No client chooses one raw: each is a hash under a domain tag of its own. */
import { hash } from "node:crypto";
import type { TransferId } from "./ledger.ts";

const ID_HEX_DIGITS = 32;
const LENGTH_BYTES = 4;

/**
 * The first 128 bits of SHA-256 over the tag and the parts, each with its length before it, so that no two lists of
 * parts run together into the same bytes.
 */
export function deriveId(domainTag: string, ...parts: readonly string[]): TransferId {
  // One buffer and one call: a payment has several ids, and each further call costs as much as the hash.
  const all = [`tuppence ${domainTag} v1`, ...parts];
  const bytes = Buffer.allocUnsafe(
    all.reduce((length, part) => length + LENGTH_BYTES + Buffer.byteLength(part, "utf8"), 0),
  );
  let offset = 0;
  for (const part of all) {
    const length = bytes.write(part, offset + LENGTH_BYTES, "utf8");
    bytes.writeUInt32BE(length, offset);
    offset += LENGTH_BYTES + length;
  }
  return hash("sha256", bytes, "hex").slice(0, ID_HEX_DIGITS);
}

/** The transfer that spends a coin, whoever spends it and for what. @param y hash_to_curve(secret), compressed, hex */
export function coinTransferId(y: string): TransferId {
  return deriveId("coin", y);
}
