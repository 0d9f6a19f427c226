import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { micros, ZERO } from "../../shared/money.ts";
import { RefundGranted } from "../../shared/protocol/dashboard.ts";
import { RefundResponse, RevokedReceipts } from "../../shared/protocol/provider.ts";
import { MerchantBalance, PaymentPage, RevenueByDay } from "../../shared/protocol/revenue.ts";
import { WebhookPayload } from "../../shared/protocol/webhooks.ts";
import type { Settlement } from "../../shared/statement.ts";
import { makeKey } from "../../test/support/access.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import {
  type Answer,
  MERCHANT,
  openShop,
  REFUND_WINDOW_SECONDS,
  refusal,
  type Shop,
  signatureJson,
} from "../../test/support/shop.ts";
import { grantedAccount, merchantAccount, PAYOUT_CLEARING } from "../ledger/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { settleAll } from "../settlement/index.ts";
import { findFacts } from "../webhooks/facts.ts";
import { payloadOf } from "../webhooks/payload.ts";
import { grantRefund } from "./grant.ts";
import { refundPayment } from "./refund.ts";
import { REVOKED_SHARED_SECONDS } from "./revoked.ts";
import { COLLECT_WITHIN_SECONDS, returnUncollected } from "./uncollected.ts";

type Made = Awaited<ReturnType<Shop["pay"]>>;

let shop: Shop;
let key: Record<string, string>;
beforeEach(async () => {
  shop = await openShop();
  key = await makeKey(shop.deps, MERCHANT, "refunds:write", "payments:read");
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const balance = (account: string) => shop.deps.ledger.balance(account);
const settle = (now = shop.clock.now) => settleAll(shop.deps, { now });
const closeWindows = () => {
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
};
const pay = (amount: number) => shop.pay(shop.offer({ amount: BigInt(amount) }), [amount]);
const give = (made: Made, headers = key, merchant = MERCHANT): Promise<Answer> =>
  shop.program(headers, "POST", `/payments/${made.payment.paymentId}/refund`, merchant);
const stateOf = (answer: Answer) => v.parse(RefundGranted, answer.json).state;

/** What the reader's wallet does: the same request as inside the window. The answer's signatures, as text. */
async function fetchMoney(made: Made, amount: number): Promise<string> {
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [amount]);
  const answer = await shop.refund(made, blanks);
  const { signatures } = v.parse(RefundResponse, answer.json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
  expect((await shop.refund(made, blanks)).text, "asked again with the same outputs").toBe(answer.text);
  return answer.text;
}

async function listed(made: Made) {
  const page = v.parse(PaymentPage, (await shop.program(key, "GET", "/payments?limit=200")).json);
  return page.payments.find(({ id }) => id === made.payment.paymentId);
}

async function revoked(): Promise<string[]> {
  shop.clock.now += REVOKED_SHARED_SECONDS * 1_000;
  const answer = await shop.anonymous("GET", "/receipts/revoked");
  return v.parse(RevokedReceipts, answer.json).revoked.map(({ jti }) => jti);
}

test("what a merchant gives back leaves its balance at once, and the reader fetches it once, long after the window", async () => {
  const [made] = [await pay(200_000), await pay(50_000)];
  closeWindows();
  expect(stateOf(await give(made))).toBe("granted");
  expect([await balance(merchantAccount(MERCHANT)), await balance(grantedAccount(MERCHANT))]).toEqual([
    50_000n,
    200_000n,
  ]);
  expect(await revoked()).toEqual([made.payment.paymentId]);
  await settle();
  shop.clock.now += 364 * 86_400_000;
  await fetchMoney(made, 200_000);
  expect(await balance(grantedAccount(MERCHANT))).toBe(0n);
  expect(refusal(await shop.refund(made, makeBlankCoins(shop.deps.mint.activeKeysetId(), [200_000])))).toBe(
    "refund_done",
  );
});

test("a grant asked for again answers what became of it, and gives nothing twice", async () => {
  const made = await pay(50_000);
  await pay(50_000);
  const answers = await Promise.all([give(made), give(made), give(made)]);
  expect(answers.map(stateOf)).toEqual(["granted", "granted", "granted"]);
  expect(await balance(grantedAccount(MERCHANT))).toBe(50_000n);
  await fetchMoney(made, 50_000);
  expect(stateOf(await give(made))).toBe("collected");
  expect(await balance(merchantAccount(MERCHANT))).toBe(50_000n);
});

test("only who knows the preimage fetches what was given back, and only the whole of it", async () => {
  const made = await pay(50_000);
  await give(made);
  expect(refusal(await shop.refund(made, undefined, "ab".repeat(32)))).toBe("refund_preimage_invalid");
  const more = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000, 1_000]);
  expect(refusal(await shop.refund(made, more))).toBe("outputs_invalid");
  expect(await balance(grantedAccount(MERCHANT))).toBe(50_000n);
  await fetchMoney(made, 50_000);
});

