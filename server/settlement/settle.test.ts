import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { micros } from "../../shared/money.ts";
import { RefundResponse } from "../../shared/protocol/provider.ts";
import { settlementId } from "../../shared/statement.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import {
  MERCHANT,
  openShop,
  REFUND_WINDOW_SECONDS,
  refusal,
  type Shop,
  signatureJson,
} from "../../test/support/shop.ts";
import { merchantAccount, PAYOUT_CLEARING, REVENUE } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openSqliteLedger } from "../ledger/sqlite.ts";
import { closingKey, encodeClosing } from "../payments/index.ts";
import { auditSettlements } from "./audit.ts";
import { settleAll } from "./settle.ts";
import { readStatement } from "./statement.ts";
import { writeMissingStatements } from "./statement-files.ts";
import { csvField, formatStatement, STATEMENT_CSV, STATEMENT_JSON } from "./statement-formats.ts";
import { signStatement } from "./statement-root.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const balance = (account: string) => shop.deps.ledger.balance(account);
const settle = (now = shop.clock.now) => settleAll(shop.deps, { now });
const closeWindows = () => {
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
};
const payExactly = (amount: number, ...coins: number[]) =>
  shop.pay(shop.offer({ amount: BigInt(amount) }), coins.length > 0 ? coins : [amount]);

async function refundWhole(made: Awaited<ReturnType<typeof payExactly>>, amount: number): Promise<void> {
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [amount]);
  const { signatures } = v.parse(RefundResponse, (await shop.refund(made, blanks)).json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
}

