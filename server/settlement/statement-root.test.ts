import { text } from "node:stream/consumers";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readUnverified } from "../../shared/jws.ts";
import { Inclusion, Jwks, RefundResponse, SignedRootResponse } from "../../shared/protocol/provider.ts";
import { ReceiptClaims } from "../../shared/receipt.ts";
import { isIncluded, type StatementRootClaims, verifyStatementRoot } from "../../shared/statement.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import {
  MERCHANT,
  openShop,
  paid,
  REFUND_WINDOW_SECONDS,
  refusal,
  type Shop,
  signatureJson,
} from "../../test/support/shop.ts";
import { auditSettlements } from "./audit.ts";
import { settleAll } from "./settle.ts";
import { readStatement } from "./statement.ts";
import { formatStatement, STATEMENT_JSON } from "./statement-formats.ts";
import { readRoot, signStatement } from "./statement-root.ts";

type Paid = Awaited<ReturnType<Shop["pay"]>>;

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const payExactly = (amount: number) => shop.pay(shop.offer({ amount: BigInt(amount) }), [amount]);
const settle = async () => {
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
  return settleAll(shop.deps, { now: shop.clock.now });
};

async function refundWhole(made: Paid, amount: number): Promise<void> {
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [amount]);
  const { signatures } = v.parse(RefundResponse, (await shop.refund(made, blanks)).json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
}

async function keys(): Promise<Jwks> {
  return v.parse(Jwks, (await shop.anonymous("GET", "/.well-known/jwks.json")).json);
}

async function published(number: number): Promise<StatementRootClaims> {
  const answer = await shop.anonymous("GET", `/merchants/${MERCHANT}/settlements/${number}`);
  const root = await verifyStatementRoot(v.parse(SignedRootResponse, answer.json).signedRoot, await keys());
  if (!root) throw new Error(`no root: ${answer.text}`);
  return root;
}

function claimsOf({ answer }: Paid): ReceiptClaims {
  const claims = readUnverified(paid(answer).receipt, ReceiptClaims);
  if (!claims) throw new Error("no receipt");
  return claims;
}

async function proofOf(made: Paid): Promise<Inclusion> {
  const answer = await shop.anonymous("GET", `/payments/${made.payment.paymentId}/inclusion`);
  return v.parse(Inclusion, answer.json, { message: answer.text });
}

/** Which statement the provider proves the payment to be in. */
async function provedIn(made: Paid): Promise<number> {
  const inclusion = await proofOf(made);
  const root = await verifyStatementRoot(inclusion.signedRoot, await keys());
  if (!root || !isIncluded(claimsOf(made), inclusion, root)) throw new Error("proves nothing");
  expect(root).toEqual(await published(root.number));
  return root.number;
}

