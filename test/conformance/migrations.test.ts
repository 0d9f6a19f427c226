/**
 * A database of the first version keeps its money and its answers through every version since. The fixtures are what that
 * version wrote: two readers topped up, one was charged back; four payments, one with change, one refunded; a settlement.
 * They are never made anew.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../server/database.ts";
import { LOSS, merchantAccount, REVENUE, readerAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import type { Ledger } from "../../server/ledger/ledger.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { createMerchantStore } from "../../server/merchants/index.ts";
import { refuseOtherMode } from "../../server/mode.ts";
import { paymentRecordOf } from "../../server/payments/index.ts";
import { findTopUp } from "../../server/topups/store.ts";
import { sha256, toHex } from "../../shared/bytes.ts";
import { micros } from "../../shared/money.ts";
import { allDatabases, type TestDatabase } from "../support/database.ts";

const READER_ONE = "reader-one".padEnd(43, "x");
const READER_TWO = "reader-two".padEnd(43, "x");
const MERCHANT = "the-lantern";
const TRANSFERS = 24;
/** Of the merchant, and of its payments' records. */
const REFUND_WINDOW_SECONDS = 60;
/** After everything in the fixtures. */
const LATER = Date.UTC(2027, 0, 1);

describe.each(allDatabases())("a first version's database on $kind", (databases) => {
  let database: TestDatabase;
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  let ledger: Ledger;

  afterAll(() => databases.stop());
  beforeEach(async () => {
    database = await databases.make();
    const fixture = join(import.meta.dirname, "..", "fixtures", `first-version.${databases.kind}.sql`);
    await database.execute(readFileSync(fixture, "utf8"));
    opened = await openDatabase(database.place);
    ledger = openLedger(database.place, () => LATER);
  });
  afterEach(async () => {
    await ledger.close();
    await opened.close();
    await database.destroy();
  });

  it("is a live one's, in which no test mode starts", async () => {
    await expect(refuseOtherMode(opened.database, "test")).rejects.toThrow("a provider in live mode");
    await refuseOtherMode(opened.database, "live");
  });

  it("holds the same money in the same accounts", async () => {
    const { transfers, differences, trialBalance } = await ledger.audit();
    expect({ transfers, differences }).toEqual({ transfers: TRANSFERS, differences: [] });
    const balances = new Map(trialBalance.map(({ account, balance }) => [account, balance]));
    expect(balances.get(readerAccount(READER_ONE))).toBe(5_000_000n);
    expect(balances.get(readerAccount(READER_TWO))).toBe(0n);
    expect(balances.get(merchantAccount(MERCHANT))).toBe(106_700n);
    expect(balances.get(REVENUE)).toBe(6_300n);
    const float = [...balances].filter(([account]) => account.startsWith("float:"));
    expect(float.map(([, balance]) => balance)).toEqual([137_000n]);
    expect(await ledger.balance(merchantAccount(MERCHANT))).toBe(106_700n);
  });

  it("answers a replay with what was committed then", async () => {
    const key = `closing:${MERCHANT}:1`;
    const value = (await ledger.record(key)) ?? "";
    const closing = {
      id: deriveId("closing", MERCHANT, "1"),
      fingerprint: toHex(await sha256(value)),
      transfers: [],
      records: [{ key, value: "another" }],
    };
    const again = await ledger.apply(closing);
    expect(again).toMatchObject({ status: "exists", records: [{ key, value }] });
    expect(again).toHaveProperty("timestamp", (await ledger.group(closing.id))?.timestamp);
    expect(await ledger.apply({ ...closing, fingerprint: "other" })).toEqual({ status: "conflict" });
  });

  it("lists the same payments in the same order, and spends none of their coins again", async () => {
    const payments = await ledger.transfers({
      account: merchantAccount(MERCHANT),
      side: "credit",
      codes: ["payment"],
      limit: 100,
    });
    expect(payments.map(({ amount }) => amount)).toEqual([50_000n, 13_000n, 50_000n, 50_000n]);
    const places = payments.map(({ sequence }) => sequence);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(payments.map(({ timestamp, maturesAt }) => maturesAt - timestamp)).toEqual(
      payments.map(() => REFUND_WINDOW_SECONDS * 1_000),
    );
    for (const { id, debit, credit, amount, groupId, reference } of payments) {
      const paid = await ledger.group(groupId);
      expect(paymentRecordOf({ memo: paid?.memo }, id)).toMatchObject({ merchant: MERCHANT });
      expect(await ledger.record(`payment:${reference}`)).toBeUndefined();
      const again = await ledger.apply({
        id: deriveId("again", id),
        fingerprint: "",
        transfers: [{ id, debit, credit, amount, code: "payment", reference: "again" }],
        records: [],
      });
      expect(again).toEqual({ status: "rejected", rejection: { reason: "transfer_exists", transferId: id } });
    }
  });

  it("goes on after the last transfer and the last moment there were", async () => {
    const before = await ledger.transfers({ account: merchantAccount(MERCHANT), side: "credit", limit: 100 });
    const transfer = {
      id: deriveId("next", "1"),
      debit: LOSS,
      credit: merchantAccount(MERCHANT),
      amount: micros(1n),
      code: "write_off",
      reference: "next",
    } as const;
    await ledger.apply({ id: deriveId("next", "g"), fingerprint: "", transfers: [transfer], records: [] });
    const [next] = await ledger.transfers({ account: LOSS, side: "debit", limit: 1 });
    expect(next?.sequence).toBe(TRANSFERS + 1);
    expect(next?.timestamp).toBe(LATER);
    expect(LATER).toBeGreaterThan(before.at(-1)?.timestamp ?? LATER);
    expect((await ledger.audit()).differences).toEqual([]);
  });

  it("knows the same merchant, top-ups and quote", async () => {
    const config = { refundWindowSeconds: 1, payoutMinimum: micros(1n) };
    const merchants = createMerchantStore({ database: opened.database, now: () => LATER, config });
    expect(await merchants.get(MERCHANT)).toMatchObject({
      name: "Merchant the-lantern",
      origins: ["https://lantern.example"],
      refundWindowSeconds: 60,
    });
    const stateOf = async (id: string) =>
      (await findTopUp({ database: opened.database, ledger }, id.repeat(16)))?.state;
    expect(await Promise.all(["aa", "bb", "cc"].map(stateOf))).toEqual(["paid", "charged_back", "open"]);
    const quotes = opened.database.$extendTables<{ mint_quotes: { id: string; amount: bigint } }>();
    expect(await quotes.selectFrom("mint_quotes").select(["id", "amount"]).execute()).toEqual([
      { id: "dd".repeat(32), amount: 100_000n },
    ]);
  });

  it("is brought up to date once, also by several processes that start together", async () => {
    const others = await Promise.all(Array.from({ length: 3 }, () => openDatabase(database.place)));
    for (const other of others) await other.close();
    expect((await ledger.audit()).differences).toEqual([]);
  });
});
