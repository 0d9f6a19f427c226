/** Ids of groups and transfers. No client chooses one raw: each is a hash under a domain tag of its own. */
import { createHash } from "node:crypto";
import type { TransferId } from "./ledger.ts";

const ID_BYTES = 16;

/**
 * The first 128 bits of SHA-256 over the tag and the parts, each with its length before it, so that no two lists of
 * parts run together into the same bytes.
 */
export function deriveId(domainTag: string, ...parts: readonly string[]): TransferId {
  const hash = createHash("sha256");
  for (const part of [`tuppence ${domainTag} v1`, ...parts]) {
    const bytes = Buffer.from(part, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest().subarray(0, ID_BYTES).toString("hex");
}

/** The transfer that spends a coin, whoever spends it and for what. @param y hash_to_curve(secret), compressed, hex */
export function coinTransferId(y: string): TransferId {
  return deriveId("coin", y);
}
