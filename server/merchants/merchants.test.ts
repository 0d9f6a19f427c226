import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readUnverified, signingKeyFromSeed, verifyJws } from "../../shared/jws.ts";
import { Jwks, MerchantRecord, MerchantResponse } from "../../shared/protocol/provider.ts";
import { MERCHANT, openShop, refusal, type Shop, SITE } from "../../test/support/shop.ts";
import { createMerchantStore } from "./store.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const body = { id: "the-mirror", name: "The Mirror", origins: ["https://mirror.example"] };

async function recordOf(id: string) {
  const { merchantRecord } = v.parse(
    MerchantResponse,
    (await shop.anonymous("GET", `/merchants/${id}`)).json,
  );
  const jwks = v.parse(Jwks, (await shop.anonymous("GET", "/.well-known/jwks.json")).json);
  return verifyJws("tuppence-merchant+jwt", merchantRecord, jwks.keys, MerchantRecord);
}

test("a merchant's record is signed by the provider, says its sites, and is good for a day at most", async () => {
  const now = Math.floor(shop.clock.now / 1_000);
  expect(await recordOf(MERCHANT)).toEqual({
    iss: shop.origin,
    sub: MERCHANT,
    name: `Merchant ${MERCHANT}`,
    origins: [SITE],
    frameParents: [],
    refundWindowSeconds: 60,
    iat: now,
    exp: now + 86_400,
  });
});

test("a record without a refund policy has the bytes that it always had, and one with it says it", async () => {
  const payloadOf = async () => {
    const { merchantRecord } = v.parse(
      MerchantResponse,
      (await shop.anonymous("GET", `/merchants/${MERCHANT}`)).json,
    );
    return Buffer.from(merchantRecord.split(".")[1] ?? "", "base64url").toString();
  };
  const now = Math.floor(shop.clock.now / 1_000);
  const plain = `{"iss":"${shop.origin}","sub":"${MERCHANT}","name":"Merchant ${MERCHANT}","origins":["${SITE}"],"frameParents":[],"refundWindowSeconds":60,"iat":${now},"exp":${now + 86_400}}`;
  expect(await payloadOf()).toBe(plain);
  await shop.deps.merchants.put({ id: MERCHANT, refundPolicy: "Write to us." });
  expect((await recordOf(MERCHANT))?.refundPolicy).toBe("Write to us.");
  await shop.deps.merchants.put({ id: MERCHANT, name: `Merchant ${MERCHANT}` });
  expect((await recordOf(MERCHANT))?.refundPolicy, "what is not named stays").toBe("Write to us.");
  await shop.deps.merchants.put({ id: MERCHANT, refundPolicy: null });
  expect(await payloadOf()).toBe(plain);
});

test("a refund policy that a provider should not have signed is left out, and the merchant can be paid", () => {
  const record = {
    iss: "https://pay.example",
    sub: MERCHANT,
    name: "x",
    origins: [SITE],
    refundWindowSeconds: 60,
    iat: 1,
    exp: 2,
  };
  for (const refundPolicy of ["\u202eevil", "two\nlines", "x".repeat(301), "", 7, {}, null])
    expect(v.parse(MerchantRecord, { ...record, refundPolicy })).toEqual({
      ...record,
      frameParents: [],
      refundPolicy: undefined,
    });
});

test("a refund policy of ten megabytes is not read to its end", async () => {
  const answer = await shop.operator("POST", "/admin/merchants", {
    ...body,
    refundPolicy: "x".repeat(10_000_000),
  });
  expect([answer.status, refusal(answer)]).toEqual([413, "body_too_large"]);
});

test("the operator's answer has the day's limit, too", async () => {
  const answer = await shop.operator("POST", "/admin/merchants", { ...body, refundsPerDay: "5000000" });
  expect([answer.status, answer.json]).toMatchObject([201, { refundsPerDay: "5000000", refundPolicy: null }]);
});

test("a merchant that nobody registered has no record", async () => {
  for (const id of ["nobody", "NOT-AN-ID", "x"]) {
    expect(refusal(await shop.anonymous("GET", `/merchants/${id}`))).toBe("merchant_unknown");
  }
});

