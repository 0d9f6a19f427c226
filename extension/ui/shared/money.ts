/**
 * Amounts as the reader's language and region write them, "$1.25", "1,25 $", "‏١٫٢٥ US$", with the guarantees of `shared/money.ts`:
 * never fewer digits than the exact amount has, and never through a `Number`, which would round. The pages use these,
 * the provider and the command lines those.
 */

import { MICROS_PER_UNIT, type Micros, parseMoney as parsePlain } from "../../../shared/money.ts";
import { numberFormat } from "./formats.ts";
import { textDirection, textLocale } from "./text.tsx";

const LEFT_TO_RIGHT_MARK = "\u200e";
const MICROS_PER_CENT = 10_000n;
const UNIT_DIGITS = 6;
const CENT_DIGITS = 4;

/** As a price is said: "5¢" below one unit where that is how people write it, otherwise as a balance. */
export function formatMoney(amount: Micros, currency: string): string {
  return amount > 0n && amount < MICROS_PER_UNIT && hasCents(currency)
    ? `${formatNumber({ maximumFractionDigits: CENT_DIGITS }, amount, MICROS_PER_CENT, CENT_DIGITS)}¢`
    : formatBalance(amount, currency);
}

/** Always in the major unit: "$0.05". */
export function formatBalance(amount: Micros, currency: string): string {
  return inUnits(amount, currency, {});
}

/** "$5" rather than "$5.00" on a button: the amounts to choose from are whole. */
export function shortMoney(amount: Micros, currency: string): string {
  return amount >= MICROS_PER_UNIT && amount % MICROS_PER_UNIT === 0n
    ? inUnits(amount, currency, { minimumFractionDigits: 0 })
    : formatMoney(amount, currency);
}

/** An amount as a reader would type it, without its currency: "0.75". */
export function exampleOf(amount: Micros): string {
  return formatNumber({ minimumFractionDigits: 2 }, amount, MICROS_PER_UNIT, UNIT_DIGITS);
}

/**
 * Reads what a reader typed in whatever digits and with either decimal mark, with the currency or without it. A mark that
 * separates thousands where this reader lives is taken for a decimal one only where it cannot be meant so: "1.500" is
 * fifteen hundred to a German, and refused rather than guessed. Undefined like `parseMoney` of `shared/money.ts`.
 */
export function parseMoney(typed: string, currency: string): Micros | undefined {
  const text = latinDigits(typed)
    .replaceAll("٫", ".")
    .replaceAll("，", ",")
    .replaceAll("．", ".")
    .replaceAll("￠", "¢")
    .replaceAll("＄", "$")
    .replace(INVISIBLE, "");
  const amount = withoutCurrency(text, currency);
  const [whole = "", fraction, ...more] = amount.split(/[.,]/);
  if (more.length > 0) return undefined;
  if (fraction === undefined) return parsePlain(amount);
  const isOwnMark = amount.includes(decimalMark());
  const mayGroup = /^[1-9]\d{0,2}$/.test(whole) && /^\d{3}$/.test(fraction);
  return isOwnMark || !mayGroup ? parsePlain(`${whole}.${fraction}`) : undefined;
}

/** Marks of direction and the spaces that stand between an amount and its currency. */
const INVISIBLE = /[\s\u200e\u200f\u061c\u2066-\u2069]/g;
const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  USD: ["US$", "$US", "$"],
  EUR: ["€"],
  GBP: ["£"],
};

function withoutCurrency(text: string, currency: string): string {
  for (const symbol of [currency, ...(SYMBOLS[currency] ?? [])]) {
    const upper = text.toUpperCase();
    if (upper.startsWith(symbol)) return text.slice(symbol.length);
    if (upper.endsWith(symbol)) return text.slice(0, -symbol.length);
  }
  return text;
}

/** Every script's digits stand in a row from zero to nine, and these are the rows that keyboards of our languages have. */
const ZEROS = ["٠", "۰", "０"].map((zero) => zero.charCodeAt(0));

function latinDigits(text: string): string {
  return text.replace(/[٠-٩۰-۹０-９]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (ZEROS.find((zero) => code >= zero && code < zero + 10) ?? code));
  });
}

function decimalMark(): string {
  const parts = numberFormat(textLocale(), { numberingSystem: "latn" }).formatToParts(1.5);
  return parts.find(({ type }) => type === "decimal")?.value ?? ".";
}

/** A dollar's cent has a sign of its own, which people of that dollar use: others would not know whose cent it is. */
function hasCents(currency: string): boolean {
  if (currency !== "USD" || textLocale().split("-")[0] !== "en") return false;
  const parts = numberFormat(textLocale(), { style: "currency", currency }).formatToParts(1);
  return parts.some(({ type, value }) => type === "currency" && value === "$");
}

function inUnits(amount: Micros, currency: string, digits: Intl.NumberFormatOptions): string {
  // A provider may name its money as no currency of this world is named.
  const isCode = /^[A-Z]{3}$/.test(currency);
  const options: Intl.NumberFormatOptions = isCode
    ? { style: "currency", currency, ...digits }
    : { minimumFractionDigits: 2, ...digits };
  const text = formatNumber(options, amount, MICROS_PER_UNIT, UNIT_DIGITS);
  if (!isCode) return `${text} ${currency}`;
  // Where one reads from the right, a sign at the end of Latin letters would change sides: "$US".
  return textDirection() === "rtl"
    ? text.replace(/\p{Script=Latin}\p{Sc}/u, `$&${LEFT_TO_RIGHT_MARK}`)
    : text;
}

/** The exact decimal, as text, because that is what `Intl` does not round. */
function formatNumber(
  options: Intl.NumberFormatOptions,
  amount: Micros,
  perUnit: bigint,
  digits: number,
): string {
  const size = amount < 0n ? -amount : amount;
  const fraction = (size % perUnit).toString().padStart(digits, "0");
  const exact = `${amount < 0n ? "-" : ""}${size / perUnit}.${fraction}` as Intl.StringNumericLiteral;
  return numberFormat(textLocale(), { maximumFractionDigits: digits, ...options }).format(exact);
}
