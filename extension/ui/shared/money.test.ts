import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { micros, formatBalance as plainBalance, formatMoney as plainMoney } from "../../../shared/money.ts";
import { ENGLISH } from "../fixtures/english.ts";
import { exampleOf, formatBalance, formatMoney, parseMoney, shortMoney } from "./money.ts";
import { speak } from "./text.tsx";

/** As a browser of that language and region has it. */
function speakAs(browserLanguage: string): void {
  const [language = ""] = browserLanguage.split("-");
  speak({
    message: (key) => (key === "language" ? language : ENGLISH.message(key)),
    browserLanguage: () => browserLanguage,
  });
}
/** Spaces of any width, and the marks of direction, are the typographers' business. */
function plain(text: string): string {
  return text.replace(/[\u200e\u200f\u061c]/g, "").replace(/\s/g, " ");
}

const LOCALES = [
  "en-US",
  "en-GB",
  "de-DE",
  "de-AT",
  "de-CH",
  "fr-FR",
  "es-ES",
  "es-MX",
  "pt-BR",
  "pt-PT",
  "ja-JP",
  "ar",
  "ar-EG",
];

describe("what is written", () => {
  it.each([
    ["en-US", "5¢", "$1.25", "$5"],
    ["en-GB", "US$0.05", "US$1.25", "US$5"],
    ["de-DE", "0,05 $", "1,25 $", "5 $"],
    ["de-AT", "$ 0,05", "$ 1,25", "$ 5"],
    ["fr-FR", "0,05 $US", "1,25 $US", "5 $US"],
    ["es-ES", "0,05 US$", "1,25 US$", "5 US$"],
    ["pt-BR", "US$ 0,05", "US$ 1,25", "US$ 5"],
    ["pt-PT", "0,05 US$", "1,25 US$", "5 US$"],
    ["ja-JP", "$0.05", "$1.25", "$5"],
    ["ar-EG", "٠٫٠٥ US$", "١٫٢٥ US$", "٥ US$"],
  ])("is not foreign to a reader of %s", (locale, cents, price, whole) => {
    speakAs(locale);
    expect(plain(formatMoney(micros(50_000), "USD"))).toBe(cents);
    expect(plain(formatMoney(micros(1_250_000), "USD"))).toBe(price);
    expect(plain(shortMoney(micros(5_000_000), "USD"))).toBe(whole);
  });

  it("is in English what everything else of Tuppence writes, but for the commas of thousands", () => {
    speakAs("en-US");
    fc.assert(
      fc.property(fc.bigInt(0n, 1_000_000_000_000n), (value) => {
        const amount = micros(value);
        expect(formatMoney(amount, "USD").replaceAll(",", "")).toBe(plainMoney(amount, "USD"));
        expect(formatBalance(amount, "EUR").replaceAll(",", "")).toBe(plainBalance(amount, "EUR"));
      }),
    );
  });

  it("does not lose a digit of any amount in any language", () => {
    for (const locale of LOCALES) {
      speakAs(locale);
      fc.assert(
        fc.property(fc.bigInt(1n, 999_999_999n), (value) => {
          expect(parseMoney(formatMoney(micros(value), "USD"), "USD")).toBe(value);
        }),
        { numRuns: 50 },
      );
    }
  });

  it("does not shorten what is not whole", () => {
    speakAs("en-US");
    expect(shortMoney(micros(5_001_000), "USD")).toBe("$5.001");
    expect(shortMoney(micros(5_500_000), "USD")).toBe("$5.50");
    expect(shortMoney(micros(0), "USD")).toBe("$0.00");
  });

  it("does not turn the currency's sign round where one reads from the right", () => {
    speakAs("ar");
    expect(formatMoney(micros(50_000), "USD")).toMatch(/US\$\u200e/);
  });

  it("does not fail at a currency that nobody knows", () => {
    speakAs("de-DE");
    expect(formatMoney(micros(1_250_000), "points")).toBe("1,25 points");
    expect(plain(formatMoney(micros(1_250_000), "XQZ"))).toBe("1,25 XQZ");
  });
});

describe("what is typed", () => {
  it.each([
    ["en-US", "0.75", 750_000n],
    ["en-US", "0,75", 750_000n],
    ["en-US", "$0.75", 750_000n],
    ["en-US", "75¢", 750_000n],
    ["en-US", "1.500", 1_500_000n],
    ["en-US", "1,500", undefined],
    ["en-US", "0,125", 125_000n],
    ["de-DE", "0,75", 750_000n],
    ["de-DE", "0.75", 750_000n],
    ["de-DE", "0,75 $", 750_000n],
    ["de-DE", "1.500", undefined],
    ["de-DE", "1,500", 1_500_000n],
    ["de-DE", "1.234,50", undefined],
    ["fr-FR", "0,75 $US", 750_000n],
    ["pt-BR", "US$ 0,75", 750_000n],
    ["es-MX", "usd 0.75", 750_000n],
    ["ja-JP", "０．７５", 750_000n],
    ["ja-JP", "＄０．７５", 750_000n],
    ["ar-EG", "٠٫٧٥", 750_000n],
    ["ar-EG", "\u200f٠٫٧٥ US$", 750_000n],
    ["ar", "۰٫۷۵", 750_000n],
    ["ar", "0.75", 750_000n],
    ["de-DE", "0,75 €", undefined],
    ["en-US", "-5", undefined],
    ["en-US", "1e3", undefined],
    ["en-US", "5.", undefined],
    ["en-US", "", undefined],
    ["ja-JP", "五", undefined],
  ])("is not misread (%s, %j)", (locale, typed, value) => {
    speakAs(locale);
    expect(parseMoney(typed, "USD")).toBe(value);
  });

  it("can be what the example says", () => {
    for (const locale of LOCALES) {
      speakAs(locale);
      expect(parseMoney(exampleOf(micros(750_000)), "USD")).toBe(750_000n);
    }
  });
});
