/** Amounts as this browser's owner writes them: exact, to the last micro that is not zero. */
import { MICROS_PER_UNIT, type Micros } from "../../../../shared/money.ts";

const formats = new Map<string, Intl.NumberFormat>();

export function money(amount: Micros, currency: string): string {
  const value = amount < 0n ? -amount : amount;
  const fraction = (value % MICROS_PER_UNIT).toString().padStart(6, "0");
  const text = `${amount < 0n ? "-" : ""}${value / MICROS_PER_UNIT}.${fraction}`;
  // As text: a number might round it.
  return formatOf(currency).format(text as `${number}`);
}

const COMPACT_FROM_UNITS = 1_000;

/** On an axis: short, and no more exact than a line on a screen. */
export function roughMoney(units: number, currency: string): string {
  const isLarge = Math.abs(units) >= COMPACT_FROM_UNITS;
  return new Intl.NumberFormat(undefined, {
    style: "currency",
    currency,
    ...(isLarge ? { notation: "compact" } : { minimumFractionDigits: 2 }),
  }).format(units);
}

const BASIS_POINTS = 10_000;

export function percent(basisPoints: number): string {
  return new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 2 }).format(
    basisPoints / BASIS_POINTS,
  );
}

/** For drawing only. */
export function unitsOf(amount: Micros): number {
  return Number(amount) / Number(MICROS_PER_UNIT);
}

function formatOf(currency: string): Intl.NumberFormat {
  const format =
    formats.get(currency) ??
    new Intl.NumberFormat(undefined, {
      style: "currency",
      currency,
      minimumFractionDigits: 2,
      maximumFractionDigits: 6,
    });
  formats.set(currency, format);
  return format;
}
