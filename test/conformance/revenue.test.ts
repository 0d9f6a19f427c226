/**
 * What merchants took is added up beside the ledger. Whatever happens to whoever adds up (killed anywhere, two at a time,
 * everything forgotten), the sums are what the ledger says, to the micro.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../server/database.ts";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import type { Ledger } from "../../server/ledger/ledger.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { advance } from "../../server/revenue/advance.ts";
import { auditRevenue } from "../../server/revenue/audit.ts";
import { revenueByArticle } from "../../server/revenue/by-article.ts";
import { revenueByDay } from "../../server/revenue/by-day.ts";
import { catchUp, createCounting } from "../../server/revenue/catch-up.ts";
import { allDatabases, migrate, type TestDatabase } from "../support/database.ts";
import { amountOf, type Paid, paidFor, payAll, refundAll } from "../support/paid.ts";

const MERCHANT = "the-lantern";
const SITE = "https://lantern.example";
const DAY_MS = 86_400_000;
/** A second before a day, a month and a year end. */
const NEW_YEARS_EVE = Date.UTC(2026, 11, 31, 23, 59, 59);
const EVER = { from: "2026-01-01", to: "2027-12-31" };
const MANY = 4_000;
const TIMEOUT_MS = 300_000;
/** As it is on a machine that has nothing else to do. */
const LONGEST_PAGE_MS = 40;

