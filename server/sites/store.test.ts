import { afterEach, beforeEach, expect, test } from "vitest";
import { openShop, type Shop } from "../../test/support/shop.ts";
import { addSite, updateSite } from "./store.ts";

const PROVEN = { method: "file", provenAt: 1, missingSince: null } as const;

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

test("a record that is written late does not drop a site that was proven meanwhile", async () => {
  const { deps } = shop;
  await deps.database
    .$extendTables<{ owners: { id: string; created_at: number } }>()
    .insertInto("owners")
    .values({ id: "o", created_at: 1 })
    .execute();
  await deps.merchants.create({ id: "the-mirror", name: "The Mirror", ownerId: "o" });
  for (const origin of ["https://a.example", "https://b.example"]) await addSite(deps, "the-mirror", origin);
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow = {
    ...deps,
    merchants: {
      ...deps.merchants,
      async put(update: Parameters<typeof deps.merchants.put>[0]) {
        asked.resolve();
        await gate.promise;
        return deps.merchants.put(update);
      },
    },
  };
  const late = updateSite(slow, "the-mirror", "https://a.example", PROVEN);
  // It has read, and waits to write.
  await asked.promise;
  await updateSite(deps, "the-mirror", "https://b.example", PROVEN);
  gate.resolve();
  await late;
  expect((await deps.merchants.get("the-mirror"))?.origins).toEqual([
    "https://a.example",
    "https://b.example",
  ]);
});
