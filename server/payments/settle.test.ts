import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toBase64url } from "../../shared/bytes.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { Jwks } from "../../shared/protocol/provider.ts";
import { verifyReceipt } from "../../shared/receipt.ts";
import {
  ARTICLE,
  acceptedOf,
  MERCHANT,
  openShop,
  paid,
  refusal,
  type Shop,
} from "../../test/support/shop.ts";
import { merchantAccount, PAYMENT_CLEARING } from "../ledger/accounts.ts";
import { paymentGroupId } from "./record.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const merchantBalance = () => shop.deps.ledger.balance(merchantAccount(MERCHANT));

describe("a payment that goes through", () => {
  test("with coins that fit moves exactly the price from the float to the merchant", async () => {
    await shop.pay(shop.offer(), [20_000, 20_000, 10_000]);
    expect(await merchantBalance()).toBe(50_000n);
    expect(shop.purse()).toEqual([]);
  });

  test("with coins worth more gives the rest back as change and leaves nothing in clearing", async () => {
    const { answer } = await shop.pay(shop.offer(), [100_000, 20_000], 12);
    expect(paid(answer).change?.map(({ amount }) => amount)).toEqual([50_000n, 20_000n]);
    expect(await merchantBalance()).toBe(50_000n);
    expect(await shop.deps.ledger.balance(PAYMENT_CLEARING)).toBe(0n);
  });

  test("gives change that can be spent again", async () => {
    await shop.pay(shop.offer(), [100_000], 12);
    const made = await shop.makePayment(shop.purse());
    const answer = await shop.settle(shop.directBody(shop.offer(), made.payment));
    shop.bookPayment(made, answer);
    expect(await merchantBalance()).toBe(100_000n);
  });

  test("gives a receipt that the merchant can verify, and that nobody can alter or use elsewhere", async () => {
    const { answer } = await shop.pay();
    const { receipt } = paid(answer);
    const jwks = v.parse(Jwks, (await shop.anonymous("GET", "/.well-known/jwks.json")).json);
    const expected = {
      issuer: shop.origin,
      merchant: MERCHANT,
      resource: ARTICLE,
      leastAmount: micros(50_000n),
    };
    expect(await verifyReceipt(receipt, jwks, expected)).toMatchObject({
      aud: MERCHANT,
      amount: 50_000n,
      kind: "article",
    });
    expect(await verifyReceipt(receipt, jwks, { ...expected, merchant: "the-mirror" })).toBeUndefined();
    expect(await verifyReceipt(receipt, jwks, { ...expected, resource: `${ARTICLE}?other` })).toBeUndefined();
    const [header, payload, signature] = receipt.split(".");
    const claims = Buffer.from(payload ?? "", "base64url")
      .toString()
      .replace('"50000"', '"90000"');
    const altered = `${header}.${Buffer.from(claims).toString("base64url")}.${signature}`;
    expect(await verifyReceipt(altered, jwks, expected)).toBeUndefined();
  });

  test("with a seal hands out the article's key, and without it none", async () => {
    const contentKey = new Uint8Array(32).fill(7);
    const seal = await shop.seal({}, shop.sealKey, contentKey);
    const { answer } = await shop.pay(shop.offer({ seal }));
    expect(paid(answer).contentKey).toBe(toBase64url(contentKey));
    const other = await shop.pay();
    expect(paid(other.answer).contentKey).toBeUndefined();
  });
});

