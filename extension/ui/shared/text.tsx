/**
 * The words of the pages, from the browser's own `_locales`. A message names its values in braces, "{amount} arrived": they
 * are put in here and not by the browser, so that a translator reads names and not numbers. Each page says once, before
 * it draws, where the messages come from (`speak`).
 */

import type { ComponentChildren, VNode } from "preact";
import type messages from "../../_locales/en/messages.json";
import { numberFormat } from "./formats.ts";

type Key = keyof typeof messages;
/** Messages that stand there in one form, and not in a form for each number. */
export type TextKey = Exclude<Key, `${string}__${PluralForm}`>;
/** Messages that depend on a number: `payments__one`, `payments__other` and so on, as the language has it. */
export type CountKey = Key extends infer K ? (K extends `${infer Name}__other` ? Name : never) : never;
type PluralForm = "zero" | "one" | "two" | "few" | "many" | "other";

export interface Messages {
  /** The message by its key in the reader's language; empty where there is none. */
  message(key: string): string;
  /** The language that the browser speaks, e.g. "de-AT"; the messages may be in another. */
  browserLanguage(): string;
}

type Values = Readonly<Record<string, string | number>>;

const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];

let source: Messages | undefined;
let locale: string | undefined;
let plurals: Intl.PluralRules | undefined;

/** Takes the words from there, from now on. */
export function speak(messages: Messages): void {
  source = messages;
  locale = undefined;
  plurals = undefined;
}

/** In what language amounts and times are written: that of the messages, as this reader's region has it. BCP 47. */
export function textLocale(): string {
  if (locale !== undefined) return locale;
  const language = read("language");
  const browserLanguage = source?.browserLanguage() ?? language;
  locale = browserLanguage.split("-")[0] === language.split("-")[0] ? browserLanguage : language;
  return locale;
}

export function textDirection(): "ltr" | "rtl" {
  return RIGHT_TO_LEFT.includes(textLocale().split("-")[0] ?? "") ? "rtl" : "ltr";
}

export function t(key: TextKey, values: Values = {}): string {
  return fill(read(key), values);
}

/** The message for this count, in which the count is `{count}`. */
export function tCount(key: CountKey, count: number, values: Values = {}): string {
  plurals ??= new Intl.PluralRules(textLocale());
  const form = source?.message(`${key}__${plurals.select(count)}`) || read(`${key}__other`);
  return fill(form, { count, ...values });
}

/** The message with elements for its values: `<Words of="left" amount={<AmountText … />} />`. */
export function Words({
  of,
  ...values
}: { readonly of: TextKey } & Record<string, ComponentChildren>): VNode {
  return (
    <>
      {read(of)
        .split(PLACE)
        .map((part, index) => (index % 2 === 0 ? part : valueOf(values[part])))}
    </>
  );
}

/** A whole number in the reader's digits. */
export function countText(count: number): string {
  return numberFormat(textLocale()).format(count);
}

/** "a, b, c", as the language writes it. */
export function listText(parts: readonly string[]): string {
  return new Intl.ListFormat(textLocale(), { style: "narrow" }).format(parts);
}

const PLACE = /\{(\w+)\}/;
const EVERY_PLACE = new RegExp(PLACE, "g");

function fill(message: string, values: Values): string {
  return message.replace(EVERY_PLACE, (place, name: string) => valueOf(values[name]) ?? place);
}

function valueOf<T>(value: T | string | number): T | string {
  if (typeof value === "number") return countText(value);
  return typeof value === "string" ? isolate(value) : value;
}

const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";
/** The letters that run from the right, and every character that turns or breaks the direction of what follows it. */
const RIGHT_TO_LEFT_LETTERS =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\u200f]/u;
const DIRECTION_CHARACTERS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A title or a name of the other direction would turn the words about it round: "5¢ for" could stand after it. So it stands
 * by itself (Unicode's bidirectional algorithm, isolates), and what it might break out with is taken away.
 */
function isolate(value: string): string {
  const harmless = value.replace(DIRECTION_CHARACTERS, "");
  const isMixed = textDirection() === "rtl" || RIGHT_TO_LEFT_LETTERS.test(harmless);
  return isMixed ? `${FIRST_STRONG_ISOLATE}${harmless}${POP_ISOLATE}` : harmless;
}

/** A key that is in no file shows itself: a test finds it, and a reader finds more than nothing. */
function read(key: string): string {
  return source?.message(key) || key;
}
