/** The messages of every language, side by side. What is missing after new English texts is listed here, by language. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

type Messages = Readonly<Record<string, { readonly message: string; readonly description?: string }>>;

const LOCALES = path.resolve(import.meta.dirname, "../../_locales");
const LANGUAGES = readdirSync(LOCALES).sort();
const TRANSLATIONS = LANGUAGES.filter((language) => language !== "en");
const english = messagesOf("en");
const ENGLISH_FORMS = pluralForms("en");
/** The shop takes no longer description of an extension. */
const DESCRIPTION_CHARACTERS = 132;

/** What is the same in a language as in English, and is meant to be. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  // Names, and messages that are nothing but their values.
  every: ["extension_title", "popup_title", "popup_asks_site"],
  ar: ["error_message"],
  de: ["background_test_badge", "error_message", "ok", "options_budgets", "popup_ok"],
  es: ["background_test_badge", "error_message"],
  fr: ["background_test_badge", "error_message", "ok", "options_budgets", "payment_site", "popup_ok"],
  ja: [],
  pt: ["background_test_badge", "error_message", "ok", "payment_site", "popup_ok"],
};

it("speaks the languages that it promises", () => {
  expect(LANGUAGES).toEqual(["ar", "de", "en", "es", "fr", "ja", "pt"]);
});

describe.each(TRANSLATIONS)("%s", (language) => {
  const messages = messagesOf(language);
  const forms = pluralForms(language);

  it("leaves no reader with English words, or with a count in the wrong form", () => {
    const wanted = Object.keys(english)
      .flatMap((key) => (isCount(key) ? forms.map((form) => `${nameOf(key)}__${form}`) : [key]))
      .filter((key, index, keys) => keys.indexOf(key) === index);
    const missing = wanted.filter((key) => !(key in messages));
    expect(missing, `missing in ${language}`).toEqual([]);
    expect(
      Object.keys(messages).filter((key) => !wanted.includes(key)),
      `in ${language} and not in English`,
    ).toEqual([]);
  });

  it("drops no value, and invents none", () => {
    for (const [key, { message }] of Object.entries(messages)) {
      const wanted = placesIn(english[key] ?? english[`${nameOf(key)}__other`]);
      const found = placesIn({ message });
      // "within two days" needs no figure where the form is that of two and nothing else.
      const isFigureSaid = isCount(key) && isOfOneNumber(language, key.split("__")[1] ?? "");
      const values = (names: readonly string[]) => names.filter((name) => !isFigureSaid || name !== "count");
      expect([key, values(found)]).toEqual([key, values(wanted)]);
    }
  });

  it("was not left as the English that it was copied from", () => {
    const same = Object.entries(messages)
      .filter(([key, { message }]) => message === english[key]?.message)
      .map(([key]) => key);
    expect(same.sort()).toEqual([...(SAME.every ?? []), ...(SAME[language] ?? [])].sort());
  });
});

describe.each(LANGUAGES)("the file of %s", (language) => {
  const messages = messagesOf(language);

  it("has no message that the browser would not show as it stands there", () => {
    for (const [key, { message }] of Object.entries(messages)) {
      expect(key).toMatch(/^[a-z][a-z0-9_]*$/);
      expect([key, message.trim()]).toEqual([key, message]);
      expect(message, key).not.toBe("");
      // The browser's own sign for values.
      expect(message, key).not.toContain("$");
      expect(message.replace(/\{\w+\}/g, ""), key).not.toMatch(/[{}]/);
    }
    expect(messages.language?.message).toBe(language);
    expect(messages.extension_description?.message.length).toBeLessThanOrEqual(DESCRIPTION_CHARACTERS);
  });

  it("is in the order in which the others are, and explains itself in English only", () => {
    const [first, ...others] = Object.keys(messages);
    expect([first, ...others]).toEqual(["language", ...others.toSorted()]);
    const explained = Object.entries(messages).filter(([, { description }]) => description !== undefined);
    if (language !== "en") expect(explained).toEqual([]);
  });
});

function messagesOf(language: string): Messages {
  return JSON.parse(readFileSync(path.join(LOCALES, language, "messages.json"), "utf8"));
}

function pluralForms(language: string): readonly string[] {
  return new Intl.PluralRules(language).resolvedOptions().pluralCategories;
}

function isCount(key: string): boolean {
  return key.includes("__");
}

function nameOf(key: string): string {
  return key.split("__")[0] ?? key;
}

function placesIn(entry: { readonly message: string } | undefined): readonly string[] {
  return [...new Set((entry?.message ?? "").match(/(?<=\{)\w+(?=\})/g))].sort();
}

function isOfOneNumber(language: string, form: string): boolean {
  const rules = new Intl.PluralRules(language);
  return (
    Array.from({ length: 300 }, (_, count) => rules.select(count)).filter((at) => at === form).length === 1
  );
}

it("counts in English in both forms", () => {
  for (const key of Object.keys(english).filter(isCount))
    for (const form of ENGLISH_FORMS) expect(english).toHaveProperty(`${nameOf(key)}__${form}`);
});