describe("the same payment sent again", () => {
  test("with the same bytes charges once and answers the same bytes: receipt, change and key", async () => {
    const seal = await shop.seal();
    const { body, answer } = await shop.pay(shop.offer({ seal }), [100_000], 12);
    shop.clock.now += 5_000;
    const again = await shop.settle(body);
    expect(again.text).toBe(answer.text);
    expect(await merchantBalance()).toBe(50_000n);
  });

  test("twice at the same moment charges once", async () => {
    const made = await shop.makePayment(await shop.withdraw(100_000), 12);
    const body = shop.directBody(shop.offer({ seal: await shop.seal() }), made.payment);
    const [first, second, third] = await Promise.all([
      shop.settle(body),
      shop.settle(body),
      shop.settle(body),
    ]);
    shop.bookPayment(made, first);
    expect(second.text).toBe(first.text);
    expect(third.text).toBe(first.text);
    expect(await merchantBalance()).toBe(50_000n);
  });

  test("gets its answer even after the merchant withdrew its seal's key, because it was paid", async () => {
    const { body, answer } = await shop.pay(shop.offer({ seal: await shop.seal() }));
    const other = await signingKeyFromSeed(new Uint8Array(32).fill(9));
    await shop.registerMerchant(MERCHANT, ["https://lantern.example"], other, {
      sealsValidFrom: 4_000_000_000,
    });
    expect((await shop.settle(body)).text).toBe(answer.text);
  });

  test("with other bytes under the same id is a conflict, and the first stands", async () => {
    const { payment } = await shop.pay();
    const [coin] = await shop.withdraw(50_000);
    const changed = { ...payment, proofs: [coin] };
    expect(refusal(await shop.settle(shop.directBody(shop.offer(), changed)))).toBe("request_conflict");
    expect(await merchantBalance()).toBe(50_000n);
  });

  test("with the same coins for another article under the same id is a conflict: the receipt does not move", async () => {
    const { payment } = await shop.pay();
    const elsewhere = shop.offer({ resource: `${ARTICLE}?page=2` });
    expect(refusal(await shop.settle(shop.directBody(elsewhere, payment)))).toBe("request_conflict");
  });
});

describe("coins", () => {
  test("spent already are refused under a new payment id", async () => {
    const { payment } = await shop.pay();
    const again = await shop.makePayment(payment.proofs);
    expect(refusal(await shop.settle(shop.directBody(shop.offer(), again.payment)))).toBe("coin_spent");
  });

  test("of two payments racing for one coin pay exactly one of them", async () => {
    const coins = await shop.withdraw(50_000);
    const [one, two] = [await shop.makePayment(coins), await shop.makePayment(coins)];
    const answers = await Promise.all(
      [one, two].map(({ payment }) => shop.settle(shop.directBody(shop.offer(), payment))),
    );
    expect(
      answers.map((answer) => (answer.text.includes('"success":true') ? "paid" : refusal(answer))).sort(),
    ).toEqual(["coin_spent", "paid"]);
    shop.bookSpent(coins);
    expect(await merchantBalance()).toBe(50_000n);
  });

  test("of a payment that was refused can be spent at once by another", async () => {
    const [spent] = (await shop.pay()).payment.proofs;
    const [fresh] = await shop.withdraw(50_000);
    if (!spent || !fresh) throw new Error("two coins");
    const mixed = await shop.makePayment([fresh, spent], 12);
    expect(refusal(await shop.settle(shop.directBody(shop.offer(), mixed.payment)))).toBe("coin_spent");
    const made = await shop.makePayment([fresh]);
    shop.bookPayment(made, await shop.settle(shop.directBody(shop.offer(), made.payment)));
  });

  test("with their DLEQ are refused by that name, before anything else about coins is said", async () => {
    const [coin] = await shop.withdraw(50_000);
    const dleq = { e: "00".repeat(32), s: "00".repeat(32), r: "00".repeat(32) };
    const made = await shop.makePayment([]);
    const forged = { ...coin, C: `02${"11".repeat(32)}`, dleq };
    expect(
      refusal(await shop.settle(shop.directBody(shop.offer(), { ...made.payment, proofs: [forged] }))),
    ).toBe("coin_has_dleq");
  });

  test("that are forged, repeated, or of an unknown keyset are refused and nothing moves", async () => {
    const [coin] = await shop.withdraw(50_000);
    if (!coin) throw new Error("a coin");
    const made = await shop.makePayment([]);
    const payWith = (...proofs: object[]) =>
      shop.settle(shop.directBody(shop.offer(), { ...made.payment, proofs }));
    expect(refusal(await payWith({ ...coin, secret: `${coin.secret}0` }))).toBe("coin_invalid");
    expect(refusal(await payWith({ ...coin, amount: 100_000 }))).toBe("coin_invalid");
    expect(refusal(await payWith(coin, coin))).toBe("coin_repeated");
    expect(refusal(await payWith({ ...coin, id: "00ffffffffffffff" }))).toBe("keyset_unknown");
    expect(await merchantBalance()).toBe(0n);
  });

  test("worth less than the price are refused", async () => {
    const made = await shop.makePayment(await shop.withdraw(20_000, 20_000));
    expect(refusal(await shop.settle(shop.directBody(shop.offer(), made.payment)))).toBe("coins_too_small");
  });

  test("worth more than the price without outputs enough for the change are refused, not kept", async () => {
    const coins = await shop.withdraw(100_000, 20_000);
    for (const outputs of [0, 1]) {
      const made = await shop.makePayment(coins, outputs);
      expect(refusal(await shop.settle(shop.directBody(shop.offer(), made.payment)))).toBe(
        "change_not_possible",
      );
    }
  });

  test("do not come back as change on outputs that were signed before", async () => {
    const first = await shop.pay(shop.offer(), [100_000], 12);
    const made = await shop.makePayment(await shop.withdraw(100_000));
    const reused = { ...made.payment, outputs: first.payment.outputs };
    expect(refusal(await shop.settle(shop.directBody(shop.offer(), reused)))).toBe("outputs_signed");
  });
});