test("registering twice is one merchant, and an update drops no key that it does not name", async () => {
  const key = (await signingKeyFromSeed(new Uint8Array(32).fill(8))).publicJwk;
  const first = await shop.operator("POST", "/admin/merchants", {
    ...body,
    sealKeys: [key],
    payoutMinimum: "5000000",
  });
  expect(first.status).toBe(201);
  const again = await shop.operator("POST", "/admin/merchants", { ...body, name: "The New Mirror" });
  expect([again.status, again.json]).toEqual([200, { ...Object(first.json), name: "The New Mirror" }]);
  expect((await recordOf("the-mirror"))?.name).toBe("The New Mirror");
  expect((await shop.deps.merchants.list()).map(({ id }) => id)).toEqual([MERCHANT, "the-mirror"]);
});

test("only the operator registers merchants", async () => {
  for (const token of ["", "x", "0".repeat(64), shop.deps.secrets.adminToken.slice(0, -1)]) {
    const answer = await shop.operator("POST", "/admin/merchants", body, token);
    expect([answer.status, refusal(answer)]).toEqual([401, "admin_token_invalid"]);
  }
  expect(refusal(await shop.anonymous("GET", "/merchants/the-mirror"))).toBe("merchant_unknown");
});

test.each([
  ["a site that is a page", { origins: ["https://mirror.example/shop"] }],
  ["a site that is no web address", { origins: ["ftp://mirror.example"] }],
  ["no site", { origins: [] }],
  ["an id with capitals", { id: "The-Mirror" }],
  ["an empty name", { name: "  " }],
  ["a refund window of a year", { refundWindowSeconds: 366 * 86_400 }],
  ["a refund policy of two lines", { refundPolicy: "Write\nto us" }],
  ["a refund policy that turns the line around", { refundPolicy: "Write \u202e to us" }],
  ["a refund policy with an Arabic mark of direction", { refundPolicy: "Write \u061c to us" }],
  ["a refund policy that is not seen", { refundPolicy: "\u200b\u200b" }],
  ["an endless refund policy", { refundPolicy: "x".repeat(301) }],
  ["a negative payout minimum", { payoutMinimum: "-1" }],
  ["a key of another kind", { sealKeys: [{ kty: "OKP", crv: "X25519", x: "A".repeat(43) }] }],
])("%s is refused", async (_, change) => {
  expect(refusal(await shop.operator("POST", "/admin/merchants", { ...body, ...change }))).toBe(
    "merchant_invalid",
  );
});

test("a private key that is sent along is not stored", async () => {
  const key = (await signingKeyFromSeed(new Uint8Array(32).fill(8))).publicJwk;
  const answer = await shop.operator("POST", "/admin/merchants", {
    ...body,
    sealKeys: [{ ...key, d: "SECRET" }],
  });
  expect(answer.text).not.toContain("SECRET");
});

test("what another process changes is noticed within a second, a new merchant at once", async () => {
  const other = createMerchantStore(shop.deps);
  expect(await shop.deps.merchants.get("the-mirror")).toBeUndefined();
  await other.put({ ...body });
  expect((await shop.deps.merchants.get("the-mirror"))?.name).toBe("The Mirror");
  await other.put({ ...body, name: "The New Mirror" });
  shop.clock.now += 1_000;
  expect((await shop.deps.merchants.get("the-mirror"))?.name).toBe("The New Mirror");
});

test("a record that was altered is not the provider's", async () => {
  const { merchantRecord } = v.parse(
    MerchantResponse,
    (await shop.anonymous("GET", `/merchants/${MERCHANT}`)).json,
  );
  const [header, payload, signature] = merchantRecord.split(".");
  const claims = Buffer.from(payload ?? "", "base64url")
    .toString()
    .replace(SITE, "https://evil.example");
  const altered = `${header}.${Buffer.from(claims).toString("base64url")}.${signature}`;
  expect(readUnverified(altered, MerchantRecord)?.origins).toEqual(["https://evil.example"]);
  const jwks = v.parse(Jwks, (await shop.anonymous("GET", "/.well-known/jwks.json")).json);
  expect(await verifyJws("tuppence-merchant+jwt", altered, jwks.keys, MerchantRecord)).toBeUndefined();
});