describe("a settlement", () => {
  test("pays what has matured less the fee, in whole cents, and carries the rest forward", async () => {
    await payExactly(200_000);
    await payExactly(55_000, 50_000, 5_000);
    await payExactly(2_000);
    closeWindows();
    const [settlement] = await settle();
    expect(settlement).toMatchObject({
      merchant: MERCHANT,
      number: 1,
      paymentCount: 3,
      payments: 257_000n,
      fee: 25_700n,
      carryForwardIn: 0n,
      payout: 230_000n,
      carryForwardOut: 1_300n,
    });
    expect([
      await balance(REVENUE),
      await balance(PAYOUT_CLEARING),
      await balance(merchantAccount(MERCHANT)),
    ]).toEqual([25_700n, 230_000n, 1_300n]);
  });

  test("brings in what was carried forward the time before", async () => {
    await payExactly(200_000);
    await payExactly(5_000);
    closeWindows();
    await settle();
    await payExactly(200_000);
    closeWindows();
    const [second] = await settle();
    expect(second).toMatchObject({
      number: 2,
      carryForwardIn: 4_500n,
      payments: 200_000n,
      fee: 20_000n,
      payout: 180_000n,
      carryForwardOut: 4_500n,
    });
  });

  test("under the payout minimum takes the fee and carries everything else forward until it is reached", async () => {
    await payExactly(50_000);
    closeWindows();
    expect((await settle())[0]).toMatchObject({ fee: 5_000n, payout: 0n, carryForwardOut: 45_000n });
    expect(await settle()).toEqual([]);
    await payExactly(100_000);
    closeWindows();
    expect((await settle())[0]).toMatchObject({
      carryForwardIn: 45_000n,
      payout: 130_000n,
      carryForwardOut: 5_000n,
    });
  });

  test("does not touch a payment that can still be taken back, nor any that came after it", async () => {
    await payExactly(200_000);
    await shop.registerMerchant(MERCHANT, ["https://lantern.example"], shop.sealKey, {
      refundWindowSeconds: 10 * REFUND_WINDOW_SECONDS,
    });
    const open = await payExactly(100_000);
    await shop.registerMerchant(MERCHANT, ["https://lantern.example"], shop.sealKey, {
      refundWindowSeconds: REFUND_WINDOW_SECONDS,
    });
    await payExactly(500_000);
    closeWindows();
    expect((await settle())[0]).toMatchObject({ paymentCount: 1, payments: 200_000n });
    await refundWhole(open, 100_000);
    shop.clock.now += 10 * REFUND_WINDOW_SECONDS * 1_000;
    expect((await settle())[0]).toMatchObject({
      paymentCount: 2,
      payments: 600_000n,
      refundCount: 1,
      refunds: 100_000n,
      fee: 50_000n,
    });
  });

  test("is audited without looking at the refunds of all that came later", async () => {
    const settlements = 6;
    for (let number = 1; number <= settlements; number++) {
      await payExactly(200_000);
      await refundWhole(await payExactly(100_000), 100_000);
      closeWindows();
      expect((await settle())[0]).toMatchObject({ number, refundCount: 1 });
      shop.clock.now += 1;
    }
    let looked = 0;
    const ledger: Ledger = {
      ...shop.deps.ledger,
      async group(id) {
        looked += 1;
        return shop.deps.ledger.group(id);
      },
    };
    expect(await auditSettlements({ ...shop.deps, ledger })).toEqual([]);
    // Its closing, its own refund's payment, and that of the refund before, which came after its stretch began.
    expect(looked).toBeLessThanOrEqual(3 * settlements);
  });

  test("takes no fee on what was refunded", async () => {
    await refundWhole(await payExactly(200_000), 200_000);
    closeWindows();
    expect((await settle())[0]).toMatchObject({
      payments: 200_000n,
      refunds: 200_000n,
      fee: 0n,
      payout: 0n,
      carryForwardOut: 0n,
    });
    expect(await balance(REVENUE)).toBe(0n);
  });

  test("counts the refunds of its own payments, not those of payments before or behind it", async () => {
    const start = shop.clock.now;
    const at = (seconds: number) => {
      shop.clock.now = start + seconds * 1_000;
    };
    const first = await payExactly(200_000);
    at(1);
    const inside = await payExactly(100_000);
    at(2);
    await payExactly(200_000);
    at(3);
    const behind = await payExactly(500_000);
    for (const [made, amount] of [
      [first, 200_000],
      [inside, 100_000],
      [behind, 500_000],
    ] as const)
      await refundWhole(made, amount);
    at(REFUND_WINDOW_SECONDS);
    expect((await settle())[0]).toMatchObject({ paymentCount: 1, refundCount: 1, refunds: 200_000n });
    at(REFUND_WINDOW_SECONDS + 2);
    expect((await settle())[0]).toMatchObject({ paymentCount: 2, refundCount: 1, refunds: 100_000n });
    at(REFUND_WINDOW_SECONDS + 3);
    expect((await settle())[0]).toMatchObject({ paymentCount: 1, refundCount: 1, refunds: 500_000n });
  });

  test("of one merchant that cannot be settled keeps no other from its money", async () => {
    await shop.registerMerchant("the-mirror", ["https://mirror.example"], shop.sealKey);
    await payExactly(200_000);
    await shop.pay(shop.offer({ merchant: "the-mirror", amount: 500_000n }), [500_000]);
    closeWindows();
    const { ledger } = shop.deps;
    const broken: Ledger = {
      ...ledger,
      sum: async (query) => {
        if (query.account === merchantAccount(MERCHANT)) throw new Error("broken");
        return ledger.sum(query);
      },
    };
    await expect(settleAll({ ...shop.deps, ledger: broken }, { now: shop.clock.now })).rejects.toThrow(
      "broken",
    );
    expect(await balance(PAYOUT_CLEARING)).toBe(450_000n);
    expect((await settle()).map(({ merchant }) => merchant)).toEqual([MERCHANT]);
  });

  test("before anything has matured is none", async () => {
    expect(await settle()).toEqual([]);
    await payExactly(200_000);
    shop.clock.now += REFUND_WINDOW_SECONDS * 1_000 - 1;
    expect(await settle()).toEqual([]);
  });

  test("of one merchant leaves the other's money alone", async () => {
    await shop.registerMerchant("the-mirror", ["https://mirror.example"], shop.sealKey);
    await payExactly(200_000);
    await shop.pay(shop.offer({ merchant: "the-mirror", amount: 500_000n }), [500_000]);
    closeWindows();
    expect((await settle()).map(({ merchant, payout }) => [merchant, payout])).toEqual([
      [MERCHANT, 180_000n],
      ["the-mirror", 450_000n],
    ]);
  });
});