describe("an offer", () => {
  test.each([
    ["zero", "0"],
    ["negative", "-50000"],
    ["fractional", "50000.5"],
    ["written with an exponent", "5e4"],
  ])("with an amount that is %s is a problem that says so", async (_, amount) => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    const offer = shop.offer();
    const answer = await shop.settle(shop.directBody(offer, made.payment, { ...acceptedOf(offer), amount }));
    expect([answer.status, refusal(answer)]).toEqual([400, "amount_invalid"]);
  });

  test("with an amount that coins cannot make is refused, never rounded", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    expect(refusal(await shop.settle(shop.directBody(shop.offer({ amount: 49_999n }), made.payment)))).toBe(
      "amount_not_payable",
    );
  });

  test("above the provider's limit is refused", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    expect(
      refusal(await shop.settle(shop.directBody(shop.offer({ amount: 20_001_000n }), made.payment))),
    ).toBe("amount_too_large");
  });

  test("of a merchant that does not exist is refused", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    expect(
      refusal(await shop.settle(shop.directBody(shop.offer({ merchant: "nobody" }), made.payment))),
    ).toBe("merchant_unknown");
  });

  test("that names another provider is refused", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    expect(
      refusal(
        await shop.settle(shop.directBody(shop.offer({ provider: "https://pay.example" }), made.payment)),
      ),
    ).toBe("provider_unknown");
  });

  test("in another currency is refused", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    expect(refusal(await shop.settle(shop.directBody(shop.offer({ currency: "EUR" }), made.payment)))).toBe(
      "currency_unknown",
    );
  });

  test("that differs from what the reader accepted is refused", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    const body = shop.directBody(shop.offer(), made.payment);
    const dearer = { ...body, paymentRequirements: { ...body.paymentRequirements, amount: "20000" } };
    expect(refusal(await shop.settle(dearer))).toBe("offer_invalid");
  });

  test("that does not decode is a problem, and a body that is no object too", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    const body = shop.directBody(shop.offer(), made.payment);
    for (const broken of [
      {},
      [],
      "x",
      7,
      { ...body, x402Version: 1 },
      { ...body, paymentPayload: { ...body.paymentPayload, payload: {} } },
    ]) {
      const answer = await shop.settle(broken);
      expect([answer.status, refusal(answer)]).toEqual([400, "request_invalid"]);
    }
  });
});

