import * as v from "valibot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { micros } from "../../shared/money.ts";
import {
  MerchantBalance,
  PaymentPage,
  RevenueByArticle,
  RevenueByDay,
  StatementPage,
} from "../../shared/protocol/revenue.ts";
import { StatementFile } from "../../shared/statement.ts";
import { makeKey, signInOwner } from "../../test/support/access.ts";
import { amountOf, type Paid, paidFor, payAll } from "../../test/support/paid.ts";
import { ARTICLE, MERCHANT, openShop, REFUND_WINDOW_SECONDS, type Shop } from "../../test/support/shop.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import { csvMovement, settleAll } from "../settlement/index.ts";

const DAY = "from=2026-11-23&to=2026-11-23";
const ROUTES = [
  `/revenue?${DAY}&by=day`,
  `/revenue?${DAY}&by=article`,
  "/payments",
  "/payments.csv",
  "/balance",
  "/statements",
  "/statements/1",
  "/statements/1?format=csv",
];

let shop: Shop;
let key: Record<string, string>;

beforeEach(async () => {
  shop = await openShop();
  key = await makeKey(shop.deps, MERCHANT, "payments:read", "statements:read");
});
afterEach(() => shop.close());

async function ask(path: string, headers = key, merchant = MERCHANT) {
  const { app, accountsOrigin } = shop;
  const host = new URL(accountsOrigin).host;
  return app.inject({ url: `/api/merchants/${merchant}${path}`, headers: { host, ...headers } });
}

async function read<S extends v.GenericSchema>(schema: S, path: string): Promise<v.InferOutput<S>> {
  const answer = await ask(path);
  expect(answer.statusCode, answer.body).toBe(200);
  return v.parse(schema, answer.json());
}

const matured = () => {
  shop.clock.now += (REFUND_WINDOW_SECONDS + 1) * 1_000;
};

const paid = (number: number, more: Partial<Paid> = {}): Paid =>
  paidFor(number, { merchant: MERCHANT, resource: ARTICLE, kind: "article", coins: [50_000n], ...more });

it("shows a payment, a tip and a refund as they come in, with the day's revenue and what is to be paid", async () => {
  await shop.pay();
  await shop.pay(shop.offer({ kind: "tip", amount: 100_000n }), [100_000]);
  const regretted = await shop.pay(shop.offer(), [20_000, 20_000, 10_000]);
  shop.clock.now += 1_000;
  expect((await shop.refund(regretted)).status).toBe(200);

  const { days, isComplete } = await read(RevenueByDay, `/revenue?${DAY}&by=day`);
  expect(isComplete).toBe(true);
  expect(days).toEqual([
    {
      day: "2026-11-23",
      kind: "article",
      paymentCount: 2,
      payments: 100_000n,
      refundCount: 1,
      refunds: 50_000n,
    },
    { day: "2026-11-23", kind: "tip", paymentCount: 1, payments: 100_000n, refundCount: 0, refunds: 0n },
  ]);
  const { articles, articleCount } = await read(RevenueByArticle, `/revenue?${DAY}&by=article&limit=1`);
  expect({ articles: articles.map(({ resource, kind }) => [resource, kind]), articleCount }).toEqual({
    articles: [[ARTICLE, "tip"]],
    articleCount: 2,
  });
  const page = await read(PaymentPage, "/payments");
  expect(page.payments.map(({ kind, amount, refundedAt }) => [kind, amount, refundedAt])).toEqual([
    ["article", 50_000n, shop.clock.now],
    ["tip", 100_000n, null],
    ["article", 50_000n, null],
  ]);
  expect(await read(MerchantBalance, "/balance")).toMatchObject({
    matured: 0n,
    maturing: 150_000n,
    fee: 15_000n,
    toBePaid: 135_000n,
  });
});

