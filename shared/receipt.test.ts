import { describe, expect, it } from "vitest";
import { signingKeyFromSeed, signJws, thumbprintOf } from "./jws.ts";
import { micros } from "./money.ts";
import type { Jwks } from "./protocol/provider.ts";
import {
  issueHolderProof,
  issueReceipt,
  type ReceiptClaims,
  verifyHolderProof,
  verifyReceipt,
} from "./receipt.ts";

const expected = {
  issuer: "https://pay.example",
  merchant: "the-lantern",
  resource: "https://lantern.example/a",
  leastAmount: micros(50_000),
};

describe("a receipt", () => {
  it("is the same bytes for the same claims, so that a replay is answered alike", async () => {
    const { claims, provider } = await made();
    expect(await issueReceipt(claims, provider)).toBe(await issueReceipt(claims, provider));
  });
  it("verifies for its merchant, article and amount", async () => {
    const { receipt, jwks } = await made();
    expect((await verifyReceipt(receipt, jwks, expected))?.amount).toBe(50_000n);
  });
  it.each([
    ["another merchant", { merchant: "another" }],
    ["another article", { resource: "https://lantern.example/b" }],
    ["another provider", { issuer: "https://elsewhere.example" }],
    ["a higher price", { leastAmount: micros(50_001) }],
  ])("is worth nothing for %s", async (_, change) => {
    const { receipt, jwks } = await made();
    expect(await verifyReceipt(receipt, jwks, { ...expected, ...change })).toBeUndefined();
  });
  it("is worth nothing when altered, of another type, unsigned, or by another key", async () => {
    const { receipt, jwks, claims, provider, stranger } = await made();
    const [header, payload, signature] = receipt.split(".");
    const json = { ...claims, amount: claims.amount.toString() };
    const none = `${btoa('{"alg":"none","typ":"payment-receipt+jwt"}').replaceAll("=", "")}.${payload}.`;
    for (const bad of [
      `${header}.${payload?.slice(0, -2)}AA.${signature}`,
      none,
      "",
      "a.b.c",
      await issueReceipt(claims, stranger),
      await signJws("tuppence-merchant+jwt", json, provider, "kid"),
      await signJws("payment-receipt+jwt", json, stranger, "jwk"),
    ]) {
      expect(await verifyReceipt(bad, jwks, expected)).toBeUndefined();
    }
  });
});

describe("a holder's proof", () => {
  const asked = {
    origin: "https://lantern.example",
    challenge: "0123456789abcdef",
    nowSeconds: 1_700_000_100,
  };
  it("shows that a copied receipt is not enough", async () => {
    const { claims, holder, stranger } = await made();
    const proof = { aud: asked.origin, challenge: asked.challenge, jti: claims.jti, iat: 1_700_000_100 };
    expect(await verifyHolderProof(await issueHolderProof(proof, holder), claims, asked)).toBe(true);
    expect(await verifyHolderProof(await issueHolderProof(proof, stranger), claims, asked)).toBe(false);
  });
  it.each([
    ["another site", { origin: "https://thief.example" }],
    ["another question", { challenge: "another challenge" }],
    ["a later day", { nowSeconds: 1_700_100_000 }],
  ])("answers no %s", async (_, change) => {
    const { claims, holder } = await made();
    const proof = await issueHolderProof(
      { aud: asked.origin, challenge: asked.challenge, jti: claims.jti, iat: 1_700_000_100 },
      holder,
    );
    expect(await verifyHolderProof(proof, claims, { ...asked, ...change })).toBe(false);
  });
});

async function made() {
  const provider = await signingKeyFromSeed(new Uint8Array(32).fill(1));
  const holder = await signingKeyFromSeed(new Uint8Array(32).fill(2));
  const stranger = await signingKeyFromSeed(new Uint8Array(32).fill(3));
  const jkt = await thumbprintOf(holder.publicJwk);
  const claims: ReceiptClaims = {
    iss: expected.issuer,
    aud: expected.merchant,
    jti: "00112233445566778899aabbccddeeff",
    sub: jkt,
    cnf: { jkt },
    amount: micros(50_000),
    currency: "USD",
    resource: expected.resource,
    kind: "article",
    iat: 1_700_000_000,
  };
  const jwks: Jwks = { keys: [{ ...provider.publicJwk, kid: await thumbprintOf(provider.publicJwk) }] };
  return { provider, holder, stranger, claims, jwks, receipt: await issueReceipt(claims, provider) };
}