test("coins that were signed before are no place for what was given back", async () => {
  const made = await shop.pay(shop.offer(), [100_000], 12);
  const [used] = made.blanks;
  if (!used) throw new Error("a blank");
  await give(made);
  const again = [{ ...used, output: { ...used.output, amount: 50_000 } }];
  expect(refusal(await shop.refund(made, again))).toBe("outputs_signed");
  await fetchMoney(made, 50_000);
});

test("what the reader took back is not given a second time", async () => {
  const made = await pay(50_000);
  await pay(50_000);
  await fetchMoney(made, 50_000);
  expect(refusal(await give(made))).toBe("refund_done");
  closeWindows();
  await settle();
  expect(refusal(await give(made))).toBe("refund_done");
});

test("another merchant's payment, one that there is not, and a key without the scope give nothing", async () => {
  const made = await pay(50_000);
  await shop.registerMerchant("the-beacon", ["https://beacon.example"], shop.sealKey);
  const beacon = await makeKey(shop.deps, "the-beacon", "refunds:write");
  expect(refusal(await give(made, beacon, "the-beacon"))).toBe("payment_unknown");
  expect(refusal(await give(made, beacon))).toBe("merchant_unknown");
  expect(refusal(await shop.program(key, "POST", `/payments/${"0".repeat(32)}/refund`))).toBe(
    "payment_unknown",
  );
  expect(refusal(await shop.program(key, "POST", "/payments/x/refund"))).toBe("payment_unknown");
  const reading = await makeKey(shop.deps, MERCHANT, "payments:read", "statements:read", "sites:write");
  const answer = await give(made, reading);
  expect([answer.status, refusal(answer)]).toEqual([403, "scope_missing"]);
  expect(refusal(await give(made, {}))).toBe("access_required");
  expect(await balance(grantedAccount(MERCHANT))).toBe(0n);
});

test("merchant and reader at the same moment: the money comes back once", async () => {
  for (let round = 0; round < 20; round++) {
    const made = await pay(50_000);
    await pay(50_000);
    const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000]);
    const before = await balance(merchantAccount(MERCHANT));
    const first = round % 2 === 0 ? give(made) : shop.refund(made, blanks);
    const [one, other] = await Promise.all([first, round % 2 === 0 ? shop.refund(made, blanks) : give(made)]);
    const [given, taken] = round % 2 === 0 ? [one, other] : [other, one];
    if (given.status !== 200) expect(refusal(given)).toBe("refund_done");
    // Whoever was first, the reader has it: it was theirs to take, or given.
    const { signatures } = v.parse(RefundResponse, taken.json);
    shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
    expect(await balance(merchantAccount(MERCHANT))).toBe(before - 50_000n);
  }
});

test("a reader whose refund was judged when the merchant gave the payment back gets it all the same", async () => {
  const made = await pay(50_000);
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000]);
  const ledger = overtakenBy(() => grantRefund(shop.deps, MERCHANT, made.payment.paymentId));
  const body = { preimage: made.preimage, outputs: blanks.map(({ output }) => output) };
  const { signatures } = await refundPayment({ ...shop.deps, ledger }, made.payment.paymentId, body);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures));
  expect(await balance(grantedAccount(MERCHANT))).toBe(0n);
});