it("goes on with older payments where a page ended, whatever number of coins they were paid with", async () => {
  const payments = Array.from({ length: 23 }, (_, index) =>
    paid(index + 1, { coins: Array.from({ length: (index % 5) + 1 }, () => 10_000n) }),
  );
  for (const payment of payments) await payAll(shop.deps.ledger, [payment]);
  const seen: string[] = [];
  for (let path = "/payments?limit=4"; ; ) {
    const { payments: found, hasMore } = await read(PaymentPage, path);
    expect(found.length).toBe(hasMore ? 4 : 3);
    for (const { id, amount } of found) {
      seen.push(id);
      expect(amount).toBe(amountOf(payments.find((payment) => payment.id === id) ?? paid(0)));
    }
    if (!hasMore) break;
    path = `/payments?limit=4&before=${found.at(-1)?.sequence}`;
  }
  expect(seen).toEqual(payments.map(({ id }) => id).reverse());
});

it("promises the payout that then comes, to the micro, and a fee that is the one taken", async () => {
  await shop.pay();
  await shop.pay();
  const before = await read(MerchantBalance, "/balance");
  expect(before.nextPayout).toMatchObject({ state: "below_minimum", missing: 10_000n });
  await shop.pay(shop.offer({ amount: 53_000n }), [50_000, 2_000, 1_000]);
  const early = await read(MerchantBalance, "/balance");
  // Ten percent of 153,000 leaves 137,700, of which a bank pays whole cents.
  expect(early).toMatchObject({ toBePaid: 137_700n, nextPayout: { state: "expected", amount: 130_000n } });
  matured();
  const ripe = await read(MerchantBalance, "/balance");
  expect(ripe).toMatchObject({
    matured: 153_000n,
    maturing: 0n,
    toBePaid: 137_700n,
    nextPayout: early.nextPayout,
  });
  const [settlement] = await settleAll(shop.deps, { now: shop.clock.now });
  expect(settlement).toMatchObject({ payout: 130_000n, fee: ripe.fee });
  expect(await read(MerchantBalance, "/balance")).toMatchObject({
    carriedForward: 7_700n,
    toBePaid: 7_700n,
    fee: 0n,
    nextPayout: { state: "below_minimum", missing: 92_300n },
  });
  await shop.assertAddsUp();
});

it("dates the next payout after what holds it up: the window of the payments, and the wait of a new merchant", async () => {
  await shop.close();
  shop = await openShop({
    TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS: "86400",
    TUPPENCE_SETTLE_EVERY_SECONDS: "3600",
  });
  key = await makeKey(shop.deps, MERCHANT, "payments:read");
  const registered = shop.clock.now;
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  const nextPayout = async () => (await read(MerchantBalance, "/balance")).nextPayout;
  const held = { state: "expected", amount: 180_000n, atLatest: registered + (86_400 + 3_600) * 1_000 };
  expect(await nextPayout()).toEqual(held);
  shop.clock.now = registered + 2 * 86_400_000;
  await shop.pay(shop.offer({ amount: 100_000n }), [100_000]);
  // What has matured comes first; the new payment has its window before it.
  expect(await nextPayout()).toEqual({ ...held, atLatest: shop.clock.now + 3_600_000 });
});

it("lists statements, newest first, each as the operator gets it", async () => {
  for (let settlement = 0; settlement < 3; settlement++) {
    await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
    matured();
    await settleAll(shop.deps, { now: shop.clock.now });
  }
  const { statements, hasMore } = await read(StatementPage, "/statements?limit=2");
  expect(statements.map(({ number, payout }) => [number, payout])).toEqual([
    [3, 180_000n],
    [2, 180_000n],
  ]);
  expect(hasMore).toBe(true);
  expect((await read(StatementPage, "/statements?before=2")).hasMore).toBe(false);
  const [last] = statements;
  for (const [path = "", query] of [
    [last?.json, ""],
    [last?.csv, "?format=csv"],
  ]) {
    const operators = await shop.operator("GET", `/admin/settlements/${MERCHANT}-3${query}`);
    expect((await ask(path.slice(`/api/merchants/${MERCHANT}`.length))).body).toBe(operators.text);
  }
  expect(v.parse(StatementFile, (await ask("/statements/3")).json()).payout).toBe(180_000n);
  expect((await ask("/statements/4")).json()).toMatchObject({ code: "settlement_unknown" });
});

