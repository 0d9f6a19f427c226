import { describe, expect, it } from "vitest";
import { micros } from "../../shared/money.ts";
import { createMemoryStore, type WalletStore } from "./index.ts";
import { countIn, countOut, spentIn } from "./spending.ts";

const SITES = ["https://lantern.example", "https://gazette.example"] as const;
const PAYMENTS = [
  { amount: micros(50_000), day: "2026-10-31", origin: SITES[0], fromAllowance: true },
  { amount: micros(20_000), day: "2026-11-01", origin: SITES[0], fromAllowance: false },
  { amount: micros(20_000), day: "2026-11-01", origin: SITES[0], fromAllowance: true },
  { amount: micros(10_000), day: "2026-11-01", origin: SITES[1], fromAllowance: false },
];

/** As many rows as there are places in which the payments count. */
const counted = (store: WalletStore) =>
  store.read(async (tables) => (await tables.spending.all()).toSorted((a, b) => (a.key < b.key ? -1 : 1)));

describe("payments that are counted all at once, as a restore does", () => {
  it("come to what they come to one by one, in each day and month, at each site and at all", async () => {
    const [together, oneByOne] = [createMemoryStore(), createMemoryStore()];
    await together.transaction((tables) => countIn(tables, ...PAYMENTS));
    for (const payment of PAYMENTS) await oneByOne.transaction((tables) => countIn(tables, payment));
    expect(await counted(together)).toEqual(await counted(oneByOne));
    expect(await together.read((tables) => spentIn(tables, "2026-11"))).toMatchObject({
      spent: 50_000n,
      unasked: 20_000n,
      payments: 3,
    });
    expect(await together.read((tables) => spentIn(tables, "2026-11-01", SITES[0]))).toMatchObject({
      spent: 40_000n,
      unasked: 20_000n,
      payments: 2,
    });
  });

  it("add to what was counted before, and leave it when they are given back", async () => {
    const store = createMemoryStore();
    const [first, ...others] = PAYMENTS;
    if (!first) throw new Error("there are none");
    await store.transaction((tables) => countIn(tables, first));
    const before = await counted(store);
    await store.transaction((tables) => countIn(tables, first, ...others));
    expect(await store.read((tables) => spentIn(tables, "2026-10"))).toMatchObject({
      spent: 100_000n,
      payments: 2,
    });
    await store.transaction((tables) => countOut(tables, first, ...others));
    expect((await counted(store)).filter(({ payments }) => payments > 0)).toEqual(before);
  });

  it("write nothing where there are none", async () => {
    const store = createMemoryStore();
    await store.transaction((tables) => countIn(tables));
    expect(await counted(store)).toEqual([]);
  });
});