test.each([
  ["who has nothing else", 0],
  ["who has other money to give it from", 500_000],
])("a grant that a settlement overtakes waits for a later one, of a merchant %s", async (_, other) => {
  const made = await pay(200_000);
  closeWindows();
  if (other > 0) await pay(other);
  const ledger = overtakenBy(() => settle());
  expect(await grantRefund({ ledger }, MERCHANT, made.payment.paymentId)).toMatchObject({ state: "waiting" });
  expect(await balance(PAYOUT_CLEARING)).toBe(180_000n);
  expect(await balance(grantedAccount(MERCHANT))).toBe(0n);
  expect(await balance(merchantAccount(MERCHANT))).toBe(BigInt(other));
});

test("a payment that the reader took back, and a settlement closed, while the merchant was giving it, is not given a second time", async () => {
  const made = await pay(200_000);
  let wasRead = false;
  const ledger: Ledger = {
    ...shop.deps.ledger,
    async record(key) {
      const value = await shop.deps.ledger.record(key);
      if (wasRead) return value;
      wasRead = true;
      await fetchMoney(made, 200_000);
      closeWindows();
      await settle();
      return value;
    },
  };
  await expect(grantRefund({ ledger }, MERCHANT, made.payment.paymentId)).rejects.toThrow("refund_done");
  await pay(500_000);
  closeWindows();
  expect(await settle()).toMatchObject([{ lateRefundCount: 0, payout: 450_000n }]);
});

test("settlement and grant at the same moment: the payment is refunded in one of them, or late", async () => {
  for (let round = 0; round < 20; round++) {
    const made = await pay(200_000);
    closeWindows();
    const [settled, given] = await Promise.all([settle(), give(made)]);
    const refunded = settled.reduce((count, { refundCount }) => count + refundCount, 0);
    expect(stateOf(given)).toBe(refunded === 1 ? "granted" : "waiting");
  }
});

test("a settled payment is paid back by the next settlement that can: before the payout, without a fee back, to the micro", async () => {
  const made = await pay(200_000);
  closeWindows();
  const [before] = await settle();
  expect(stateOf(await give(made))).toBe("waiting");
  expect(stateOf(await give(made))).toBe("waiting");
  expect(await listed(made)).toMatchObject({
    refundedAt: null,
    refund: { state: "waiting", givenBy: "merchant" },
  });
  expect(refusal(await shop.refund(made, makeBlankCoins(shop.deps.mint.activeKeysetId(), [200_000])))).toBe(
    "refund_window_closed",
  );
  expect(await revoked(), "the receipt counts until the money is there").toEqual([]);
  expect(await settle(), "nothing to pay it from, and no empty statement").toEqual([]);

  await pay(100_000);
  await pay(50_000);
  closeWindows();
  expect(await settle(), "too little, and so kept for it").toMatchObject([
    { lateRefundCount: 0, payout: 0n, carryForwardOut: 135_000n },
  ]);
  await pay(200_000);
  await pay(50_000);
  closeWindows();
  const [paid] = await settle();
  expect(paid).toMatchObject({
    payments: 250_000n,
    refunds: 0n,
    fee: 25_000n,
    lateRefundCount: 1,
    lateRefunds: 200_000n,
    upToLateRefund: 1,
    payout: 160_000n,
    carryForwardOut: 0n,
  });
  expect(before).toMatchObject({ refundCount: 0, lateRefundCount: 0 });
  expect(await revoked()).toEqual([made.payment.paymentId]);
  expect(await listed(made)).toMatchObject({ refund: { state: "granted" } });
  await fetchMoney(made, 200_000);
  expect(await listed(made)).toMatchObject({ refund: { state: "returned" } });
});

test("a late refund never takes what readers may still take back", async () => {
  const made = await pay(200_000);
  closeWindows();
  await settle();
  const fresh = await pay(500_000);
  await give(made);
  expect(await settle()).toEqual([]);
  await fetchMoney(fresh, 500_000);
  expect(await balance(merchantAccount(MERCHANT))).toBe(0n);
});

test("late refunds are paid in the order in which they were given, each whole, and none is passed by for a smaller one", async () => {
  const large = await pay(1_000_000);
  const small = await pay(50_000);
  closeWindows();
  await settle();
  expect(stateOf(await give(large))).toBe("waiting");
  expect(stateOf(await give(small))).toBe("waiting");
  const settled: Settlement[] = [];
  for (let payments = 0; payments < 6; payments++) {
    await pay(200_000);
    closeWindows();
    settled.push(...(await settle()));
  }
  expect(settled.map(({ upToLateRefund }) => upToLateRefund)).toEqual([0, 0, 0, 0, 0, 2]);
  expect(settled.map(({ payout }) => payout)).toEqual([0n, 0n, 0n, 0n, 0n, 0n]);
  await fetchMoney(large, 1_000_000);
  await fetchMoney(small, 50_000);
});

