/** What every store of the wallet has to do. Run by the test of each. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { micros } from "../../shared/money.ts";
import type { StoreTables, WalletStore } from "../../wallet/core/ports.ts";
import type { CoinRow, PaymentRow, TopUpRow } from "../../wallet/core/rows.ts";

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
    it("reads the newest of a time, its ends included, and goes on after so many of them", async () => {
      const ids = async (limit: number, span: Parameters<StoreTables["topUps"]["newest"]>[1]) =>
        (await store.read((tables) => tables.topUps.newest(limit, span))).map(({ id }) => id);
      await store.transaction((tables) =>
        tables.topUps.putAll([topUp("a", 1), topUp("b", 2), topUp("c", 3), topUp("d", 3), topUp("e", 4)]),
      );
      expect(await ids(9, { from: 2, until: 3 })).toHaveLength(3);
      expect(await ids(9, { from: 2 })).toHaveLength(4);
      expect(await ids(9, { until: 2 })).toEqual(["b", "a"]);
      expect(await ids(9, { from: 4, until: 3 })).toEqual([]);
      expect(await ids(0, {})).toEqual([]);
      const [first] = await ids(1, { until: 3 });
      const rest = await ids(9, { until: 3, skip: 1 });
      expect([first, ...rest].sort()).toEqual(["a", "b", "c", "d"]);
      expect(await ids(9, { skip: 5 })).toEqual([]);
    });
    it("finds one row among many without reading all, or none", async () => {
      await store.transaction((tables) =>
        tables.coins.putAll([coin("a", 1_000), coin("b", 2_000), { ...coin("c", 5_000), state: "spent" }]),
      );
      const find = (state: CoinRow["state"], least: bigint) =>
        store.read((tables) => tables.coins.find("state", state, ({ amount }) => amount >= least));
      expect((await find("free", 2_000n))?.secret).toBe("b");
      expect(await find("free", 5_000n)).toBeUndefined();
      expect(await find("reserved", 0n)).toBeUndefined();
    });
    it("gives one row for each value of an index, and counts all", async () => {
      await store.transaction((tables) =>
        tables.coins.putAll([coin("a", 1_000), coin("b", 2_000), { ...coin("c", 5_000), state: "spent" }]),
      );
      const one = await store.read((tables) => tables.coins.oneOfEach("state"));
      expect(one.map(({ state }) => state).sort()).toEqual(["free", "spent"]);
      expect(await store.read((tables) => tables.coins.count())).toBe(3);
    });
    it("has of each payment a summary that follows it, and the whole of it", async () => {
      const [old, fresh] = [payment("old", 1), payment("new", 2)];
      await store.transaction(async (tables) => {
        await tables.payments.put(payment("gone", 3));
        await tables.payments.putAll([old, fresh]);
      });
      await store.transaction(async (tables) => {
        await tables.payments.remove("gone");
        await tables.payments.put({ ...old, state: "refunded" });
      });
      const refunded = { ...old, state: "refunded" };
      const found = await store.read(async ({ payments, paymentSummaries }) => ({
        one: await payments.get("old"),
        none: await payments.get("gone"),
        all: await payments.all(),
        newest: await payments.newest(1),
        where: await payments.where("state", "refunded"),
        listed: await paymentSummaries.newest(9),
        refunded: await paymentSummaries.where("state", "refunded"),
        paid: await paymentSummaries.find("origin", "https://site.example", ({ state }) => state === "paid"),
        count: await paymentSummaries.count(),
      }));
      expect(found.one).toEqual(refunded);
      expect(found.none).toBeUndefined();
      expect(found.all.toSorted((a, b) => a.at - b.at)).toEqual([refunded, fresh]);
      expect(found.newest).toEqual([fresh]);
      expect(found.where).toEqual([refunded]);
      expect(found.listed.map(({ id, state, order }) => [id, state, order.title])).toEqual([
        ["new", "paid", "Tide mills"],
        ["old", "refunded", "Tide mills"],
      ]);
      expect(found.refunded.map(({ id }) => id)).toEqual(["old"]);
      expect(found.paid?.id).toBe("new");
      expect(found.count).toBe(2);
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

export function payment(id: string, at: number): PaymentRow {
  const origin = "https://site.example";
  const amount = micros(50_000);
  return {
    id,
    counter: 0,
    state: "paid",
    origin,
    resourceKey: `site ${origin}/article`,
    amount,
    at,
    day: "2026-11-30",
    requestKey: `1 ${origin} ${id}`,
    approvalId: undefined,
    fromAllowance: false,
    order: {
      mode: "direct",
      kind: "article",
      title: "Tide mills",
      merchant: "site",
      merchantName: "The Site",
      origin,
      resourceUrl: `${origin}/article`,
      acceptedJson: "{}",
      resourceJson: "{}",
      amount,
      least: amount,
      most: amount,
      refundWindowSeconds: 900,
      maxTimeoutSeconds: 60,
      seal: undefined,
      isPrivate: false,
    },
    body: "what was sent",
    paymentJson: "{}",
    expiresAt: at + 60_000,
    coinSecrets: ["a"],
    coinsValue: amount,
    blanks: undefined,
    change: "none",
    changeSignatures: undefined,
    attempts: 1,
    receipt: "a receipt",
    paidAtSeconds: 1,
    contentKey: "a key",
    contentKeySeal: undefined,
    refund: undefined,
    error: undefined,
    spentRetries: 0,
  };
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
