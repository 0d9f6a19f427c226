/**
 * Lets a back end recognise who has paid, by the header `PAYMENT-RECEIPT: <receipt>~<holder proof>`: the receipt is the
 * provider's word that this resource was paid for, the proof shows that whoever sends it is the one who paid.
 */
import * as v from "valibot";
import { readUnverified } from "../../shared/jws.ts";
import type { Micros } from "../../shared/money.ts";
import { Jwks, RevokedReceipts } from "../../shared/protocol/provider.ts";
import {
  HOLDER_PROOF_SECONDS,
  HolderProofClaims,
  type ReceiptClaims,
  verifyHolderProof,
  verifyReceipt,
} from "../../shared/receipt.ts";
import { cachedValue } from "./cached.ts";

export const RECEIPT_HEADER = "payment-receipt";

const MAX_HEADER_LENGTH = 16_400;
const JWKS_MS = 3_600_000;
/** Receipts under a key that is new to us ask for the keys again, but not more often than this. */
const JWKS_RETRY_MS = 60_000;
/** How long a refunded receipt may still open what it opened. */
const REVOKED_MS = 30_000;
const ANSWER_MS = 3_000;

export interface ReceiptVerifierDeps {
  /** The provider's anonymous origin, and this site's id there. */
  readonly provider: string;
  readonly merchant: string;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Entitlement {
  /** The absolute address that is asked for, as it stood in the offer. */
  readonly resource: string;
  /**
   * The least that must have been paid. Never zero for what has a price: anyone can pay a tenth of a cent for any
   * address, and the provider truly receipts it.
   */
  readonly leastAmount: Micros;
}

export interface ReceiptVerifier {
  /** The receipt's claims if it opens the resource for whoever sent the header; undefined for every flaw. */
  readonly verifyReceipt: (
    header: string | undefined,
    entitlement: Entitlement,
  ) => Promise<ReceiptClaims | undefined>;
}

export function createReceiptVerifier(deps: ReceiptVerifierDeps): ReceiptVerifier {
  const jwks = cachedValue(() => fetchDecoded(deps, "/.well-known/jwks.json", Jwks), JWKS_MS, deps);
  const revoked = cachedValue(async () => readRevoked(deps), REVOKED_MS, deps);

  return {
    async verifyReceipt(header, entitlement) {
      const [receipt, proof, ...rest] =
        header !== undefined && header.length <= MAX_HEADER_LENGTH ? header.split("~") : [];
      if (!receipt || !proof || rest.length > 0) return undefined;
      const claims = await readReceipt(receipt, entitlement);
      if (claims?.kind !== "article" || !(await isHeldBySender(proof, claims))) return undefined;
      // Where the list was never to be had, the signatures alone decide: who paid is not locked out by an outage.
      return (await revoked.get())?.has(claims.jti) ? undefined : claims;
    },
  };

  async function readReceipt(
    receipt: string,
    { resource, leastAmount }: Entitlement,
  ): Promise<ReceiptClaims | undefined> {
    const expected = { issuer: deps.provider, merchant: deps.merchant, resource, leastAmount };
    const known = await jwks.get();
    const claims = known && (await verifyReceipt(receipt, known, expected));
    if (claims) return claims;
    const newer = await jwks.get(deps.now() - JWKS_RETRY_MS);
    return newer && newer !== known ? verifyReceipt(receipt, newer, expected) : undefined;
  }

  /** The challenge is the page's own: this path and query, and a moment ago. */
  async function isHeldBySender(proof: string, claims: ReceiptClaims): Promise<boolean> {
    const challenge = readUnverified(proof, HolderProofClaims)?.challenge;
    const { origin, pathname, search } = new URL(claims.resource);
    const nowSeconds = Math.floor(deps.now() / 1_000);
    const [, path, seconds] = /^(.*)#([0-9]{1,12})$/.exec(challenge ?? "") ?? [];
    if (challenge === undefined || path !== `${pathname}${search}`) return false;
    if (Math.abs(Number(seconds) - nowSeconds) > HOLDER_PROOF_SECONDS) return false;
    return verifyHolderProof(proof, claims, { origin, challenge, nowSeconds });
  }
}

async function readRevoked(deps: ReceiptVerifierDeps): Promise<ReadonlySet<string> | undefined> {
  const list = await fetchDecoded(deps, "/receipts/revoked", RevokedReceipts);
  return list && new Set(list.revoked.map(({ jti }) => jti));
}

async function fetchDecoded<S extends v.GenericSchema>(
  { provider, fetch: request }: ReceiptVerifierDeps,
  path: string,
  schema: S,
): Promise<v.InferOutput<S> | undefined> {
  const response = await request(`${provider}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
  const decoded = v.safeParse(schema, await response.json());
  return decoded.success ? decoded.output : undefined;
}