test("two processes that settle at once pay a late refund once", async () => {
  const made = await pay(200_000);
  closeWindows();
  await settle();
  await give(made);
  await pay(500_000);
  closeWindows();
  const [one, other] = await Promise.all([settle(), settle()]);
  expect([...one, ...other]).toMatchObject([{ lateRefundCount: 1 }]);
  await fetchMoney(made, 200_000);
});

test("payments of one millisecond are told apart at a settlement's edge", async () => {
  await shop.registerMerchant(MERCHANT, ["https://lantern.example"], shop.sealKey, {
    refundWindowSeconds: 0,
  });
  const settled = await pay(200_000);
  await settle();
  const open = await pay(200_000);
  expect(stateOf(await give(open))).toBe("granted");
  expect(stateOf(await give(settled))).toBe("waiting");
  expect(await settle()).toMatchObject([{ refundCount: 1 }]);
});

test.each([
  ["inside the window, by the reader", false],
  ["by the merchant", true],
])("a receipt of a payment that came back %s opens nothing at the provider", async (_, isGiven) => {
  const offer = shop.offer({ seal: await shop.seal() });
  const made = await shop.pay(offer);
  expect((await shop.lookUp(made)).text).toContain("contentKey");
  if (isGiven) await give(made);
  else await fetchMoney(made, 50_000);
  expect((await shop.lookUp(made)).text).not.toContain("contentKey");
  if (isGiven) await fetchMoney(made, 50_000);
});

test("a reason is shown to the merchant with its payment, the first one for good, and no other word", async () => {
  const made = await pay(50_000);
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000]);
  const ask = (reason: unknown) => shop.refund(made, blanks, made.preimage, { reason });
  expect(refusal(await ask("Ada, who lives in the harbour"))).toBe("request_invalid");
  const { signatures } = v.parse(RefundResponse, (await ask("did_not_open")).json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
  expect((await ask("changed_mind")).status).toBe(200);
  expect(await listed(made)).toMatchObject({
    refund: { state: "returned", givenBy: "reader", reason: "did_not_open" },
  });
  const { text } = await shop.program(key, "GET", "/payments.csv");
  expect(
    text
      .split("\r\n")
      .slice(0, 3)
      .map((row) => row.split(",").at(-1)),
  ).toEqual(["reason", "", "did_not_open"]);
});

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

test("many grants of settled payments at once each get a place in line", async () => {
  const made = [];
  for (let payments = 0; payments < 8; payments++) made.push(await pay(100_000));
  closeWindows();
  await settle();
  const given = await Promise.all(made.map((each) => give(each)));
  expect(given.map(stateOf)).toEqual(made.map(() => "waiting"));
  await pay(1_000_000);
  closeWindows();
  expect(await settle()).toMatchObject([{ lateRefundCount: 8, lateRefunds: 800_000n, payout: 100_000n }]);
});

const afterAYear = () => {
  shop.clock.now += COLLECT_WITHIN_SECONDS * 1_000;
};

test("what nobody fetched within a year is the merchant's again, without a fee, and the receipt counts again", async () => {
  const [made, late] = [await pay(200_000), await pay(100_000)];
  await give(made);
  closeWindows();
  await settle();
  await give(late);
  await pay(500_000);
  closeWindows();
  expect(await settle()).toMatchObject([{ lateRefundCount: 1 }]);
  expect(new Set(await revoked())).toEqual(new Set([made.payment.paymentId, late.payment.paymentId]));
  afterAYear();
  shop.clock.now -= 10 * REFUND_WINDOW_SECONDS * 1_000;
  expect(await settle(), "not before a year is over").toEqual([]);
  afterAYear();
  const carried = await balance(merchantAccount(MERCHANT));
  const [settlement] = await settle();
  expect(settlement).toMatchObject({
    payments: 0n,
    fee: 0n,
    uncollectedCount: 2,
    uncollected: 300_000n,
    payout: 300_000n + carried,
  });
  expect(await balance(grantedAccount(MERCHANT))).toBe(0n);
  expect(await revoked()).toEqual([]);
  expect(stateOf(await give(made))).toBe("uncollected");
  expect(await listed(late)).toMatchObject({ refund: { state: "uncollected" } });
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [200_000]);
  expect(refusal(await shop.refund(made, blanks))).toBe("refund_window_closed");
  expect(await settle()).toEqual([]);
});