describe("a seal", () => {
  const payWith = async (seal: string, terms = {}) => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    return refusal(await shop.settle(shop.directBody(shop.offer({ seal, ...terms }), made.payment)));
  };

  test("that is unsigned or altered charges nothing", async () => {
    const seal = await shop.seal();
    const [header, payload, signature] = seal.split(".");
    const cheaper = Buffer.from(
      Buffer.from(payload ?? "", "base64url")
        .toString()
        .replace('"50000"', '"20000"'),
    ).toString("base64url");
    const unsigned = Buffer.from(JSON.stringify({ alg: "none", typ: "tuppence-seal+jwt" })).toString(
      "base64url",
    );
    expect(await payWith(`${header}.${cheaper}.${signature}`)).toBe("seal_invalid");
    expect(await payWith(`${unsigned}.${payload}.${signature}`)).toBe("seal_invalid");
    expect(await payWith(`${header}.${payload}.${"A".repeat(86)}`)).toBe("seal_invalid");
  });

  test("that another merchant signed charges nothing, whosever name it bears", async () => {
    const other = await signingKeyFromSeed(new Uint8Array(32).fill(3));
    await shop.registerMerchant("the-mirror", ["https://mirror.example"], other);
    expect(await payWith(await shop.seal({}, other))).toBe("seal_invalid");
    expect(await payWith(await shop.seal({ merchant: "the-mirror" }, other))).toBe("seal_invalid");
  });

  test("with another price, article or currency than the offer is refused", async () => {
    expect(await payWith(await shop.seal({ amount: 60_000n }))).toBe("seal_mismatch");
    expect(await payWith(await shop.seal({ resource: `${ARTICLE}?other` }))).toBe("seal_mismatch");
    expect(await payWith(await shop.seal({ currency: "EUR" }))).toBe("seal_mismatch");
  });

  test("older than the merchant still accepts is refused, also when it was good a moment ago", async () => {
    const seal = await shop.seal();
    await shop.pay(shop.offer({ seal }));
    await shop.registerMerchant(MERCHANT, ["https://lantern.example"], shop.sealKey, {
      sealsValidFrom: Math.floor(shop.clock.now / 1_000) + 1,
    });
    expect(await payWith(seal)).toBe("seal_outdated");
  });

  test("whose key the merchant withdrew is refused, also when it was good a moment ago", async () => {
    const seal = await shop.seal();
    await shop.pay(shop.offer({ seal }));
    await shop.registerMerchant(
      MERCHANT,
      ["https://lantern.example"],
      await signingKeyFromSeed(new Uint8Array(32).fill(4)),
    );
    expect(await payWith(seal)).toBe("seal_invalid");
  });

  test("that was sealed to another provider does not open and charges nothing", async () => {
    const { issueSeal } = await import("../../shared/seal.ts");
    const stranger = { kty: "OKP", crv: "X25519", x: "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo" } as const;
    const terms = {
      merchant: MERCHANT,
      resource: ARTICLE,
      amount: 50_000n,
      currency: "USD",
      issuedAtSeconds: Math.floor(shop.clock.now / 1_000),
    };
    expect(await payWith(await issueSeal(terms, new Uint8Array(32), stranger, shop.sealKey))).toBe(
      "seal_invalid",
    );
  });
});

describe("verify", () => {
  test("says yes without moving anything, and yes again for what was paid", async () => {
    const made = await shop.makePayment(await shop.withdraw(50_000));
    const body = shop.directBody(shop.offer(), made.payment);
    expect((await shop.verify(body)).json).toEqual({ isValid: true, payer: made.payment.holder });
    expect(await merchantBalance()).toBe(0n);
    shop.bookPayment(made, await shop.settle(body));
    expect((await shop.verify(body)).json).toEqual({ isValid: true, payer: made.payment.holder });
  });

  test("says no for spent coins, for used change outputs, and for a conflicting payment", async () => {
    const { payment } = await shop.pay(shop.offer(), [100_000], 12);
    const spent = await shop.makePayment(payment.proofs, 12);
    expect(refusal(await shop.verify(shop.directBody(shop.offer(), spent.payment)))).toBe("coin_spent");
    const fresh = await shop.makePayment(await shop.withdraw(100_000));
    expect(
      refusal(
        await shop.verify(shop.directBody(shop.offer(), { ...fresh.payment, outputs: payment.outputs })),
      ),
    ).toBe("outputs_signed");
    expect(
      refusal(
        await shop.verify(shop.directBody(shop.offer(), { ...fresh.payment, paymentId: payment.paymentId })),
      ),
    ).toBe("request_conflict");
  });
});

test("no coin's secret and no content key is written to the ledger", async () => {
  const contentKey = new Uint8Array(32).fill(0xab);
  const { payment } = await shop.pay(
    shop.offer({ seal: await shop.seal({}, shop.sealKey, contentKey) }),
    [100_000],
    12,
  );
  const record = (await shop.deps.ledger.group(paymentGroupId(payment.paymentId)))?.memo ?? "";
  expect(record).toContain(payment.holder);
  for (const { secret, C } of payment.proofs) {
    expect(record).not.toContain(secret);
    expect(record).not.toContain(C);
  }
  expect(record).not.toContain(toBase64url(contentKey));
});
