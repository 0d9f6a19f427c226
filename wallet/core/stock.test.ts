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

const KEYSET = `01${"ab".repeat(32)}`;
const WITHDRAWAL = {
  id: "1".repeat(32),
  state: "quoted",
  at: 0,
  quoteCounter: 0,
  quoteId: "2".repeat(32),
  keysetId: KEYSET,
  firstCounter: 0,
  amounts: [micros(100_000)],
  error: undefined,
} as const;

/** A reader whose withdraw of 100,000 micros gets no answer, at a provider that says how its quote and account stand. */
async function withOpenWithdrawal() {
  const stands = { quote: "PAID" as "PAID" | "ISSUED", balance: 5_000_000 };
  const account = async () => ({
    id: "a".repeat(43),
    currency: "USD",
    balance: String(stands.balance),
    frozen: false,
    withdrawable: micros(stands.balance),
  });
  const reader = await makeTestWallet([], {
    account,
    register: account,
    mintQuote: async (_, { amount, unit, pubkey }) => ({
      quote: WITHDRAWAL.quoteId,
      request: "",
      amount,
      unit,
      state: stands.quote,
      expiry: 0,
      pubkey,
    }),
  });
  await reader.store.transaction(async (tables) => {
    await tables.keysets.put({ id: KEYSET, unit: "usd6", active: true, keys: {} });
    await tables.withdrawals.put(WITHDRAWAL);
  });
  const total = async () => {
    // When what failed is tried again.
    reader.clock.nowMs += 60_000;
    await reader.wallet.resume().catch(() => undefined);
    return (await reader.wallet.snapshot()).balance.total;
  };
  return { reader, stands, total };
}

it("what a withdraw takes out of the account is not missing from the balance while the answer with its coins is lost", async () => {
  const { stands, total } = await withOpenWithdrawal();
  expect(await total()).toBe("5000000");
  Object.assign(stands, { quote: "ISSUED", balance: 4_900_000 });
  expect(await total()).toBe("5000000");
});

it("a top-up is not kept from the reader by a withdraw that gets no answer", async () => {
  const { stands, total } = await withOpenWithdrawal();
  stands.balance = 10_000_000;
  expect(await total()).toBe("10000000");
  Object.assign(stands, { quote: "ISSUED", balance: 9_900_000 });
  expect(await total()).toBe("10000000");
});

it("withdraws that get no answer do not pile up", async () => {
  const { reader, total } = await withOpenWithdrawal();
  await total();
  await total();
  expect(await reader.store.read((tables) => tables.withdrawals.all())).toEqual([WITHDRAWAL]);
});
