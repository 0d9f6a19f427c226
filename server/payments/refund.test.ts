import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RefundResponse, RevokedReceipts } from "../../shared/protocol/provider.ts";
import { type BlankCoin, makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import {
  type Answer,
  MERCHANT,
  openShop,
  REFUND_WINDOW_SECONDS,
  refusal,
  type Shop,
  signatureJson,
} from "../../test/support/shop.ts";
import { merchantAccount, PAYOUT_CLEARING } from "../ledger/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { settleAll } from "../settlement/index.ts";
import { refundPayment } from "./refund.ts";
import { REVOKED_SHARED_SECONDS } from "./revoked.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const blanksOf = (...amounts: number[]) => makeBlankCoins(shop.deps.mint.activeKeysetId(), amounts);
const merchantBalance = () => shop.deps.ledger.balance(merchantAccount(MERCHANT));

function bookRefund(blanks: readonly BlankCoin[], answer: Answer): void {
  const { signatures } = v.parse(RefundResponse, answer.json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
}

test("a refund gives back coins of the whole amount, and they can be spent", async () => {
  const made = await shop.pay();
  const blanks = blanksOf(20_000, 20_000, 10_000);
  bookRefund(blanks, await shop.refund(made, blanks));
  expect(await merchantBalance()).toBe(0n);
  const next = await shop.makePayment(shop.purse());
  shop.bookPayment(next, await shop.settle(shop.directBody(shop.offer(), next.payment)));
});

test("a refund asked for twice with the same outputs is paid once and answered with the same signatures", async () => {
  const made = await shop.pay();
  const blanks = blanksOf(50_000);
  const [first, second] = await Promise.all([shop.refund(made, blanks), shop.refund(made, blanks)]);
  bookRefund(blanks, first);
  expect(second.text).toBe(first.text);
  shop.clock.now += 10 * REFUND_WINDOW_SECONDS * 1_000;
  expect((await shop.refund(made, blanks)).text).toBe(first.text);
});

test("a refund asked for again with other outputs is refused: the money came back once", async () => {
  const made = await shop.pay();
  const blanks = blanksOf(50_000);
  bookRefund(blanks, await shop.refund(made, blanks));
  expect(refusal(await shop.refund(made, blanksOf(50_000)))).toBe("refund_done");
});

test("two refunds at the same moment with different outputs pay one", async () => {
  const made = await shop.pay();
  const [one, two] = [blanksOf(50_000), blanksOf(50_000)];
  const answers = await Promise.all([shop.refund(made, one), shop.refund(made, two)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  bookRefund(
    answers[0]?.status === 200 ? one : two,
    answers.find(({ status }) => status === 200) ?? { status: 0, text: "", json: {} },
  );
});

test("a wrong preimage takes nothing back", async () => {
  const made = await shop.pay();
  const answer = await shop.refund(made, blanksOf(50_000), "ab".repeat(32));
  expect([answer.status, refusal(answer)]).toEqual([401, "refund_preimage_invalid"]);
  expect(await merchantBalance()).toBe(50_000n);
});

test.each([
  ["more than was paid", [50_000, 1_000]],
  ["less than was paid", [20_000]],
  ["an amount that is no coin", [30_000, 20_000]],
])("outputs for %s are refused", async (_, amounts) => {
  const made = await shop.pay();
  expect(refusal(await shop.refund(made, blanksOf(...amounts)))).toBe("outputs_invalid");
});

test("outputs that were signed before, as change, are refused", async () => {
  const made = await shop.pay(shop.offer(), [100_000], 12);
  const [used] = made.blanks;
  if (!used) throw new Error("a blank");
  expect(refusal(await shop.refund(made, [{ ...used, output: { ...used.output, amount: 50_000 } }]))).toBe(
    "outputs_signed",
  );
});

test("a refund after the window is refused, at its very end too", async () => {
  const made = await shop.pay();
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000 - 1;
  const other = await shop.pay();
  shop.clock.now += 1;
  expect(refusal(await shop.refund(made))).toBe("refund_window_closed");
  const blanks = blanksOf(50_000);
  bookRefund(blanks, await shop.refund(other, blanks));
});

test("the window is the one of the moment of paying, whatever the merchant decides later", async () => {
  const made = await shop.pay();
  await shop.registerMerchant(MERCHANT, ["https://lantern.example"], shop.sealKey, {
    refundWindowSeconds: 0,
  });
  const blanks = blanksOf(50_000);
  bookRefund(blanks, await shop.refund(made, blanks));
});

test("a payment that does not exist cannot be taken back", async () => {
  const made = await shop.makePayment([]);
  expect(refusal(await shop.refund(made))).toBe("payment_unknown");
  expect(refusal(await shop.anonymous("POST", "/payments/not-an-id/refund", {}))).toBe("payment_unknown");
});

test("a settled payment cannot be taken back, even by a process whose clock is behind", async () => {
  const made = await shop.pay();
  const windowEnd = shop.clock.now + REFUND_WINDOW_SECONDS * 1_000;
  const settled = await settleAll(shop.deps, { now: windowEnd });
  expect(settled).toHaveLength(1);
  // This process still has the old time: by its own clock the window is open.
  expect(refusal(await shop.refund(made))).toBe("refund_window_closed");
});

test.each([
  ["who has nothing else", 0],
  ["who has other money to pay it from", 200_000],
])(
  "a refund that was judged in time and reaches the ledger after the settlement takes nothing from a merchant %s",
  async (_, other) => {
    const made = await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
    const windowEnd = shop.clock.now + REFUND_WINDOW_SECONDS * 1_000;
    shop.clock.now += 1;
    if (other > 0) await shop.pay(shop.offer({ amount: BigInt(other) }), [other]);
    const ledger = overtakenBy(() => settleAll(shop.deps, { now: windowEnd }));
    const asked = refundPayment(
      { ...shop.deps, ledger },
      made.payment.paymentId,
      refundBody(made, 200_000).body,
    );
    await expect(asked).rejects.toThrow("refund_window_closed");
    expect(await merchantBalance()).toBe(BigInt(other));
    expect(await shop.deps.ledger.balance(PAYOUT_CLEARING)).toBe(180_000n);
  },
);

test("a refund that a settlement of older payments overtakes is judged again, and goes through", async () => {
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  shop.clock.now += (REFUND_WINDOW_SECONDS / 2) * 1_000;
  const made = await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  const now = shop.clock.now + (REFUND_WINDOW_SECONDS / 2) * 1_000;
  const ledger = overtakenBy(async () => {
    expect(await settleAll(shop.deps, { now })).toMatchObject([{ paymentCount: 1 }]);
  });
  const { blanks, body } = refundBody(made, 200_000);
  const { signatures } = await refundPayment({ ...shop.deps, ledger }, made.payment.paymentId, body);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures));
});

function refundBody({ preimage }: { preimage: string }, amount: number) {
  const blanks = blanksOf(amount);
  return { blanks, body: { preimage, outputs: blanks.map(({ output }) => output) } };
}

/** The ledger, with something else that is committed just before the first group that is to be applied. */
function overtakenBy(something: () => Promise<unknown>): Ledger {
  let overtaken = false;
  const { ledger } = shop.deps;
  return {
    ...ledger,
    async apply(group) {
      if (!overtaken) {
        overtaken = true;
        await something();
      }
      return ledger.apply(group);
    },
  };
}

test("a settlement and a refund at the same moment never both take the money", async () => {
  for (let round = 0; round < 20; round++) {
    const made = await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
    const blanks = blanksOf(200_000);
    const windowEnd = shop.clock.now + REFUND_WINDOW_SECONDS * 1_000;
    const [settled, answer] = await Promise.all([
      settleAll(shop.deps, { now: windowEnd }),
      shop.refund(made, blanks),
    ]);
    if (answer.status === 200) bookRefund(blanks, answer);
    else expect(refusal(answer)).toBe("refund_window_closed");
    expect(settled.at(-1)?.refundCount).toBe(answer.status === 200 ? 1 : 0);
    shop.clock.now = windowEnd;
  }
});

test("the receipt of a refunded payment stands in the list of revoked ones, others do not", async () => {
  const list = async () => {
    shop.clock.now += REVOKED_SHARED_SECONDS * 1_000;
    return v
      .parse(RevokedReceipts, (await shop.anonymous("GET", "/receipts/revoked")).json)
      .revoked.map(({ jti }) => jti);
  };
  const kept = await shop.pay();
  const first = await shop.pay();
  expect(await list()).toEqual([]);
  const blanks = blanksOf(50_000);
  bookRefund(blanks, await shop.refund(first, blanks));
  expect(await list()).toEqual([first.payment.paymentId]);
  const second = await shop.pay();
  const more = blanksOf(50_000);
  bookRefund(more, await shop.refund(second, more));
  expect(await list()).toEqual([first.payment.paymentId, second.payment.paymentId]);
  expect(await list()).not.toContain(kept.payment.paymentId);
});
