import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { conformsAsStore } from "../../test/support/store-conformance.ts";
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
