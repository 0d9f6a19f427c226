/** HTTP 402: a site's back end carries the payment, and must not be able to take it. */
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  ARTICLE,
  acceptedOf,
  MERCHANT,
  openShop,
  paid,
  refusal,
  type Shop,
} from "../../test/support/shop.ts";
import { merchantAccount } from "../ledger/accounts.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const nowSeconds = () => Math.floor(shop.clock.now / 1_000);
const merchantBalance = () => shop.deps.ledger.balance(merchantAccount(MERCHANT));

/** A payment with change on its way through a site, not yet settled. */
async function sealed() {
  const made = await shop.makePayment(await shop.withdraw(100_000), 12);
  return { made, body: await shop.sealedBody(shop.offer(), made.payment) };
}

test("a sealed payment is verified and settled like a direct one", async () => {
  const { made, body } = await sealed();
  expect((await shop.verify(body)).json).toEqual({ isValid: true, payer: made.payment.holder });
  const answer = await shop.settle(body);
  shop.bookPayment(made, answer);
  expect(paid(answer).change?.map(({ amount }) => amount)).toEqual([50_000n]);
  expect(await merchantBalance()).toBe(50_000n);
});

test("the same payment sealed twice, or once sealed and once direct, is one payment", async () => {
  const { made, body } = await sealed();
  const answer = await shop.settle(body);
  shop.bookPayment(made, answer);
  expect((await shop.settle(await shop.sealedBody(shop.offer(), made.payment))).text).toBe(answer.text);
  expect((await shop.settle(shop.directBody(shop.offer(), made.payment))).text).toBe(answer.text);
  expect(await merchantBalance()).toBe(50_000n);
});

test("a site that keeps the payment and tries it after its time gets nothing", async () => {
  const { body } = await sealed();
  shop.clock.now += 121_000;
  expect(refusal(await shop.verify(body))).toBe("payment_expired");
  expect(refusal(await shop.settle(body))).toBe("payment_expired");
  expect(await merchantBalance()).toBe(0n);
});

test("a site that writes a later time on it gets nothing", async () => {
  const { body } = await sealed();
  const payload = { ...Object(body.paymentPayload.payload), expiresAt: nowSeconds() + 3_600 };
  expect(refusal(await shop.settle({ ...body, paymentPayload: { ...body.paymentPayload, payload } }))).toBe(
    "payment_sealed_invalid",
  );
});

test("what was paid in time is answered the same way a little after its time, and not for ever", async () => {
  const { made, body } = await sealed();
  const answer = await shop.settle(body);
  shop.bookPayment(made, answer);
  shop.clock.now += 121_000;
  expect((await shop.settle(body)).text).toBe(answer.text);
  expect((await shop.verify(body)).json).toMatchObject({ isValid: true });
  shop.clock.now += 60_000;
  // A later time, sealed anew by whoever paid, is no new payment.
  for (const again of [body, await shop.sealedBody(shop.offer(), made.payment)]) {
    expect(refusal(await shop.settle(again))).toBe("payment_used");
    expect(refusal(await shop.verify(again))).toBe("payment_used");
  }
  // Whoever sends it without a site is answered as ever.
  expect((await shop.settle(shop.directBody(shop.offer(), made.payment))).text).toBe(answer.text);
  expect(await merchantBalance()).toBe(50_000n);
});

test("coins that the reader took back after the time are not taken by the late payment", async () => {
  const { made, body } = await sealed();
  shop.clock.now += 121_000;
  const retry = await shop.makePayment(made.payment.proofs, 12);
  shop.bookPayment(retry, await shop.settle(shop.directBody(shop.offer(), retry.payment)));
  expect(refusal(await shop.settle(body))).toBe("payment_expired");
});

test.each([
  ["another merchant", { payTo: "the-mirror" }],
  ["a higher amount", { amount: "90000" }],
  ["a lower amount", { amount: "10000" }],
  ["another title", { extra: { provider: "http://127.0.0.1:4020", kind: "article", title: "Another" } }],
])("a site that changes the offer to %s gets nothing", async (_, change) => {
  await shop.registerMerchant("the-mirror", ["https://mirror.example"], shop.sealKey);
  const { body } = await sealed();
  const accepted = { ...body.paymentPayload.accepted, ...change };
  const changed = {
    ...body,
    paymentPayload: { ...body.paymentPayload, accepted },
    paymentRequirements: accepted,
  };
  expect(refusal(await shop.settle(changed))).toBe("payment_sealed_invalid");
  const onlyAsked = { ...body, paymentRequirements: { ...acceptedOf(shop.offer()), ...change } };
  const expected = "extra" in change ? "paid" : "payment_sealed_invalid";
  if (expected !== "paid") expect(refusal(await shop.settle(onlyAsked))).toBe(expected);
  expect(await merchantBalance()).toBe(0n);
});

test("a site that moves the payment to another article gets nothing", async () => {
  const { body } = await sealed();
  const moved = {
    ...body.paymentPayload,
    resource: { ...body.paymentPayload.resource, url: `${ARTICLE}?other` },
  };
  expect(refusal(await shop.settle({ ...body, paymentPayload: moved }))).toBe("payment_sealed_invalid");
});

test("a site that wants the change for itself cannot put its outputs in: it can neither read nor alter what is sealed", async () => {
  const { made, body } = await sealed();
  const own = await shop.makePayment([], 12);
  const payload = Object(body.paymentPayload.payload);
  const flipped = `${payload.ct.slice(0, -2)}${payload.ct.endsWith("AA") ? "BB" : "AA"}`;
  for (const forged of [
    { ...payload, outputs: own.payment.outputs },
    { ...payload, ct: flipped },
    { ...payload, enc: `${payload.enc.slice(0, -2)}AA` },
  ]) {
    const answer = await shop.settle({
      ...body,
      paymentPayload: { ...body.paymentPayload, payload: forged },
    });
    // Outputs beside the seal are not part of it: if such a payment goes through, the change is the reader's all the same.
    if (forged.ct === payload.ct && forged.enc === payload.enc) shop.bookPayment(made, answer);
    else expect(["payment_sealed_invalid", "request_invalid"]).toContain(refusal(answer));
  }
  expect(JSON.stringify(body)).not.toContain(made.payment.proofs[0]?.secret);
});

test("what was sealed is a payment with an id: with other change outputs under that id it is a conflict", async () => {
  const { made, body } = await sealed();
  shop.bookPayment(made, await shop.settle(body));
  const own = await shop.makePayment([], 12);
  const other = await shop.sealedBody(shop.offer(), { ...made.payment, outputs: own.payment.outputs });
  expect(refusal(await shop.settle(other))).toBe("request_conflict");
});

test("rubbish inside a genuine seal is refused", async () => {
  const made = await shop.makePayment([]);
  for (const content of [{}, "text", null, made.payment])
    expect(refusal(await shop.settle(await shop.sealedBody(shop.offer(), content)))).toBe(
      "payment_sealed_invalid",
    );
});
