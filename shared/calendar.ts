/**
 * The reader's days and months, by the clock and the time zone of this computer: "2026-11-29" and "2026-11". They are
 * counted as dates and never as spans of 24 hours, because two days of a year are longer or shorter than that.
 */

export function dayOf(timeMs: number): string {
  const date = new Date(timeMs);
  return dateText(date.getFullYear(), date.getMonth() + 1, date.getDate());
}

export function monthOf(day: string): string {
  return day.slice(0, 7);
}

/** Every day of a month, in order. */
export function daysOf(month: string): string[] {
  const { year, month: number } = partsOf(month);
  const length = new Date(year, number, 0).getDate();
  return Array.from({ length }, (_, index) => dateText(year, number, index + 1));
}

export function monthsOf(year: string): string[] {
  return Array.from({ length: 12 }, (_, index) => `${year}-${twoDigits(index + 1)}`);
}

/** From when to when a day, a month or a year is: milliseconds since 1970, the end not included. */
export function spanOf(period: string): { readonly fromMs: number; readonly endMs: number } {
  const { year, month = 1, day = 1 } = partsOf(period);
  const isDay = period.length === 10;
  const isYear = period.length === 4;
  return {
    fromMs: new Date(year, month - 1, day).getTime(),
    endMs: isYear
      ? new Date(year + 1, 0, 1).getTime()
      : new Date(year, isDay ? month - 1 : month, isDay ? day + 1 : 1).getTime(),
  };
}

function partsOf(period: string): { year: number; month: number; day: number } {
  const [year = 1970, month = 1, day = 1] = period.split("-").map(Number);
  return { year, month, day };
}

function dateText(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
