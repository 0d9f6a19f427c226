/** Moments and lengths of time in the reader's language: "just now", "14:05", "Yesterday", "Nov 3"; "within 15 minutes". */
import { dateFormat, numberFormat } from "./formats.ts";
import { t, tCount, textLocale } from "./text.tsx";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A moment in a list that is read now. */
export function describeTime(at: number, now: number, timeZone?: string): string {
  if (now - at < MINUTE_MS) return t("shared_just_now");
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = dateFormat("en-CA", zone);
  if (day.format(at) === day.format(now))
    return dateFormat(textLocale(), { ...zone, hour: "numeric", minute: "2-digit" }).format(at);
  if (day.format(at) === day.format(now - DAY_MS)) return t("shared_yesterday");
  return dateFormat(textLocale(), { ...zone, month: "short", day: "numeric" }).format(at);
}

/** "within 15 minutes", "within 14 days": in the largest unit that divides it. */
export function describeWithin(seconds: number): string {
  const [size, key] = UNITS.find(
    ([unitSeconds]) => seconds >= unitSeconds && seconds % unitSeconds === 0,
  ) ?? [1, "shared_within_seconds" as const];
  return tCount(key, Math.round(seconds / size));
}

const UNITS = [
  [86_400, "shared_within_days"],
  [3_600, "shared_within_hours"],
  [60, "shared_within_minutes"],
] as const;

/** "15 minutes", "8 hours". */
export function describeMinutes(minutes: number): string {
  const [value, unit] = minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"];
  return numberFormat(textLocale(), { style: "unit", unit, unitDisplay: "long" }).format(value);
}
