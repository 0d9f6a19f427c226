/** Many payments at once, of which some fail, with days that go by: no limit is ever passed that the reader did not agree to pass. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { monthOf } from "../../shared/calendar.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { micros } from "../../shared/money.ts";
import type { PaymentRow } from "./rows.ts";
import { makeTestWallet, offerOf, SITE, type TestWallet } from "./testing.ts";

const SITES = [SITE, "https://harbour.example"] as const;
const COINS = Array.from({ length: 60 }, () => 10_000);
const MONTHLY_LIMIT = 150_000n;
const LIMITS = { perPayment: micros(30_000), perDay: micros(50_000), perMonth: micros(80_000) };
const RUNS = 40;
const DAY_MS = 86_400_000;

const payment = fc.record({
  site: fc.constantFrom(...SITES),
  amount: fc.constantFrom(10_000, 20_000, 30_000, 40_000),
  /** If the reader is asked. */
  answer: fc.constantFrom("no", "yes", "beyond the month"),
  isRefused: fc.boolean(),
});
const round = fc.record({
  payments: fc.array(payment, { minLength: 1, maxLength: 8 }),
  daysLater: fc.constantFrom(-1, 0, 0, 0, 1, 20),
});

it("however many payments race, whichever of them fail", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
      const reader = await makeReader();
      const beyond = new Set<string>();
      for (const { payments, daysLater } of rounds) {
        await race(reader, payments, beyond);
        await judge(reader, beyond);
        reader.clock.nowMs += daysLater * DAY_MS;
        await reader.store.transaction(async (tables) =>
          tables.pauses.removeAll((await tables.pauses.all()).map(({ key }) => key)),
        );
      }
      expect(reader.faults).toEqual([]);
    }),
    // Making it smaller would take longer than looking at it.
    { numRuns: RUNS, endOnFailure: true },
  );
}, 120_000);

async function makeReader(): Promise<TestWallet> {
  const reader = await makeTestWallet(COINS);
  await reader.store.transaction((tables) =>
    tables.allowances.putAll(
      SITES.map((origin) => ({
        origin,
        merchant: "the-lantern",
        merchantName: "The Lantern",
        ...LIMITS,
        total: undefined,
        at: 0,
      })),
    ),
  );
  await reader.wallet.setMonthlyLimit({ kind: "ui", type: "setMonthlyLimit", limit: micros(MONTHLY_LIMIT) });
  return reader;
}

type Raced = {
  readonly site: string;
  readonly amount: number;
  readonly answer: string;
  readonly isRefused: boolean;
};
let articles = 0;

/** All at once, each in a tab of its own; resolves when every one of them is over. */
async function race(reader: TestWallet, payments: readonly Raced[], beyond: Set<string>): Promise<void> {
  const refused = new Set<string>();
  reader.provider.settleWith(async (body, usual) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (![...refused].some((resource) => body.includes(resource))) return usual();
    return { success: false, errorReason: "seal_outdated", transaction: "", network: "tuppence:usd" };
  });
  const merchantRecord = await reader.provider.merchantRecord({ origins: [...SITES] });
  const answers = new Map<string, string>();
  let open = payments.length;
  const all = payments.map(async ({ site, amount, answer, isRefused }, index) => {
    const resource = `${site}/article-${++articles}-`;
    answers.set(resource, answer);
    if (isRefused) refused.add(resource);
    await reader
      .ask(offerOf({ resource, amount: BigInt(amount), merchantRecord }), { origin: site, tabId: 10 + index })
      .catch((error: unknown) => {
        if (!(error instanceof TuppenceError)) throw error;
      });
    open -= 1;
  });
  const decided = new Set<string>();
  while (open > 0) {
    const asking = await reader.store.read((tables) => tables.approvals.where("state", "asking"));
    await Promise.all(
      asking
        .filter(({ id }) => !decided.has(id))
        .map(async ({ id, order }) => {
          const answer = answers.get(order.resourceUrl) ?? "no";
          const decide = (approve: boolean, beyondMonth: boolean) =>
            reader.wallet.decide({ kind: "ui", type: "decide", approvalId: id, approve, beyondMonth });
          decided.add(id);
          if (answer === "beyond the month") beyond.add(order.resourceUrl);
          // What may not be agreed to as it stands is refused.
          await decide(answer !== "no", answer === "beyond the month").catch(() => decide(false, false));
        }),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
}

/** Against the payments themselves, not against what the wallet counted. */
async function judge(reader: TestWallet, beyond: ReadonlySet<string>): Promise<void> {
  const { payments, spending } = await reader.store.read(async (tables) => ({
    payments: await tables.payments.all(),
    spending: await tables.spending.all(),
  }));
  const paid = payments.filter(({ state }) => state !== "failed");
  const sumBy = (rows: readonly PaymentRow[], keyOf: (row: PaymentRow) => string): Map<string, bigint> => {
    const sums = new Map<string, bigint>();
    for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0n) + row.amount);
    return sums;
  };
  const unasked = paid.filter(({ fromAllowance }) => fromAllowance);
  for (const { amount } of unasked) expect(amount).toBeLessThanOrEqual(LIMITS.perPayment);
  for (const sum of sumBy(unasked, ({ day, origin }) => `${day} ${origin}`).values())
    expect(sum).toBeLessThanOrEqual(LIMITS.perDay);
  for (const sum of sumBy(unasked, ({ day, origin }) => `${monthOf(day)} ${origin}`).values())
    expect(sum).toBeLessThanOrEqual(LIMITS.perMonth);
  const agreed = sumBy(
    paid.filter(({ order }) => beyond.has(order.resourceUrl)),
    ({ day }) => monthOf(day),
  );
  const months = sumBy(paid, ({ day }) => monthOf(day));
  for (const [month, sum] of months)
    expect(sum).toBeLessThanOrEqual(MONTHLY_LIMIT + (agreed.get(month) ?? 0n));

  const counted = new Map(spending.filter(({ spent }) => spent > 0n).map(({ key, spent }) => [key, spent]));
  const expected = new Map([
    ...sumBy(paid, ({ day }) => `${day} `),
    ...sumBy(paid, ({ day, origin }) => `${day} ${origin}`),
    ...sumBy(paid, ({ day }) => `${monthOf(day)} `),
    ...sumBy(paid, ({ day, origin }) => `${monthOf(day)} ${origin}`),
  ]);
  expect(counted).toEqual(expected);
}