describe("settling twice", () => {
  test("one after the other pays once", async () => {
    await payExactly(200_000);
    closeWindows();
    expect(await settle()).toHaveLength(1);
    expect(await settle()).toEqual([]);
    expect(await balance(PAYOUT_CLEARING)).toBe(180_000n);
  });

  test("at the same moment, by two processes whose clocks differ, pays once", async () => {
    const path = `${shop.dataFolder}/tuppence.sqlite`;
    const other = openSqliteLedger({ path, now: () => shop.clock.now });
    for (let round = 1; round <= 10; round++) {
      await payExactly(200_000);
      closeWindows();
      const runs = await Promise.all([
        settle(),
        settleAll({ ...shop.deps, ledger: other }, { now: shop.clock.now + 3_000 }),
        settle(),
      ]);
      expect(runs.flat().map(({ number }) => number)).toEqual([round]);
      expect(await balance(PAYOUT_CLEARING)).toBe(BigInt(round) * 180_000n);
    }
    await other.close();
  });

  test("is written down whole by each of several who write it at the same moment", async () => {
    await payExactly(200_000);
    closeWindows();
    await settle();
    const folder = join(shop.dataFolder, "statements");
    await Promise.all([1, 2, 3].map(() => writeMissingStatements(shop.deps, folder)));
    expect(readdirSync(folder).toSorted()).toEqual([`${MERCHANT}-1.csv`, `${MERCHANT}-1.json`]);
    expect(JSON.parse(readFileSync(join(folder, `${MERCHANT}-1.json`), "utf8"))).toMatchObject({
      payout: "180000",
    });
  });

  test("when the first died after closing and before paying, finishes what it began, with the sums of that moment", async () => {
    await payExactly(200_000);
    closeWindows();
    await expect(
      settleAll({ ...shop.deps, ledger: dyingAt(shop.deps.ledger, 2) }, { now: shop.clock.now }),
    ).rejects.toThrow("died");
    expect(await balance(PAYOUT_CLEARING)).toBe(0n);
    await payExactly(500_000);
    closeWindows();
    expect((await settle()).map(({ number, payments }) => [number, payments])).toEqual([
      [1, 200_000n],
      [2, 500_000n],
    ]);
  });

  test("takes a closing of another process for its own, and never makes two", async () => {
    const { payment } = await payExactly(200_000);
    closeWindows();
    const [transfer] = await shop.deps.ledger.transfers({
      account: merchantAccount(MERCHANT),
      side: "credit",
      limit: 1,
    });
    const closing = {
      upToSequence: transfer?.sequence ?? 0,
      closedAt: shop.clock.now,
      upToLateRefund: 0,
      upToUncollected: 0,
      terms: { feeBasisPoints: 5_000, payoutMinimum: micros(0), isPayoutHeld: false },
    };
    const record = { key: closingKey(MERCHANT, 1), value: encodeClosing(closing) };
    await shop.deps.ledger.apply({
      id: deriveId("closing", MERCHANT, "1"),
      fingerprint: payment.paymentId,
      transfers: [],
      records: [record],
    });
    expect((await settle())[0]).toMatchObject({ number: 1, fee: 100_000n, payout: 100_000n });
  });
});

test("a new merchant's first payout waits as long as configured, and is paid then", async () => {
  const deps = { ...shop.deps, config: { ...shop.deps.config, firstPayoutDelaySeconds: 7 * 24 * 3_600 } };
  await payExactly(200_000);
  closeWindows();
  expect((await settleAll(deps, { now: shop.clock.now }))[0]).toMatchObject({
    payout: 0n,
    carryForwardOut: 180_000n,
  });
  expect(await settleAll(deps, { now: shop.clock.now })).toEqual([]);
  shop.clock.now += 7 * 24 * 3_600_000;
  expect((await settleAll(deps, { now: shop.clock.now }))[0]).toMatchObject({
    paymentCount: 0,
    carryForwardIn: 180_000n,
    fee: 0n,
    payout: 180_000n,
  });
});

