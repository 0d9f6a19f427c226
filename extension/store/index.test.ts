import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import Dexie from "dexie";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { micros } from "../../shared/money.ts";
import { FIRST_VERSION, putFirstVersion } from "../../test/support/first-version.ts";
import { newSession } from "../../test/support/session.ts";
import { conformsAsStore, payment } from "../../test/support/store-conformance.ts";
import { summaryOf, upgradeFromFirst } from "../../wallet/core/index.ts";
import type { PaymentRow } from "../../wallet/core/rows.ts";
import { openStore, type SessionPort, tableNamed } from "./index.ts";
import { createRowSealer } from "./sealed-rows.ts";
import { unwrap, VaultRow } from "./vault.ts";

const SHAPES = { summaryOf, upgrades: { 2: upgradeFromFirst } };
const PASSPHRASE = "correct horse battery staple";
const LOCK = { passphrase: PASSPHRASE, lockAfterMinutes: 5 };
const SITE = "https://lantern.example";
const SECRET = "a secret that nobody may find";
const COIN = {
  secret: SECRET,
  C: `02${"ab".repeat(32)}`,
  keysetId: "00aabbccddeeff11",
  amount: micros(50_000),
  state: "free",
  holder: undefined,
} as const;

conformsAsStore("the store in IndexedDB", () => openStore(randomUUID(), newSession(), SHAPES));

it("has everything again after it was closed and opened", async () => {
  const name = randomUUID();
  const before = openStore(name, newSession(), SHAPES);
  await before.transaction((tables) => tables.counters.put({ key: "payment", next: 3 }));
  await before.close();
  const after = openStore(name, newSession(), SHAPES);
  expect(await after.read((tables) => tables.counters.get("payment"))).toEqual({ key: "payment", next: 3 });
  await after.close();
});