test("reader and the end of the year at the same moment: one of them has the money", async () => {
  for (let round = 0; round < 10; round++) {
    const made = await pay(50_000);
    await give(made);
    afterAYear();
    const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000]);
    const before = await balance(merchantAccount(MERCHANT));
    const [answer] = await Promise.all([
      shop.refund(made, blanks),
      returnUncollected(shop.deps.ledger, MERCHANT, shop.clock.now),
      returnUncollected(shop.deps.ledger, MERCHANT, shop.clock.now),
    ]);
    if (answer.status === 200) {
      const { signatures } = v.parse(RefundResponse, answer.json);
      shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
    } else expect(refusal(answer)).toBe("refund_window_closed");
    expect(await balance(merchantAccount(MERCHANT))).toBe(before + (answer.status === 200 ? 0n : 50_000n));
    expect(await balance(grantedAccount(MERCHANT))).toBe(0n);
  }
});

test("a receipt of what nobody fetched opens the article again", async () => {
  const made = await shop.pay(shop.offer({ seal: await shop.seal() }));
  await give(made);
  expect((await shop.lookUp(made)).text).not.toContain("contentKey");
  afterAYear();
  await settle();
  expect((await shop.lookUp(made)).text).toContain("contentKey");
});

test("figures, balance and CSV say what was given back, in time and late, and what came back of it", async () => {
  const late = await pay(200_000);
  closeWindows();
  await settle();
  const [early, forgotten] = [await pay(50_000), await pay(20_000)];
  await pay(1_000_000);
  for (const made of [late, early, forgotten]) await give(made);
  const before = v.parse(MerchantBalance, (await shop.program(key, "GET", "/balance")).json);
  expect(before).toMatchObject({ lateRefunds: 200_000n, fee: 100_000n, toBePaid: 700_000n });
  closeWindows();
  expect(await settle()).toMatchObject([{ payout: 700_000n }]);
  await fetchMoney(late, 200_000);
  await fetchMoney(early, 50_000);
  afterAYear();
  await returnUncollected(shop.deps.ledger, MERCHANT, shop.clock.now);
  const now = v.parse(MerchantBalance, (await shop.program(key, "GET", "/balance")).json);
  expect(now).toMatchObject({ uncollected: 20_000n, matured: 0n, maturing: 0n, fee: 0n, toBePaid: 20_000n });
  const query = "/revenue?from=2026-01-01&to=2027-12-31&by=day";
  const { days } = v.parse(RevenueByDay, (await shop.program(key, "GET", query)).json);
  expect(days).toMatchObject([
    { paymentCount: 4, payments: 1_270_000n, refundCount: 3, refunds: 270_000n },
    { paymentCount: 0, payments: 20_000n, refundCount: 0, refunds: 0n },
  ]);
  const { text } = await shop.program(key, "GET", "/payments.csv");
  const rows = text
    .trim()
    .split("\r\n")
    .slice(1)
    .map((row) => row.split(","));
  expect(rows.map(([type]) => type).filter((type) => type?.includes("refund"))).toEqual([
    "refund",
    "refund",
    "late_refund",
    "refund_uncollected",
  ]);
  const sum = rows.reduce((total, row) => total + BigInt(row[6] ?? 0), 0n);
  expect(sum).toBe(await balance(merchantAccount(MERCHANT)));
});

