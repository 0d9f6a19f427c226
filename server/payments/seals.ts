/** Verified and opened seals. A popular article's seal is verified once, not with every payment. */
import type { Bytes } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { openSeal, type SealClaims, verifySeal } from "../../shared/seal.ts";
import type { Merchant } from "../merchants/index.ts";
import { forgetOldest } from "./forget-oldest.ts";

export interface OpenedSeal {
  readonly claims: SealClaims;
  readonly contentKey: Bytes;
}

export interface SealReader {
  /** @throws TuppenceError seal_invalid, seal_outdated */
  read(seal: string, merchant: Merchant): Promise<OpenedSeal>;
  /** The content key that a committed payment was for. @throws TuppenceError seal_invalid */
  open(claims: Pick<SealClaims, "iss" | "resource" | "sealedKey">): Promise<Bytes>;
}

/** At most 8 kB each, so at most 16 MB. */
const MAX_CACHED_SEALS = 2_000;

export function createSealReader(sealingKey: CryptoKeyPair): SealReader {
  const opened = new Map<string, OpenedSeal>();

  async function read(seal: string, merchant: Merchant): Promise<OpenedSeal> {
    // The keys stand in the cache's key: a key that the merchant withdraws takes the seals it signed along.
    const cacheKey = `${merchant.id} ${merchant.sealKeys.map(({ x }) => x).join(",")} ${seal}`;
    const cached = opened.get(cacheKey);
    const known = cached ?? (await verifyAndOpen(seal, merchant));
    if (cached) opened.delete(cacheKey);
    else if (opened.size >= MAX_CACHED_SEALS) forgetOldest(opened);
    opened.set(cacheKey, known);
    if (known.claims.iat < merchant.sealsValidFrom)
      throw new TuppenceError("seal_outdated", { validFrom: merchant.sealsValidFrom });
    return known;
  }

  async function verifyAndOpen(seal: string, merchant: Merchant): Promise<OpenedSeal> {
    const claims = await verifySeal(seal, merchant.id, merchant.sealKeys);
    if (!claims) throw new TuppenceError("seal_invalid");
    return { claims, contentKey: await open(claims) };
  }

  async function open(claims: Pick<SealClaims, "iss" | "resource" | "sealedKey">): Promise<Bytes> {
    const contentKey = await openSeal(claims, sealingKey);
    if (!contentKey) throw new TuppenceError("seal_invalid");
    return contentKey;
  }

  return { read, open };
}
