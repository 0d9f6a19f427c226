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

it("what a withdraw takes out of the account is not missing from the balance while the answer with its coins is lost", async () => {
  let isDebited = false;
  const account = async () => ({
    id: "a".repeat(43),
    currency: "USD",
    balance: isDebited ? "4900000" : "5000000",
    frozen: false,
    withdrawable: micros(isDebited ? 4_900_000 : 5_000_000),
  });
  const reader = await makeTestWallet([], { account, register: account });
  expect((await reader.wallet.snapshot()).balance.total).toBe("5000000");
  await reader.store.transaction((tables) =>
    tables.withdrawals.put({
      id: "1".repeat(32),
      state: "quoted",
      at: reader.clock.nowMs,
      quoteCounter: 0,
      quoteId: "2".repeat(32),
      keysetId: `01${"ab".repeat(32)}`,
      firstCounter: 0,
      amounts: [micros(100_000)],
      error: undefined,
    }),
  );
  isDebited = true;
  await reader.wallet.resume().catch(() => undefined);
  expect((await reader.wallet.snapshot()).balance.total).toBe("5000000");
});