it("does not take a body for done whose transaction the browser ended meanwhile", async () => {
  const store = openStore(randomUUID(), newSession(), SHAPES);
  const outlived = store.transaction(async (tables) => {
    await tables.counters.put({ key: "payment", next: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await expect(outlived).rejects.toThrow("ended before its body");
  await store.close();
});

it("loses no string that looks like one of its own marks, and no number of any size", async () => {
  const store = openStore(randomUUID(), newSession(), SHAPES);
  const C = "\u0000n12\u0000";
  const amount = micros(12_345_678_901_234_567_890n);
  await store.transaction((tables) => tables.coins.put({ ...COIN, C, amount }));
  expect(await store.read((tables) => tables.coins.get(SECRET))).toEqual({ ...COIN, C, amount });
  await store.close();
});

describe("what lies on the disk", () => {
  it("says nothing of coins, sites and articles, with a passphrase or without", async () => {
    for (const by of ["device", LOCK] as const) {
      const name = randomUUID();
      const store = openStore(name, newSession(), SHAPES);
      await store.transaction(async (tables) => {
        await tables.coins.put(COIN);
        await tables.allowances.put({
          origin: "https://site.example",
          merchant: "merchant-1",
          merchantName: "The Site",
          perPayment: undefined,
          perDay: undefined,
          perMonth: micros(1_000_000),
          total: undefined,
          at: 1_764_000_000_000,
        });
      });
      await store.protect(by);
      await store.close();
      const disk = JSON.stringify(await rowsOf(name), (_, value: unknown) =>
        value instanceof Uint8Array
          ? Buffer.from(value).toString("latin1")
          : typeof value === "bigint"
            ? `${value}`
            : value,
      );
      expect(disk).toContain('"free"');
      for (const told of [SECRET, "ab".repeat(8), "site.example", "The Site", "merchant-1", "50000"])
        expect(disk).not.toContain(told);
    }
  });

  it("cannot be put in another place: a row that was moved or changed is not opened", async () => {
    const name = randomUUID();
    const store = openStore(name, newSession(), SHAPES);
    await store.transaction((tables) =>
      tables.coins.putAll([
        { ...COIN, state: "spent" },
        { ...COIN, secret: "other" },
      ]),
    );
    // What was opened before is remembered, but not for another place.
    await store.read((tables) => tables.coins.all());
    await changeRows(name, "coins", (row) => ({ ...row, state: "free" }));
    await expect(store.read((tables) => tables.coins.all())).rejects.toThrow();
    await store.close();
  });

  it("holds no key that a script could carry off", async () => {
    const name = randomUUID();
    const store = openStore(name, newSession(), SHAPES);
    await store.transaction((tables) => tables.coins.put(COIN));
    await store.close();
    const [vault] = (await rowsOf(name)).vault ?? [];
    const { deviceKey } = vault as { deviceKey: CryptoKey };
    expect(deviceKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", deviceKey)).rejects.toThrow();
  });
});

it("keeps everything of a store of the first version, and lets no site spend more than was agreed to then", async () => {
  const name = randomUUID();
  const at = Date.parse("2026-11-15T12:00:00Z");
  await writeFirstVersion(name, {
    counters: [{ key: "payment", next: 3 }],
    allowances: [
      {
        origin: SITE,
        merchant: "the-lantern",
        merchantName: "The Lantern",
        limit: 1_000_000n,
        spent: 400_000n,
        at,
      },
    ],
    payments: [
      { id: "1", at, origin: SITE, state: "paid", amount: 300_000n, fromAllowance: true },
      { id: "2", at, origin: SITE, state: "refunded", amount: 500_000n, fromAllowance: false },
      { id: "3", at, origin: SITE, state: "unknown", amount: 100_000n, fromAllowance: true },
    ],
  });
  for (const opened of ["the first time", "the second time"]) {
    const store = openStore(name, newSession(), SHAPES);
    const found = await store.read(async (tables) => ({
      counters: await tables.counters.all(),
      allowances: await tables.allowances.all(),
      days: (await tables.payments.all()).map(({ day }) => day),
      spending: await tables.spending.all(),
    }));
    expect(found.counters, opened).toEqual([{ key: "payment", next: 3 }]);
    expect(found.days, opened).toEqual(["2026-11-15", "2026-11-15", "2026-11-15"]);
    expect(found.allowances, opened).toEqual([
      {
        origin: SITE,
        merchant: "the-lantern",
        merchantName: "The Lantern",
        perPayment: undefined,
        perDay: undefined,
        perMonth: undefined,
        total: { limit: 1_000_000n, spent: 400_000n },
        at,
      },
    ]);
    const spent = { spent: 400_000n, unasked: 400_000n, payments: 2 };
    expect(found.spending.map(({ period, origin }) => `${period} ${origin}`).sort(), opened).toEqual([
      "2026-11 ",
      `2026-11 ${SITE}`,
      "2026-11-15 ",
      `2026-11-15 ${SITE}`,
    ]);
    for (const row of found.spending) expect(row, opened).toMatchObject(spent);
    await store.close();
  }
});

describe("the first version's rows", () => {
  it("are all there, sealed, when the store is opened for the first time", async () => {
    const name = randomUUID();
    await writeFirstVersion(name, { coins: [COIN], counters: [{ key: "payment", next: 7 }] });
    const store = openStore(name, newSession(), SHAPES);
    expect(await store.read((tables) => tables.coins.where("state", "free"))).toEqual([COIN]);
    expect(await store.read((tables) => tables.counters.get("payment"))).toEqual({ key: "payment", next: 7 });
    await store.close();
    expect(
      JSON.stringify((await rowsOf(name)).coins, (_, value) =>
        typeof value === "bigint" ? `${value}` : value,
      ),
    ).not.toContain(SECRET);
  });
});

describe("payments of the second version, which are in one row each", () => {
  it("are listed and read as they were, written in two from then on, and kept by a passphrase", async () => {
    const session = newSession();
    const name = await writeSecondVersion(session, [payment("a", 1), payment("b", 2)]);
    const store = openStore(name, session, SHAPES);
    const read = () =>
      store.read(async ({ payments, paymentSummaries }) => ({
        one: await payments.get("a"),
        all: await payments.newest(9),
        listed: (await paymentSummaries.newest(9)).map(({ id, order }) => [id, order.title]),
      }));
    const listed = [
      ["b", "Tide mills"],
      ["a", "Tide mills"],
    ];
    expect(await read()).toEqual({
      one: payment("a", 1),
      all: [payment("b", 2), payment("a", 1)],
      listed,
    });
    const refunded = { ...payment("a", 1), state: "refunded" } as const;
    await store.transaction((tables) => tables.payments.put(refunded));
    expect((await rowsOf(name)).wholePayments).toHaveLength(1);
    await store.protect(LOCK);
    await store.lock();
    await store.unlock(PASSPHRASE);
    expect(await read()).toEqual({ one: refunded, all: [payment("b", 2), refunded], listed });
    const [b, a] = await store.read((tables) => tables.paymentSummaries.newest(9));
    expect(b, "as it was written").toHaveProperty("body");
    expect(a, "what a list reads").not.toHaveProperty("body");
    await store.transaction((tables) => tables.payments.removeAll(["a", "b"]));
    expect(await read()).toEqual({ one: undefined, all: [], listed: [] });
    expect((await rowsOf(name)).wholePayments).toEqual([]);
    await store.close();
  });
});

describe("a passphrase", () => {
  it("opens what it locked, and nothing else does", async () => {
    const name = randomUUID();
    const session = newSession();
    const store = openStore(name, session, SHAPES);
    await store.transaction((tables) => tables.coins.put(COIN));
    await store.protect(LOCK);
    expect(await store.read((tables) => tables.coins.all())).toEqual([COIN]);
    expect(await store.protection()).toEqual({ hasPassphrase: true, isLocked: false, lockAfterMinutes: 5 });
    await store.lock();
    expect(await store.protection()).toEqual({ hasPassphrase: true, isLocked: true, lockAfterMinutes: 5 });
    await expect(store.read((tables) => tables.coins.all())).rejects.toMatchObject({ code: "wallet_locked" });
    await expect(store.unlock("correct horse battery stapler")).rejects.toMatchObject({
      code: "passphrase_wrong",
    });
    await expect(store.transaction((tables) => tables.coins.all())).rejects.toMatchObject({
      code: "wallet_locked",
    });
    await store.unlock(PASSPHRASE);
    expect(await store.read((tables) => tables.coins.all())).toEqual([COIN]);
    await store.close();
  });

  it("is not asked for again when only the background died, and is after the browser's end", async () => {
    const name = randomUUID();
    const session = newSession();
    const first = openStore(name, session, SHAPES);
    await first.transaction((tables) => tables.coins.put(COIN));
    await first.protect(LOCK);
    await first.close();
    const restarted = openStore(name, session, SHAPES);
    expect(await restarted.read((tables) => tables.coins.all())).toEqual([COIN]);
    await restarted.close();
    const anotherDay = openStore(name, newSession(), SHAPES);
    await expect(anotherDay.read((tables) => tables.coins.all())).rejects.toMatchObject({
      code: "wallet_locked",
    });
    await anotherDay.close();
  });

  it("that was changed opens nothing any more, and none that was taken away is asked for", async () => {
    const store = openStore(randomUUID(), newSession(), SHAPES);
    await store.transaction((tables) => tables.coins.put(COIN));
    await store.protect(LOCK);
    await store.protect({ ...LOCK, passphrase: "another passphrase" });
    await store.lock();
    await expect(store.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "passphrase_wrong" });
    await store.unlock("another passphrase");
    await store.protect("device");
    await store.lock();
    expect(await store.read((tables) => tables.coins.all())).toEqual([COIN]);
    await store.close();
  });

  it("loses nothing that is written while everything is sealed anew", async () => {
    const store = openStore(randomUUID(), newSession(), SHAPES);
    const put = (index: number) =>
      store.transaction((tables) => tables.coins.put({ ...COIN, secret: `coin ${index}` }));
    await put(0);
    const sealing = store.protect(LOCK);
    await Promise.all(Array.from({ length: 40 }, (_, index) => put(index + 1)));
    await sealing;
    await Promise.all(Array.from({ length: 10 }, (_, index) => put(index + 41)));
    expect(await store.read((tables) => tables.coins.all())).toHaveLength(51);
    await store.close();
  });

  it("and everything that it kept is gone when the wallet is erased, locked or not", async () => {
    const store = openStore(randomUUID(), newSession(), SHAPES);
    await store.transaction((tables) => tables.coins.put(COIN));
    await store.protect(LOCK);
    await store.lock();
    await store.erase();
    expect(await store.protection()).toMatchObject({ hasPassphrase: false, isLocked: false });
    expect(await store.read((tables) => tables.coins.all())).toEqual([]);
    await store.close();
  });
});

async function withDatabase<T>(name: string, body: (database: IDBDatabase) => Promise<T>): Promise<T> {
  const database = new Dexie(name);
  await database.open();
  try {
    return await body(database.backendDB());
  } finally {
    database.close();
  }
}

function rowsOf(name: string): Promise<Record<string, Record<string, unknown>[]>> {
  return withDatabase(name, async (database) => {
    const rows: Record<string, Record<string, unknown>[]> = {};
    for (const table of database.objectStoreNames)
      rows[table] = await answerOf(database.transaction(table).objectStore(table).getAll());
    return rows;
  });
}

function changeRows(
  name: string,
  table: string,
  change: (row: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  return withDatabase(name, async (database) => {
    const rows = database.transaction(table, "readwrite").objectStore(table);
    for (const row of await answerOf<Record<string, unknown>[]>(rows.getAll()))
      await answerOf(rows.put(change(row)));
  });
}

/** Its tables, its vault, and these payments as it sealed them. Answers the name of the database. */
async function writeSecondVersion(session: SessionPort, payments: readonly PaymentRow[]): Promise<string> {
  const like = randomUUID();
  const store = openStore(like, session, SHAPES);
  await store.transaction((tables) => tables.coins.put(COIN));
  await store.close();
  const { vault = [], wholePayments, ...rows } = await rowsOf(like);
  expect(wholePayments).toEqual([]);
  const sealer = createRowSealer(await unwrap(v.parse(VaultRow, vault[0]), session));
  const written = {
    ...rows,
    vault,
    payments: payments.map((row) => sealer.seal(tableNamed("payments"), row)),
  };
  const database = new Dexie(like);
  await database.open();
  const stores = Object.fromEntries(
    database.tables
      .filter(({ name }) => name in written)
      .map(({ name, schema }) => [name, [schema.primKey, ...schema.indexes].map(({ src }) => src).join(",")]),
  );
  database.close();
  const second = new Dexie(randomUUID());
  second.version(2).stores(stores);
  await second.open();
  for (const [table, of] of Object.entries(written)) await second.table(table).bulkPut(of);
  second.close();
  return second.name;
}

/** As the first version wrote it: its tables, these rows in them, and no table `vault`. */
function writeFirstVersion(name: string, rows: Record<string, readonly object[]>): Promise<void> {
  const { version, stores } = FIRST_VERSION.indexedDb;
  const withRows = Object.entries(stores).map(([table, store]) => [
    table,
    { ...store, rows: [...(rows[table] ?? [])] },
  ]);
  return putFirstVersion({ name, stored: { version, stores: Object.fromEntries(withRows) }, laterMs: 0 });
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
