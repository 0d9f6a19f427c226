import { describe, expect, it } from "vitest";
import { decryptArticle, encryptArticle } from "./article.ts";
import { toBase64url } from "./bytes.ts";
import { importSealingKey, openSealed, paymentBinding, sealTo } from "./hpke.ts";
import { signingKeyFromSeed } from "./jws.ts";
import { micros } from "./money.ts";
import { makeOffer } from "./offer.ts";
import type { X25519PublicJwk } from "./protocol/provider.ts";
import { issueSeal, openSeal, verifySeal } from "./seal.ts";

const terms = {
  merchant: "the-lantern",
  resource: "https://lantern.example/a",
  amount: 50_000n,
  currency: "USD",
  issuedAtSeconds: 1_700_000_000,
};
const contentKey = new Uint8Array(32).fill(7);

describe("a seal", () => {
  it("opens for the provider that it was made for, and gives the content key back", async () => {
    const { provider, merchantKey } = await keys();
    const seal = await issueSeal(terms, contentKey, provider.publicJwk, merchantKey);
    const claims = await verifySeal(seal, "the-lantern", [merchantKey.publicJwk]);
    expect(claims?.amount).toBe(micros(50_000));
    expect(claims && (await openSeal(claims, provider.privateKey))).toEqual(contentKey);
  });

  it("is refused when another key signed it, or for another merchant", async () => {
    const { provider, merchantKey, otherKey } = await keys();
    const seal = await issueSeal(terms, contentKey, provider.publicJwk, otherKey);
    expect(await verifySeal(seal, "the-lantern", [merchantKey.publicJwk])).toBeUndefined();
    expect(await verifySeal(seal, "another", [otherKey.publicJwk])).toBeUndefined();
  });

  it("is refused when its price is changed", async () => {
    const { provider, merchantKey } = await keys();
    const seal = await issueSeal(terms, contentKey, provider.publicJwk, merchantKey);
    const [header, payload, signature] = seal.split(".");
    const claims: unknown = JSON.parse(atob((payload ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    const cheaper = toBase64url(
      new TextEncoder().encode(JSON.stringify(Object.assign({}, claims, { amount: "1000" }))),
    );
    expect(
      await verifySeal(`${header}.${cheaper}.${signature}`, "the-lantern", [merchantKey.publicJwk]),
    ).toBeUndefined();
  });

  it("does not open when its key was lifted into a seal for another article", async () => {
    const { provider, merchantKey } = await keys();
    const claims = await verifySeal(
      await issueSeal(terms, contentKey, provider.publicJwk, merchantKey),
      "the-lantern",
      [merchantKey.publicJwk],
    );
    expect(
      claims && (await openSeal({ ...claims, resource: "https://lantern.example/b" }, provider.privateKey)),
    ).toBeUndefined();
  });
});

describe("a sealed article", () => {
  const nonce = new Uint8Array(12).fill(3);
  it("opens with its key, and with no other", async () => {
    const sealed = await encryptArticle("<p>Tide mills</p>", contentKey, terms.resource, nonce);
    expect(await decryptArticle(sealed, contentKey, terms.resource)).toBe("<p>Tide mills</p>");
    expect(await decryptArticle(sealed, new Uint8Array(32), terms.resource)).toBeUndefined();
  });
  it("cannot stand in for another article, nor be altered", async () => {
    const sealed = await encryptArticle("<p>Tide mills</p>", contentKey, terms.resource, nonce);
    expect(await decryptArticle(sealed, contentKey, "https://lantern.example/b")).toBeUndefined();
    expect(await decryptArticle(`${sealed.slice(0, -2)}AA`, contentKey, terms.resource)).toBeUndefined();
    expect(await decryptArticle("§", contentKey, terms.resource)).toBeUndefined();
  });
});

describe("a payment sealed to the provider", () => {
  const accepted = () => {
    const offer = makeOffer({
      ...terms,
      provider: "https://pay.example",
      kind: "article",
      title: "Tide mills",
    });
    const [first] = offer.accepts;
    if (!first) throw new Error("an offer has a requirement");
    return first;
  };
  it.each([
    [
      "another amount",
      (a: ReturnType<typeof accepted>) => paymentBinding({ ...a, amount: "1000" }, terms.resource, 100),
    ],
    [
      "another merchant",
      (a: ReturnType<typeof accepted>) => paymentBinding({ ...a, payTo: "thief" }, terms.resource, 100),
    ],
    [
      "another article",
      (a: ReturnType<typeof accepted>) => paymentBinding(a, "https://lantern.example/b", 100),
    ],
    ["another time", (a: ReturnType<typeof accepted>) => paymentBinding(a, terms.resource, 101)],
  ])("does not open for %s", async (_, bound) => {
    const { provider } = await keys();
    const content = new TextEncoder().encode("coins");
    const binding = paymentBinding(accepted(), terms.resource, 100);
    const sealed = await sealTo(provider.publicJwk, "tuppence payment v1", binding, content);
    expect(await openSealed(provider.privateKey, "tuppence payment v1", binding, sealed)).toEqual(content);
    expect(
      await openSealed(provider.privateKey, "tuppence payment v1", bound(accepted()), sealed),
    ).toBeUndefined();
    expect(await openSealed(provider.privateKey, "tuppence content key v1", binding, sealed)).toBeUndefined();
  });
});

async function keys() {
  const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
  if (!("privateKey" in pair)) throw new Error("X25519 makes a pair");
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const { kty, crv, x, d } = jwk;
  if (kty !== "OKP" || crv !== "X25519" || x === undefined || d === undefined)
    throw new Error("not an X25519 key");
  const publicJwk: X25519PublicJwk = { kty, crv, x };
  const { fromBase64url } = await import("./bytes.ts");
  return {
    provider: { publicJwk, privateKey: await importSealingKey(fromBase64url(d)) },
    merchantKey: await signingKeyFromSeed(new Uint8Array(32).fill(1)),
    otherKey: await signingKeyFromSeed(new Uint8Array(32).fill(2)),
  };
}
