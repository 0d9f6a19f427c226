import { expect, it } from "vitest";
import { TuppenceError } from "../../shared/errors.ts";
import { micros } from "../../shared/money.ts";
import { makeTestWallet } from "./testing.ts";

it("money that arrived in the account is not left there because the provider was away when it was to become coins", async () => {
  const topUp = {
    id: "1".repeat(32),
    amount: micros(5_000_000),
    state: "open",
    at: 0,
    checkoutUrl: "",
  } as const;
  const reader = await makeTestWallet([], {
    topUp: async () => ({ ...topUp, gateway: "sandbox", state: "paid" }),
    account: () => Promise.reject(new TuppenceError("provider_unreachable")),
  });
  await reader.store.transaction((tables) => tables.topUps.put({ ...topUp, at: reader.clock.nowMs }));
  reader.wakes.splice(0);
  reader.clock.nowMs += 600_000;
  await expect(reader.wallet.refreshTopUps()).rejects.toMatchObject({ code: "provider_unreachable" });
  expect(reader.wakes).toEqual([reader.clock.nowMs + 60_000]);
});
