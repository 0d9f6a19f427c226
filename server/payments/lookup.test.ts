import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toBase64url } from "../../shared/bytes.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { RefundResponse } from "../../shared/protocol/provider.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import { ARTICLE, openShop, paid, refusal, type Shop, signatureJson } from "../../test/support/shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const keyOf = (byte: number) => new Uint8Array(32).fill(byte);

test("the holder gets the whole answer again, the article's key and the change included", async () => {
  const made = await shop.pay(shop.offer({ seal: await shop.seal() }), [100_000], 12);
  shop.clock.now += 30 * 24 * 3_600_000;
  expect((await shop.lookUp(made)).text).toBe(made.answer.text);
});

test("nobody else gets it: not with another key, not for another payment, not for another provider, not with an old proof", async () => {
  const made = await shop.pay(shop.offer({ seal: await shop.seal() }));
  const stranger = await signingKeyFromSeed(keyOf(5));
  expect(refusal(await shop.lookUp(made, { holder: stranger }))).toBe("holder_invalid");
  expect(refusal(await shop.lookUp(made, { claims: { jti: "00".repeat(16) } }))).toBe("holder_invalid");
  expect(refusal(await shop.lookUp(made, { claims: { aud: "https://pay.example" } }))).toBe("holder_invalid");
  const old = await shop.lookUp(made, { claims: { iat: Math.floor(shop.clock.now / 1_000) - 301 } });
  expect(refusal(old)).toBe("clock_skew");
  expect(old.json).toMatchObject({ serverTime: Math.floor(shop.clock.now / 1_000) });
});

test("a payment that never came is unknown, so that the wallet may use the coins again", async () => {
  expect(refusal(await shop.lookUp(await shop.makePayment([])))).toBe("payment_unknown");
});

test("a paid article opens in its later versions, whatever their price", async () => {
  const made = await shop.pay(shop.offer({ seal: await shop.seal({}, shop.sealKey, keyOf(1)) }));
  const dearer = await shop.seal({ amount: 900_000n }, shop.sealKey, keyOf(2));
  expect(paid(await shop.lookUp(made, { seal: dearer })).contentKey).toBe(toBase64url(keyOf(2)));
});

test("a receipt opens no other article, no other merchant's, and no forged seal", async () => {
  const made = await shop.pay(shop.offer({ seal: await shop.seal() }));
  const stranger = await signingKeyFromSeed(keyOf(6));
  await shop.registerMerchant("the-mirror", ["https://mirror.example"], stranger);
  expect(refusal(await shop.lookUp(made, { seal: await shop.seal({ resource: `${ARTICLE}?other` }) }))).toBe(
    "seal_mismatch",
  );
  expect(
    refusal(await shop.lookUp(made, { seal: await shop.seal({ merchant: "the-mirror" }, stranger) })),
  ).toBe("seal_invalid");
  expect(refusal(await shop.lookUp(made, { seal: await shop.seal({}, stranger) }))).toBe("seal_invalid");
});

test("a small tip on an article's address does not open the article", async () => {
  const tip = await shop.pay(shop.offer({ kind: "tip", amount: 1_000n }), [1_000]);
  expect(refusal(await shop.lookUp(tip, { seal: await shop.seal({ amount: 500_000n }) }))).toBe(
    "seal_mismatch",
  );
});

test("after a refund the receipt is given again, but neither this article's key nor a later one", async () => {
  const made = await shop.pay(shop.offer({ seal: await shop.seal() }));
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000]);
  const { signatures } = v.parse(RefundResponse, (await shop.refund(made, blanks)).json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
  const again = paid(await shop.lookUp(made));
  expect(again.receipt).toBe(paid(made.answer).receipt);
  expect(again.contentKey).toBeUndefined();
  expect(paid(await shop.settle(made.body)).contentKey).toBeUndefined();
  expect(refusal(await shop.lookUp(made, { seal: await shop.seal() }))).toBe("refund_done");
});
