import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DENOMINATIONS, type Micros, micros, splitIntoCoins } from "../../shared/money.ts";
import { MAX_PAYMENT_COINS } from "../../shared/protocol/x402.ts";
import { chooseCoins, composeCoins, isPoorlyComposed, valueOf, WITHDRAWN_AT_ONCE } from "./drawer.ts";

const coinsOf = (amounts: readonly Micros[]) => amounts.map((amount) => ({ amount }));
const anyDrawer = fc.array(fc.constantFrom(...DENOMINATIONS), { maxLength: 40 }).map(coinsOf);
const anyPrice = fc.integer({ min: 1, max: 20_000 }).map((thousands) => micros(thousands * 1_000));

describe("stocking the drawer", () => {
  it("never makes more or less than the value that it was given", () => {
    fc.assert(
      fc.property(anyPrice, anyDrawer, (value, held) => {
        expect(valueOf(coinsOf(composeCoins(value, held)))).toBe(value);
      }),
    );
  });
  it("leaves a full drawer that pays every price up to half a unit exactly", () => {
    const full = coinsOf(composeCoins(WITHDRAWN_AT_ONCE, []));
    for (let price = 1_000; price <= 500_000; price += 1_000)
      expect(chooseCoins(full, micros(price))?.change, String(price)).toBe(0n);
    expect(full.length).toBeLessThan(60);
    expect(isPoorlyComposed(full)).toBe(false);
  });
  it("notices that small coins ran out", () => {
    expect(isPoorlyComposed(coinsOf([micros(5_000_000)]))).toBe(true);
  });
});

describe("choosing coins", () => {
  it("never pays too little, spends a coin twice, or leaves change that blank outputs cannot take", () => {
    fc.assert(
      fc.property(anyDrawer, anyPrice, (held, price) => {
        const choice = chooseCoins(held, price);
        if (!choice) return;
        expect(new Set(choice.coins).size).toBe(choice.coins.length);
        expect(choice.coins.length).toBeLessThanOrEqual(MAX_PAYMENT_COINS);
        expect(valueOf(choice.coins) - choice.change).toBe(price);
        expect(splitIntoCoins(choice.change)?.length ?? 0).toBeLessThanOrEqual(12);
      }),
    );
  });
  it("finds exact coins where a greedy choice would miss them", () => {
    expect(chooseCoins(coinsOf([50_000, 20_000, 20_000, 20_000].map(micros)), micros(60_000))?.change).toBe(
      0n,
    );
  });
  it("refuses a drawer that is worth less than the price", () => {
    expect(chooseCoins(coinsOf([micros(1_000)]), micros(2_000))).toBeUndefined();
  });
});
