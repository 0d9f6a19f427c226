import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { conformsAsStore } from "../../test/support/store-conformance.ts";
import { upgradeFromFirst } from "../../wallet/core/index.ts";
import { openStore } from "./index.ts";

conformsAsStore("the store in IndexedDB", () => openStore(randomUUID()));

it("has everything again after it was closed and opened", async () => {
  const name = randomUUID();
  const before = openStore(name);
  await before.transaction((tables) => tables.counters.put({ key: "payment", next: 3 }));
  await before.close();
  const after = openStore(name);
  expect(await after.read((tables) => tables.counters.get("payment"))).toEqual({ key: "payment", next: 3 });
  await after.close();
});

it("does not take a body for done whose transaction the browser ended meanwhile", async () => {
  const store = openStore(randomUUID());
  const outlived = store.transaction(async (tables) => {
    await tables.counters.put({ key: "payment", next: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await expect(outlived).rejects.toThrow("ended before its body");
  await store.close();
});

it("keeps everything of a store of the first version, and lets no site spend more than was agreed to then", async () => {
  const name = randomUUID();
  const at = Date.parse("2026-11-15T12:00:00Z");
  await makeFirstVersion(name, {
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
    const store = openStore(name, { 2: upgradeFromFirst });
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

const SITE = "https://lantern.example";

/** As the released version made it. Dexie's first version is the browser's tenth. */
async function makeFirstVersion(name: string, rows: Record<string, readonly object[]>): Promise<void> {
  const schema: Record<string, readonly [string, ...string[]]> = {
    wallet: ["key"],
    counters: ["key"],
    pauses: ["key"],
    coins: ["secret", "state"],
    payments: ["id", "state", "change", "resourceKey", "origin", "requestKey", "at"],
    withdrawals: ["id", "state"],
    swaps: ["id", "state"],
    topUps: ["id", "state", "at"],
    allowances: ["origin"],
    approvals: ["id", "state", "requestKey", "at"],
    merchants: ["id"],
    keysets: ["id"],
  };
  const request = indexedDB.open(name, 10);
  request.onupgradeneeded = () => {
    for (const [table, [keyPath, ...indices]] of Object.entries(schema)) {
      const store = request.result.createObjectStore(table, { keyPath });
      for (const index of indices) store.createIndex(index, index);
      for (const row of rows[table] ?? []) store.put(row);
    }
  };
  await new Promise<void>((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
  request.result.close();
}