describe("the root of a statement", () => {
  test("is signed, published, and the same in the statement, whoever asks first and how often", async () => {
    await payExactly(200_000);
    await settle();
    const root = await published(1);
    expect(root).toMatchObject({
      iss: shop.origin,
      aud: MERCHANT,
      number: 1,
      iat: Math.floor(shop.clock.now / 1_000),
    });
    const file = (await shop.operator("GET", `/admin/settlements/${MERCHANT}-1`)).json;
    const { signedRoot } = v.parse(SignedRootResponse, file);
    expect(await verifyStatementRoot(signedRoot, await keys())).toEqual(root);
    expect(await readRoot(shop.deps.ledger, MERCHANT, 1)).toBe(root.root);
  });

  test("is committed once, though two processes read the statement at the same time", async () => {
    await payExactly(200_000);
    await settle();
    const statement = await readStatement(shop.deps.ledger, { id: MERCHANT, name: "The Lantern" }, 1);
    if (!statement) throw new Error("a statement");
    const signed = await Promise.all([1, 2, 3].map(() => signStatement(shop.deps, statement)));
    expect(new Set(signed.map(({ signedRoot }) => signedRoot)).size).toBe(1);
    expect(
      await text(
        formatStatement(
          signed[0] ?? { ...statement, mode: "live", root: "", signedRoot: "" },
          STATEMENT_JSON,
        ),
      ),
    ).toContain(signed[0]?.signedRoot);
  });

  test("is another one when a line is another one: the audit says so, and nothing else does", async () => {
    await payExactly(200_000);
    await payExactly(50_000);
    await settle();
    await published(1);
    expect(await auditSettlements(shop.deps)).toEqual([]);
    const { ledger } = shop.deps;
    // What stands in the database is another address, and all sums are what they were.
    const altered = {
      ...ledger,
      groups: async (ids: readonly string[]) => {
        const groups = [...(await ledger.groups(ids))];
        return new Map(
          groups.map(([id, group]) => [
            id,
            { ...group, memo: group.memo?.replace("tides.html", "ebb.html") },
          ]),
        );
      },
    };
    expect(await auditSettlements({ ...shop.deps, ledger: altered })).toEqual([
      `${MERCHANT}-1: its statement is not the one whose root was signed`,
    ]);
  });

  test("is not published for a settlement that there is not, nor on the accounts origin", async () => {
    for (const path of [
      `${MERCHANT}/settlements/1`,
      `${MERCHANT}/settlements/0`,
      "nobody/settlements/1",
      "x/settlements/y",
    ])
      expect(refusal(await shop.anonymous("GET", `/merchants/${path}`)), path).toBe("settlement_unknown");
    expect(refusal(await shop.operator("GET", `/merchants/${MERCHANT}/settlements/1`, undefined, ""))).toBe(
      "wrong_origin",
    );
  });
});

describe("the proof of a payment", () => {
  test("leads from its receipt to the root of its own statement, refunded or not", async () => {
    const first = [await payExactly(200_000), await payExactly(50_000), await payExactly(5_000)] as const;
    await refundWhole(first[1], 50_000);
    await settle();
    const second = [await payExactly(100_000)];
    await settle();
    for (const made of first) expect(await provedIn(made)).toBe(1);
    for (const made of second) expect(await provedIn(made)).toBe(2);
  });

  test("is found where many settlements end in the same moment", async () => {
    // The clock stands still: each settlement's last payment has the time of all the others.
    await shop.registerMerchant(MERCHANT, ["https://lantern.example"], shop.sealKey, {
      refundWindowSeconds: 0,
    });
    const made: Paid[] = [];
    for (let number = 1; number <= 5; number++) {
      made.push(await payExactly(200_000), await payExactly(2_000));
      expect(await settleAll(shop.deps, { now: shop.clock.now })).toMatchObject([{ number }]);
    }
    shop.clock.now += 1;
    made.push(await payExactly(200_000));
    expect(await settleAll(shop.deps, { now: shop.clock.now })).toMatchObject([{ number: 6 }]);
    const proved = [];
    for (const each of made) proved.push(await provedIn(each));
    expect(proved).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
  });

  test("does not hold for another payment, another merchant's root, or a changed receipt", async () => {
    const [one, other] = [await payExactly(200_000), await payExactly(50_000)];
    await settle();
    const inclusion = await proofOf(one);
    const root = await published(1);
    const claims = claimsOf(one);
    expect(isIncluded(claims, inclusion, root)).toBe(true);
    expect(isIncluded(claimsOf(other), inclusion, root)).toBe(false);
    expect(isIncluded(claims, inclusion, { ...root, aud: "the-beacon" })).toBe(false);
    expect(isIncluded({ ...claims, resource: "https://lantern.example/else" }, inclusion, root)).toBe(false);
    expect(isIncluded(claims, { ...inclusion, index: inclusion.index + 1 }, root)).toBe(false);
  });

  test("is refused before the payment is settled, and for what is no payment", async () => {
    const made = await payExactly(200_000);
    const path = `/payments/${made.payment.paymentId}/inclusion`;
    const early = await shop.anonymous("GET", path);
    expect([early.status, refusal(early)]).toEqual([409, "payment_not_settled"]);
    await settle();
    expect((await shop.anonymous("GET", path)).status).toBe(200);
    for (const id of ["0".repeat(32), "x"])
      expect(refusal(await shop.anonymous("GET", `/payments/${id}/inclusion`))).toBe("payment_unknown");
  });
});