it("hands out everything as CSV whose rows add up to the balance, in the order of time", async () => {
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  const regretted = await shop.pay();
  await shop.refund(regretted);
  matured();
  await settleAll(shop.deps, { now: shop.clock.now });
  await shop.pay(shop.offer({ kind: "tip" }));
  const answer = await ask("/payments.csv");
  expect(answer.headers).toMatchObject({
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": `attachment; filename="${MERCHANT}-payments.csv"`,
  });
  const [head, ...rows] = answer.body
    .trim()
    .split("\r\n")
    .map((line) => line.split(","));
  expect(head).toEqual([
    "type",
    "time",
    "id",
    "resource",
    "kind",
    "currency",
    "amount_micros",
    "amount",
    "reason",
  ]);
  expect(rows.map(([type, , , resource, kind, , amount]) => [type, resource, kind, amount])).toEqual([
    ["payment", ARTICLE, "article", "200000"],
    ["payment", ARTICLE, "article", "50000"],
    ["refund", ARTICLE, "article", "-50000"],
    ["fee", "", "", "-20000"],
    ["payout", "", "", "-180000"],
    ["payment", ARTICLE, "tip", "50000"],
  ]);
  const total = rows.reduce((sum, row) => sum + BigInt(row[6] ?? ""), 0n);
  expect(total).toBe(await shop.deps.ledger.balance(merchantAccount(MERCHANT)));
});

it("makes no formula and no further column of what a stranger put into an address", async () => {
  const resources = [
    "https://lantern.example/=1+1",
    'https://lantern.example/",=HYPERLINK("https://evil.example")',
  ];
  await payAll(
    shop.deps.ledger,
    resources.map((resource, index) => paid(index + 1, { resource })),
  );
  const { body } = await ask("/payments.csv");
  const cells = [...body.matchAll(/(?:^|,|\r\n)("(?:[^"]|"")*"|[^,\r\n]*)/g)].map(([, cell = ""]) => cell);
  expect(cells).toContain('"https://lantern.example/"",=HYPERLINK(""https://evil.example"")"');
  expect(cells.filter((cell) => /^"?[=+\-@\t]/.test(cell))).toEqual([]);
  // No address begins like this. Should one ever, it is text.
  const moved = { type: "payment", time: "", id: "-1+1", currency: "USD", amount: micros(5) };
  expect(csvMovement("live", { ...moved, resource: "=1+1", kind: "@x" })).toBe(
    "payment,,'-1+1,'=1+1,'@x,USD,5,0.000005\r\n",
  );
});

it("answers another merchant's owner and another merchant's program like strangers, on every route", async () => {
  const owner = await signInOwner(shop.deps, "other-paper");
  const otherKey = await makeKey(shop.deps, "other-paper", "payments:read", "statements:read");
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  matured();
  await settleAll(shop.deps, { now: shop.clock.now });
  for (const route of ROUTES) {
    expect((await ask(route)).statusCode, route).toBe(200);
    for (const headers of [owner, otherKey]) {
      const answer = await ask(route, headers);
      expect([answer.statusCode, answer.json().code], route).toEqual([404, "merchant_unknown"]);
    }
    expect((await ask(route, {})).json().code, route).toBe("access_required");
    const nothing = await makeKey(shop.deps, MERCHANT, "sites:read");
    expect((await ask(route, nothing)).json().code, route).toBe("scope_missing");
  }
  for (const route of ROUTES.filter((path) => !path.startsWith("/statements/")))
    expect((await ask(route, owner, "other-paper")).statusCode, route).toBe(200);
});

it("refuses what is no stretch of days, no page and no statement", async () => {
  for (const path of [
    "/revenue",
    "/revenue?from=2026-11-31&to=2026-12-01&by=day",
    "/revenue?from=2026-11-30&to=2026-11-29&by=day",
    "/revenue?from=1900-01-01&to=2026-11-29&by=day",
    `/revenue?${DAY}&by=reader`,
    `/revenue?${DAY}&by=article&limit=100000`,
    "/payments?before=0",
    "/payments?limit=1e3",
    "/payments?before=9999999999999999",
  ])
    expect((await ask(path)).json().code, path).toBe("request_invalid");
  expect((await ask("/statements/0")).json().code).toBe("settlement_unknown");
});
