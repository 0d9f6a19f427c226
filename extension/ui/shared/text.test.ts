import { describe, expect, it } from "vitest";
import { ENGLISH } from "../fixtures/english.ts";
import { speak, t, tCount, textDirection, textLocale } from "./text.tsx";

const ARABIC_TITLE = "آخر عبّارة";

function speakAs(language: string, browserLanguage: string): void {
  speak({
    message: (key) => (key === "language" ? language : ENGLISH.message(key)),
    browserLanguage: () => browserLanguage,
  });
}

describe("the language", () => {
  it("is not that of a browser whose language has no messages here", () => {
    speakAs("en", "nl-NL");
    expect(textLocale()).toBe("en");
    speakAs("de", "de-AT");
    expect(textLocale()).toBe("de-AT");
  });

  it("does not run the wrong way", () => {
    speakAs("ar", "ar-EG");
    expect(textDirection()).toBe("rtl");
    speakAs("en", "ar");
    expect(textDirection()).toBe("ltr");
  });
});

describe("a value in a message", () => {
  it("does not turn the words about it round", () => {
    speakAs("en", "en-US");
    expect(t("popup_tip", { merchant: ARABIC_TITLE })).toBe(`Tip \u2068${ARABIC_TITLE}\u2069`);
    expect(t("popup_tip", { merchant: "The Gazette" })).toBe("Tip The Gazette");
    speakAs("ar", "ar");
    expect(t("popup_tip", { merchant: "The Gazette" })).toBe("Tip \u2068The Gazette\u2069");
  });

  it("cannot break out of its place with marks of direction", () => {
    speakAs("en", "en-US");
    expect(t("popup_tip", { merchant: "\u2069\u202eetteg\u202c" })).toBe("Tip etteg");
    expect(t("popup_tip", { merchant: `${ARABIC_TITLE}\u2069\u202e` })).toBe(
      `Tip \u2068${ARABIC_TITLE}\u2069`,
    );
  });

  it("is not read as a message: braces and patterns in a title stay what they are", () => {
    speakAs("en", "en-US");
    expect(t("popup_answer_label", { merchant: "{title} $& $1", title: "T" })).toBe(
      "Answer {title} $& $1: T",
    );
  });

  it("shows where one was forgotten", () => {
    speakAs("en", "en-US");
    expect(t("popup_tip")).toBe("Tip {merchant}");
  });
});

it("does not count in the wrong form, or in digits that the reader does not use", () => {
  const forms: Readonly<Record<string, string>> = {
    language: "ar",
    shared_within_days__zero: "zero {count}",
    shared_within_days__one: "one {count}",
    shared_within_days__two: "two {count}",
    shared_within_days__few: "few {count}",
    shared_within_days__many: "many {count}",
    shared_within_days__other: "other {count}",
  };
  speak({ message: (key) => forms[key] ?? "", browserLanguage: () => "ar-EG" });
  expect([0, 1, 2, 3, 11, 100].map((count) => tCount("shared_within_days", count))).toEqual([
    "zero ٠",
    "one ١",
    "two ٢",
    "few ٣",
    "many ١١",
    "other ١٠٠",
  ]);
});
