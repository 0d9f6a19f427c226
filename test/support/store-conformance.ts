/** What every store of the wallet has to do. Run by the test of each. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { micros } from "../../shared/money.ts";
import type { WalletStore } from "../../wallet/core/ports.ts";
import type { CoinRow, TopUpRow } from "../../wallet/core/rows.ts";

export function conformsAsStore(name: string, open: () => WalletStore): void {
  describe(name, () => {
    let store: WalletStore;
    beforeEach(() => {
      store = open();
    });
    afterEach(() => store.close());

    it("loses no row, no amount and no field that was set to undefined", async () => {
      await store.transaction((tables) => tables.coins.put(coin("a", 50_000)));
      expect(await store.read((tables) => tables.coins.get("a"))).toEqual(coin("a", 50_000));
      expect(await store.read((tables) => tables.coins.get("b"))).toBeUndefined();
    });
    it("writes nothing at all of a transaction that throws", async () => {
      await store.transaction((tables) => tables.coins.put(coin("kept", 1_000)));
      const failed = store.transaction(async (tables) => {
        await tables.coins.putAll([coin("a", 1_000), { ...coin("kept", 1_000), state: "spent" }]);
        await tables.counters.put({ key: "payment", next: 7 });
        throw new Error("killed");
      });
      await expect(failed).rejects.toThrow("killed");
      expect(await store.read((tables) => tables.coins.all())).toEqual([coin("kept", 1_000)]);
      expect(await store.read((tables) => tables.counters.all())).toEqual([]);
    });
    it("lets no two transactions take the same number or the same coin", async () => {
      await store.transaction((tables) => tables.coins.put(coin("only", 1_000)));
      const take = (holder: string) =>
        store.transaction(async (tables) => {
          const next = (await tables.counters.get("n"))?.next ?? 0;
          await tables.counters.put({ key: "n", next: next + 1 });
          const [free] = await tables.coins.where("state", "free");
          if (free) await tables.coins.put({ ...free, state: "reserved", holder });
          return { next, got: free !== undefined };
        });
      const taken = await Promise.all(["a", "b", "c", "d"].map(take));
      expect(new Set(taken.map(({ next }) => next)).size).toBe(4);
      expect(taken.filter(({ got }) => got)).toHaveLength(1);
    });
    it("keeps a transaction together while much else goes on in the same process", async () => {
      let isBusy = true;
      const others = Array.from({ length: 20 }, async () => {
        for (let turn = 1; isBusy; turn++) {
          await (turn % 500 === 0 ? new Promise((resolve) => setTimeout(resolve, 0)) : undefined);
        }
      });
      const count = (key: string) =>
        store.transaction(async (tables) => {
          for (let step = 0; step < 10; step++) {
            const next = ((await tables.counters.get(key))?.next ?? 0) + 1;
            // A chain of awaits as nested functions make it.
            for (let depth = 0; depth < 50; depth++) await undefined;
            await Promise.all([
              tables.counters.put({ key, next }),
              tables.coins.put(coin(`${key}${step}`, 1_000)),
            ]);
          }
        });
      await Promise.all(Array.from({ length: 20 }, (_, index) => count(index % 2 === 0 ? "even" : "odd")));
      isBusy = false;
      await Promise.all(others);
      const counters = await store.read((tables) => tables.counters.all());
      expect(counters.map(({ next }) => next)).toEqual([100, 100]);
    });
    it("gives copies, so that a changed row is not a stored one", async () => {
      const row = { key: "n", next: 1 };
      await store.transaction((tables) => tables.counters.put(row));
      row.next = 99;
      expect((await store.read((tables) => tables.counters.get("n")))?.next).toBe(1);
    });
    it("finds by an index exactly the rows with that value, and no removed one", async () => {
      await store.transaction((tables) =>
        tables.coins.putAll([
          coin("a", 1_000),
          coin("b", 2_000),
          { ...coin("c", 5_000), state: "spent" },
          coin("d", 1_000),
          coin("e", 1_000),
        ]),
      );
      await store.transaction(async (tables) => {
        await tables.coins.remove("a");
        await tables.coins.removeAll(["d", "e", "never there"]);
      });
      const free = await store.read((tables) => tables.coins.where("state", "free"));
      expect(free.map(({ secret }) => secret)).toEqual(["b"]);
    });
    it("shows the newest first, and no more than was asked for", async () => {
      await store.transaction((tables) =>
        tables.topUps.putAll([topUp("old", 1), topUp("new", 3), topUp("middle", 2)]),
      );
      expect((await store.read((tables) => tables.topUps.newest(2))).map(({ id }) => id)).toEqual([
        "new",
        "middle",
      ]);
    });
  });
}

function coin(secret: string, amount: number): CoinRow {
  return {
    secret,
    C: `02${"0".repeat(64)}`,
    keysetId: "00aa",
    amount: micros(amount),
    state: "free",
    holder: undefined,
  };
}

function topUp(id: string, at: number): TopUpRow {
  return { id, amount: micros(1_000), state: "open", at, checkoutUrl: "" };
}
