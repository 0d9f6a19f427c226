import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MERCHANT, openShop, REFUND_WINDOW_SECONDS, type Shop } from "../../test/support/shop.ts";
import { BANK, PAYOUT_CLEARING } from "../ledger/accounts.ts";
import { openSqliteLedger } from "../ledger/sqlite.ts";
import { auditSettlements } from "./audit.ts";
import { confirmPayout, findPayout, listPayouts, type Payout } from "./payout.ts";
import { settleAll } from "./settle.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

async function settle(amount: number): Promise<void> {
  await shop.pay(shop.offer({ amount: BigInt(amount) }), [amount]);
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
  await settleAll(shop.deps, { now: shop.clock.now });
}

async function payoutOf(id: string): Promise<Payout> {
  const payout = await findPayout(shop.deps.ledger, id);
  if (!payout) throw new Error(`no payout ${id}`);
  return payout;
}

const balances = async () => ({
  clearing: await shop.deps.ledger.balance(PAYOUT_CLEARING),
  bank: await shop.deps.ledger.balance(BANK),
});

describe("confirming a payout", () => {
  test("moves exactly it from clearing to the bank, and leaves the others outstanding", async () => {
    await settle(200_000);
    await settle(500_000);
    shop.clock.now += 3_600_000;
    const { payout, isNew } = await confirmPayout(
      shop.deps.ledger,
      await payoutOf("the-lantern-1"),
      "SEPA 7",
    );
    expect(isNew).toBe(true);
    expect(payout.confirmed).toEqual({ at: shop.clock.now, bankReference: "SEPA 7" });
    expect(await balances()).toEqual({ clearing: 450_000n, bank: 180_000n });
    const listed = await listPayouts(shop.deps.ledger);
    expect(listed.map(({ settlementId, confirmed }) => [settlementId, confirmed?.bankReference])).toEqual([
      ["the-lantern-1", "SEPA 7"],
      ["the-lantern-2", undefined],
    ]);
  });

  test("twice moves once, and the first reference stays", async () => {
    await settle(200_000);
    const payout = await payoutOf("the-lantern-1");
    await confirmPayout(shop.deps.ledger, payout, "SEPA 7");
    for (const reference of ["SEPA 7", "SEPA 8"]) {
      const again = await confirmPayout(shop.deps.ledger, payout, reference);
      expect([again.isNew, again.payout.confirmed?.bankReference]).toEqual([false, "SEPA 7"]);
    }
    expect(await balances()).toEqual({ clearing: 0n, bank: 180_000n });
  });

  test("at the same moment, by two processes with two references, moves once", async () => {
    await settle(200_000);
    const payout = await payoutOf("the-lantern-1");
    const path = `${shop.dataFolder}/tuppence.sqlite`;
    const other = openSqliteLedger({ path, now: () => shop.clock.now });
    const outcomes = await Promise.all([
      confirmPayout(shop.deps.ledger, payout, "SEPA 7"),
      confirmPayout(other, payout, "SEPA 8"),
    ]);
    await other.close();
    expect(outcomes.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(outcomes[0]?.payout).toEqual(outcomes[1]?.payout);
    expect(await balances()).toEqual({ clearing: 0n, bank: 180_000n });
  });

  test("of a settlement that paid nothing out is not offered", async () => {
    await settle(50_000);
    expect((await payoutOf("the-lantern-1")).settlement.payout).toBe(0n);
    expect(await listPayouts(shop.deps.ledger)).toEqual([]);
  });

  test("of a settlement that never was finds nothing", async () => {
    await settle(200_000);
    for (const id of ["the-lantern-2", "nobody-1", "the-lantern", ""])
      expect(await findPayout(shop.deps.ledger, id)).toBeUndefined();
  });
});

test("the audit notices a payout that left the clearing account without being confirmed", async () => {
  await settle(200_000);
  await settle(500_000);
  await confirmPayout(shop.deps.ledger, await payoutOf("the-lantern-1"), "SEPA 7");
  const { ledger } = shop.deps;
  const forgetful = {
    ...ledger,
    records: async (keys: readonly string[]) =>
      ledger.records(keys.filter((key) => !key.startsWith(`payout:${MERCHANT}:`))),
  };
  expect(await auditSettlements({ ...shop.deps, ledger: forgetful })).toEqual([
    `settlement:${MERCHANT}:1: left ${PAYOUT_CLEARING} without the bank's confirmation`,
  ]);
});
