import { describe, expect, it } from "vitest";
import { learns } from "../../../shared/privacy.ts";
import { ENGLISH } from "../fixtures/english.ts";
import { lineOf, wordsOf } from "./privacy-meter.tsx";
import { speak } from "./text.tsx";

speak(ENGLISH);

describe("the privacy meter", () => {
  it("does not promise that a payment points at nobody when coins were just fetched for it", () => {
    expect(lineOf("payment", learns("payment"))).toBe("Nobody learns from this payment whose it is.");
    expect(lineOf("tip", learns("tip", { isShort: true }))).toContain("the provider may guess");
  });

  it("says of change, and of a question about the merchant, that the provider learns it", () => {
    const words = wordsOf(learns("payment", { hasChange: true, asksForMerchant: true }).provider);
    expect(words).toContain("that the change goes to the same wallet");
    expect(words).toContain("that somebody asked who this site is");
    expect(wordsOf(learns("payment").provider)).not.toMatch(/change|asked/);
  });

  it("leaves no party without an answer", () => {
    expect(wordsOf(learns("payment").gateway)).toBe("Nothing.");
    expect(wordsOf(learns("payment").merchant)).toBe(
      "that you have a wallet, for which page, how much, a number that only this payment has",
    );
  });
});
