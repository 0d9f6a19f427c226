import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  DENOMINATIONS,
  formatBalance,
  formatMoney,
  MAX_CHANGE_OUTPUTS,
  micros,
  parseMicros,
  parseMoney,
  splitByWeight,
  splitIntoCoins,
  ZERO,
} from "./money.ts";

describe("parseMicros", () => {
  it.each(["", "-1", "+1", "1.5", "01", "1e3", " 1", "0x10", "10000000000000", "١"])("refuses %j", (text) => {
    expect(parseMicros(text)).toBeUndefined();
  });
  it("reads what it should", () => {
    expect(parseMicros("50000")).toBe(50_000n);
    expect(parseMicros("0")).toBe(0n);
  });
});

describe("splitIntoCoins", () => {
  it("never loses or adds a micro, and uses only coins that exist", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 100_000n), (thousands) => {
        const amount = micros(thousands * 1_000n);
        const coins = splitIntoCoins(amount) ?? [];
        expect(add(...coins)).toBe(amount);
        expect(coins.every((coin) => DENOMINATIONS.includes(coin))).toBe(true);
      }),
    );
  });
  it("refuses an amount that coins cannot make instead of rounding it", () => {
    expect(splitIntoCoins(micros(1_500))).toBeUndefined();
    expect(splitIntoCoins(ZERO)).toBeUndefined();
    expect(splitIntoCoins(micros(-1_000))).toBeUndefined();
  });
  it("makes any change below ten units from the blank outputs that a payment carries", () => {
    let most = 0;
    for (let amount = 1_000n; amount < 10_000_000n; amount += 1_000n)
      most = Math.max(most, splitIntoCoins(micros(amount))?.length ?? 99);
    expect(most).toBeLessThanOrEqual(MAX_CHANGE_OUTPUTS);
  });
});

describe("splitByWeight", () => {
  it("always gives away the whole, and never more", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 10n ** 12n),
        fc.array(fc.bigInt(0n, 1000n), { minLength: 1, maxLength: 20 }),
        (total, weights) => {
          fc.pre(weights.some((weight) => weight > 0n));
          const parts = splitByWeight(micros(total), weights);
          expect(add(...parts)).toBe(total);
          expect(parts.every((part) => part >= 0n)).toBe(true);
        },
      ),
    );
  });
});

describe("what people read and type", () => {
  it.each([
    [50_000n, "5¢"],
    [5_000n, "0.5¢"],
    [1_000_000n, "$1.00"],
    [1_250_000n, "$1.25"],
    [1_255_000n, "$1.255"],
    [0n, "$0.00"],
    [-50_000n, "−5¢"],
  ])("%s reads %s", (amount, text) => {
    expect(formatMoney(micros(amount))).toBe(text);
  });
  it("shows a balance in the major unit", () => {
    expect(formatBalance(micros(50_000))).toBe("$0.05");
  });
  it.each([
    ["5¢", 50_000n],
    ["0.05", 50_000n],
    ["$5", 5_000_000n],
    ["0", undefined],
    ["-1", undefined],
    ["1e9", undefined],
    ["0.0000001", undefined],
  ])("%s is read as %s", (text, amount) => {
    expect(parseMoney(text)).toBe(amount);
  });
});