describe.each(allDatabases())("revenue on $kind", (databases) => {
  let database: TestDatabase;
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  let ledger: Ledger;
  let now = NEW_YEARS_EVE;
  const deps = () => ({
    ledger,
    database: opened.database,
    merchants: { list: async () => [MERCHANT, "other"].map((id) => ({ id }) as never) },
  });

  afterAll(() => databases.stop());
  beforeEach(async () => {
    now = NEW_YEARS_EVE;
    database = await databases.make();
    await migrate(database.place);
    opened = await openDatabase(database.place);
    ledger = openLedger(database.place, () => now);
  });
  afterEach(async () => {
    await ledger.close();
    await opened.close();
    await database.destroy();
  });

  const article = (number: number, path = "/tides", more: Partial<Paid> = {}): Paid =>
    paidFor(number, {
      merchant: MERCHANT,
      resource: SITE + path,
      kind: "article",
      coins: [50_000n],
      ...more,
    });

  async function payMany(): Promise<readonly Paid[]> {
    const payments = Array.from({ length: MANY }, (_, index) =>
      article(index + 1, `/article-${index % 70}`, {
        coins: [10_000n, ...(index % 3 === 0 ? [2_000n, 1_000n] : [])],
        kind: index % 10 === 0 ? "tip" : "article",
      }),
    );
    for (let start = 0; start < MANY; start += 2_000) {
      await payAll(ledger, payments.slice(start, start + 2_000));
      await refundAll(ledger, payments.slice(start, start + 40));
      now += DAY_MS;
    }
    return payments;
  }

  async function expectExact(payments: readonly Paid[], refunded: number): Promise<void> {
    expect(await auditRevenue(deps())).toEqual([]);
    const days = await revenueByDay(deps(), MERCHANT, EVER);
    const sum = (key: "payments" | "refunds") => days.reduce((total, day) => total + BigInt(day[key]), 0n);
    expect(sum("payments")).toBe(payments.reduce((total, paid) => total + amountOf(paid), 0n));
    expect(sum("payments") - sum("refunds")).toBe(await ledger.balance(merchantAccount(MERCHANT)));
    expect(days.reduce((total, { paymentCount }) => total + paymentCount, 0)).toBe(payments.length);
    expect(days.reduce((total, { refundCount }) => total + refundCount, 0)).toBe(refunded);
    const { articles } = await revenueByArticle(deps(), MERCHANT, { ...EVER, sort: "net", limit: 500 });
    expect(articles.reduce((total, { payments: of }) => total + BigInt(of), 0n)).toBe(sum("payments"));
  }

  it("counts a payment on its day and a refund on its own, tips apart, and a payment of several coins once", async () => {
    const payments = [article(1), article(2, "/tides", { coins: [20_000n, 10_000n, 5_000n] })];
    const tip = article(3, "/tides", { kind: "tip", coins: [100_000n] });
    await payAll(ledger, [...payments, tip]);
    now += 2_000;
    await payAll(ledger, [article(4, "/dunes")]);
    await refundAll(ledger, [article(1)]);
    await catchUp(deps(), MERCHANT);
    expect(await revenueByDay(deps(), MERCHANT, EVER)).toEqual([
      {
        day: "2026-12-31",
        kind: "article",
        paymentCount: 2,
        payments: "85000",
        refundCount: 0,
        refunds: "0",
      },
      { day: "2026-12-31", kind: "tip", paymentCount: 1, payments: "100000", refundCount: 0, refunds: "0" },
      {
        day: "2027-01-01",
        kind: "article",
        paymentCount: 1,
        payments: "50000",
        refundCount: 1,
        refunds: "50000",
      },
    ]);
    const tides = { resource: `${SITE}/tides`, kind: "article", paymentCount: 2, payments: "85000" };
    expect(
      await revenueByArticle(deps(), MERCHANT, {
        from: "2026-12-01",
        to: "2027-01-01",
        sort: "refunds",
        limit: 1,
      }),
    ).toEqual({ articleCount: 3, articles: [{ ...tides, refundCount: 1, refunds: "50000" }] });
    // A month and a day at its end: neither leaves anything out, and neither is counted twice.
    expect(
      (
        await revenueByArticle(deps(), MERCHANT, {
          from: "2026-12-31",
          to: "2027-01-01",
          sort: "net",
          limit: 9,
        })
      ).articles,
    ).toEqual([
      {
        resource: `${SITE}/tides`,
        kind: "tip",
        paymentCount: 1,
        payments: "100000",
        refundCount: 0,
        refunds: "0",
      },
      {
        resource: `${SITE}/dunes`,
        kind: "article",
        paymentCount: 1,
        payments: "50000",
        refundCount: 0,
        refunds: "0",
      },
      { ...tides, refundCount: 1, refunds: "50000" },
    ]);
    await expectExact([...payments, tip, article(4)], 1);
  });

  it("takes addresses that a database would refuse as they are", async () => {
    const resources = [
      `${SITE}/nul-\0`,
      `${SITE}/half-\ud800`,
      `${SITE}/${"é".repeat(1_900)}`,
      `${SITE}/"';--`,
    ];
    await payAll(
      ledger,
      resources.map((resource, index) => article(index + 1, "", { resource })),
    );
    await catchUp(deps(), MERCHANT);
    const { articles } = await revenueByArticle(deps(), MERCHANT, { ...EVER, sort: "net", limit: 9 });
    expect(articles.map(({ resource }) => resource).sort()).toEqual(
      resources.map((resource) => new URL(resource).href).sort(),
    );
  });

  it("keeps merchants apart, and goes on with the others where one cannot be added up", async () => {
    const memo = JSON.stringify({ resource: "no address", kind: "article" });
    const broken = { ...article(1), merchant: "aaa" };
    await payAll({ ...ledger, apply: (group) => ledger.apply({ ...group, memo }) }, [broken]);
    await payAll(ledger, [article(2), { ...article(3), merchant: "other" }]);
    await expect(createCounting(deps())()).rejects.toThrow();
    expect(await revenueByDay(deps(), MERCHANT, EVER)).toMatchObject([
      { paymentCount: 1, payments: "50000" },
    ]);
    expect(await revenueByDay(deps(), "other", EVER)).toMatchObject([{ paymentCount: 1, payments: "50000" }]);
    expect(await revenueByDay(deps(), "aaa", EVER)).toEqual([]);
  });

  it(
    "counts nothing twice and leaves nothing out, killed at any moment",
    async () => {
      const payments = await payMany();
      let kills = 0;
      for (let delayMs = 0; ; delayMs = (delayMs + 3) % LONGEST_PAGE_MS) {
        const { child, exited } = await startCounter();
        // Each life gets at least one page further, and dies at another place of the next one.
        child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), delayMs));
        const [code] = await exited;
        if (code === 0) break;
        kills += 1;
      }
      expect(kills).toBeGreaterThan(2);
      await expectExact(payments, 80);
    },
    TIMEOUT_MS,
  );

  it("counts nothing twice where several processes add up the same merchant", async () => {
    const payments = await payMany();
    const counters = await Promise.all([startCounter(), startCounter()]);
    await Promise.all([catchUp(deps(), MERCHANT), catchUp(deps(), MERCHANT)]);
    for (const { exited } of counters) expect((await exited)[0]).toBe(0);
    await expectExact(payments, 80);
  });

  it("adds everything up again where it was forgotten, half of it or all", async () => {
    const payments = await payMany();
    await advance(deps(), MERCHANT);
    await database.execute(`DELETE FROM revenue_cursors WHERE merchant_id = '${MERCHANT}'`);
    expect(await revenueByDay(deps(), MERCHANT, EVER)).toEqual([]);
    await catchUp(deps(), MERCHANT);
    await expectExact(payments, 80);
    await database.execute("DELETE FROM revenue_cursors");
    await catchUp(deps(), MERCHANT);
    await expectExact(payments, 80);
  });

  it("is found by the audit where it says something else than the ledger", async () => {
    await payAll(ledger, [article(1), article(2)]);
    await catchUp(deps(), MERCHANT);
    expect(await auditRevenue(deps())).toEqual([]);
    await database.execute("UPDATE revenue SET payments = payments + 1 WHERE span = 'article_month'");
    expect(await auditRevenue(deps())).toEqual([
      `revenue of ${MERCHANT} by month and article: says 2 payments of 100001, 0 refunds of 0; the ledger, 2 payments of 100000, 0 refunds of 0`,
    ]);
  });

  /** Adding up already. */
  async function startCounter() {
    const program = join(import.meta.dirname, "revenue-counter.ts");
    const child = spawn(process.execPath, [program, database.address, MERCHANT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    return { child, exited };
  }
});