test("webhooks tell each refund once, who gave it and why, also where a settlement gives several", async () => {
  const late = [await pay(50_000), await pay(100_000)];
  closeWindows();
  await settle();
  for (const made of late) await give(made);
  const [taken, early] = [await pay(200_000), await pay(500_000)];
  await pay(500_000);
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [200_000]);
  const answer = await shop.refund(taken, blanks, taken.preimage, { reason: "already_have_it" });
  shop.bookCoins(
    openCoins(shop.deps, blanks, v.parse(RefundResponse, answer.json).signatures.map(signatureJson)),
  );
  await give(early);
  closeWindows();
  await settle();
  const first = await findFacts(shop.deps.ledger, MERCHANT, { sequence: 0, settlement: 0 });
  // A page ends where it is sure that nothing is missing before.
  const next = first.at(-1)?.next ?? { sequence: 0, settlement: 0 };
  const found = [...first, ...(await findFacts(shop.deps.ledger, MERCHANT, next))];
  const facts = found.map(({ fact }) => fact).filter(({ type }) => type === "payment.refunded");
  const told = await Promise.all(
    facts.map(async (fact) =>
      v.parse(WebhookPayload, JSON.parse(await payloadOf(shop.deps.ledger, MERCHANT, fact, "live"))),
    ),
  );
  const id = ({ payment }: Made) => payment.paymentId;
  expect(told.map(({ data }) => data)).toMatchObject([
    { paymentId: id(taken), givenBy: "reader", reason: "already_have_it" },
    { paymentId: id(early), givenBy: "merchant", reason: null },
    ...late.map((made) => ({ paymentId: id(made), givenBy: "merchant", reason: null })),
  ]);
  expect(new Set(facts.map((fact) => fact.id)).size).toBe(4);
  const settled = found.map(({ fact }) => fact).findLast(({ type }) => type === "settlement.created");
  if (!settled) throw new Error("two settlements");
  const { data } = v.parse(
    WebhookPayload,
    JSON.parse(await payloadOf(shop.deps.ledger, MERCHANT, settled, "live")),
  );
  expect(data).toMatchObject({ lateRefundCount: 2, lateRefunds: "150000", uncollectedCount: 0 });
});

test("readers take back what the merchant's day allows, at once too, and what is beyond is asked for and the merchant's to give", async () => {
  await shop.deps.merchants.put({ id: MERCHANT, refundsPerDay: micros(120_000n) });
  const made = [await pay(50_000), await pay(50_000), await pay(50_000), await pay(20_000)];
  const blanks = made.map((_, index) =>
    makeBlankCoins(shop.deps.mint.activeKeysetId(), [index === 3 ? 20_000 : 50_000]),
  );
  const ask = (index: number) => {
    const [payment, outputs] = [made[index], blanks[index]];
    if (!payment || !outputs) throw new Error("four payments");
    return shop.refund(payment, outputs, payment.preimage, { reason: "changed_mind" });
  };
  const answers = await Promise.all([ask(0), ask(1), ask(2)]);
  const refused = answers.findIndex(({ status }) => status !== 200);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 409]);
  expect(refusal(answers[refused] ?? { status: 0, text: "", json: {} })).toBe("refund_limit");
  const beyond = made[refused];
  if (!beyond) throw new Error("one is refused");
  expect(await listed(beyond)).toMatchObject({
    refundedAt: null,
    refund: { state: "asked", reason: "changed_mind" },
  });
  answers.push(await ask(3));
  for (const [index, answer] of answers.entries()) {
    if (index === refused) continue;
    const { signatures } = v.parse(RefundResponse, answer.json);
    shop.bookCoins(openCoins(shop.deps, blanks[index] ?? [], signatures.map(signatureJson)));
    expect((await ask(index)).text, "a replay is no further refund").toBe(answer.text);
  }
  expect(stateOf(await give(beyond))).toBe("granted");
  await fetchMoney(beyond, 50_000);
  const next = await pay(50_000);
  expect(refusal(await shop.refund(next))).toBe("refund_limit");
  await shop.deps.merchants.put({ id: MERCHANT, refundsPerDay: null });
  await fetchMoney(next, 50_000);
});

test("who asked in time is not told afterwards that it was too late, and who did not is", async () => {
  await shop.deps.merchants.put({ id: MERCHANT, refundsPerDay: ZERO });
  const [asked, silent] = [await pay(50_000), await pay(50_000)];
  expect(refusal(await shop.refund(asked))).toBe("refund_limit");
  closeWindows();
  expect(refusal(await shop.refund(asked))).toBe("refund_limit");
  expect(refusal(await shop.refund(silent))).toBe("refund_window_closed");
  await settle();
  expect(refusal(await shop.refund(asked)), "and settled").toBe("refund_limit");
  expect(stateOf(await give(asked))).toBe("waiting");
});