describe("a statement", () => {
  test("lists every payment and refund, and its rows add up to the last one, to the micro", async () => {
    await payExactly(200_000);
    await refundWhole(await payExactly(100_000), 100_000);
    await payExactly(5_000);
    closeWindows();
    await settle();
    const statement = await readStatement(shop.deps.ledger, { id: MERCHANT, name: "The Lantern" }, 1);
    if (!statement) throw new Error("a statement");
    const signed = await signStatement(shop.deps, statement);
    const written = (format: typeof STATEMENT_CSV) => text(formatStatement(signed, format));
    const rows = (await written(STATEMENT_CSV))
      .trimEnd()
      .split("\r\n")
      .slice(1)
      .map((row) => row.split(","));
    expect(rows.map(([type]) => type)).toEqual([
      "carry_forward_in",
      "payment",
      "payment",
      "payment",
      "refund",
      "fee",
      "payout",
      "carry_forward_out",
    ]);
    const sums = rows.map((row) => BigInt(row[6] ?? ""));
    expect(sums.slice(0, -1).reduce((total, amount) => total + amount, 0n)).toBe(sums.at(-1));
    expect(rows.map((row) => row[7])).toContain("-0.100000");
    const json = JSON.parse(await written(STATEMENT_JSON));
    expect(json).toMatchObject({
      id: settlementId(MERCHANT, 1),
      payments: "305000",
      refunds: "100000",
      fee: "20500",
      payout: "180000",
      carryForwardOut: "4500",
    });
    expect(json.lines).toHaveLength(4);
  });

  test("does not let an address of a stranger's become a formula or a second column", () => {
    for (const formula of ["=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1"])
      expect(csvField(formula).startsWith("'")).toBe(true);
    expect(csvField('a,"b"')).toBe('"a,""b"""');
    expect(csvField("=1,2")).toBe(`"'=1,2"`);
    expect(csvField("-50000")).toBe("-50000");
  });
});

describe("the operator", () => {
  test("settles and reads statements with the token, and nobody without it", async () => {
    await payExactly(200_000);
    closeWindows();
    for (const token of ["", "0".repeat(64), `${shop.deps.secrets.adminToken}0`]) {
      const answer = await shop.operator("POST", "/admin/settlements", {}, token);
      expect([answer.status, refusal(answer)]).toEqual([401, "admin_token_invalid"]);
    }
    expect(await balance(PAYOUT_CLEARING)).toBe(0n);
    expect((await shop.operator("POST", "/admin/settlements")).json).toMatchObject({
      settlements: [{ id: "the-lantern-1", payout: "180000" }],
    });
    expect((await shop.operator("POST", "/admin/settlements", { merchant: MERCHANT })).json).toEqual({
      settlements: [],
    });
    expect((await shop.operator("GET", "/admin/settlements/the-lantern-1")).json).toMatchObject({
      payout: "180000",
      lines: [{ amount: "200000" }],
    });
    expect((await shop.operator("GET", "/admin/settlements/the-lantern-1?format=csv")).text).toContain(
      "payout,",
    );
    expect(
      refusal(await shop.operator("GET", "/admin/settlements/the-lantern-1", undefined, "0".repeat(64))),
    ).toBe("admin_token_invalid");
    for (const id of ["the-lantern-2", "the-lantern-0", "nobody-1", "x"])
      expect(refusal(await shop.operator("GET", `/admin/settlements/${id}`))).toBe("settlement_unknown");
  });

  test("finds the endpoints on the accounts origin only", async () => {
    expect(refusal(await shop.anonymous("POST", "/admin/settlements", {}))).toBe("wrong_origin");
  });
});

/** A ledger whose process is gone at its nth write. */
function dyingAt(ledger: Ledger, nth: number): Ledger {
  let writes = 0;
  return {
    ...ledger,
    async apply(group) {
      writes += 1;
      if (writes >= nth) throw new Error("died");
      return ledger.apply(group);
    },
  };
}
