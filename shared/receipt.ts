/** The provider's signed proof of a payment: a compact JWS that names no reader. */
import * as v from "valibot";
import { type SigningKey, signJws, verifyJws, verifySelfSigned } from "./jws.ts";
import { add, type Micros, ZERO } from "./money.ts";
import { amount, currency, id128, merchantId, origin, seconds, thumbprint, url } from "./protocol/fields.ts";
import type { Jwks } from "./protocol/provider.ts";
import { PaymentKind } from "./protocol/x402.ts";

const RECEIPT_TYPE = "payment-receipt+jwt";
const HOLDER_TYPE = "tuppence-holder+jwt";

/** How long a holder's proof is taken for fresh, in either direction of a wrong clock. */
export const HOLDER_PROOF_SECONDS = 300;

export const ReceiptClaims = v.object({
  iss: origin,
  aud: merchantId,
  jti: id128,
  sub: thumbprint,
  cnf: v.object({ jkt: thumbprint }),
  amount,
  currency,
  resource: url,
  kind: PaymentKind,
  iat: seconds,
});
export type ReceiptClaims = v.InferOutput<typeof ReceiptClaims>;

/** The same claims always give the same receipt: Ed25519 is deterministic, and the claims come from the ledger. */
export async function issueReceipt(claims: ReceiptClaims, key: SigningKey): Promise<string> {
  const { iss, aud, jti, sub, cnf, currency: code, resource, kind, iat } = claims;
  return signJws(
    RECEIPT_TYPE,
    { iss, aud, jti, sub, cnf, amount: claims.amount.toString(), currency: code, resource, kind, iat },
    key,
    "kid",
  );
}

export interface ReceiptExpectation {
  readonly issuer: string;
  readonly merchant: string;
  readonly resource: string;
  /** The least that must have been paid. Zero where any payment counts. */
  readonly leastAmount: Micros;
}

/** The claims, if the receipt is genuine and for what is expected; undefined for every flaw. */
export async function verifyReceipt(
  receipt: string,
  jwks: Jwks,
  expected: ReceiptExpectation,
): Promise<ReceiptClaims | undefined> {
  const claims = await verifyJws(RECEIPT_TYPE, receipt, jwks.keys, ReceiptClaims);
  if (!claims) return undefined;
  const fits =
    claims.iss === expected.issuer &&
    claims.aud === expected.merchant &&
    claims.resource === expected.resource &&
    claims.sub === claims.cnf.jkt &&
    claims.amount >= add(expected.leastAmount, ZERO);
  return fits ? claims : undefined;
}

export const HolderProofClaims = v.object({
  /** The origin that asked. */
  aud: origin,
  /** What that origin wanted to have signed: a copied proof answers no other question. */
  challenge: v.pipe(v.string(), v.minLength(12), v.maxLength(2_100)),
  jti: id128,
  iat: seconds,
});

export async function issueHolderProof(
  claims: v.InferInput<typeof HolderProofClaims>,
  holder: SigningKey,
): Promise<string> {
  return signJws(HOLDER_TYPE, claims, holder, "jwk");
}

/** True if the holder of `receipt` signed this challenge for this origin just now. */
export async function verifyHolderProof(
  proof: string,
  receipt: ReceiptClaims,
  expected: { readonly origin: string; readonly challenge: string; readonly nowSeconds: number },
): Promise<boolean> {
  const verified = await verifySelfSigned(HOLDER_TYPE, proof, HolderProofClaims);
  return (
    verified !== undefined &&
    verified.thumbprint === receipt.cnf.jkt &&
    verified.claims.aud === expected.origin &&
    verified.claims.challenge === expected.challenge &&
    verified.claims.jti === receipt.jti &&
    Math.abs(verified.claims.iat - expected.nowSeconds) <= HOLDER_PROOF_SECONDS
  );
}
