/** Moments in the words of a list that is read now: "just now", "14:05", "Yesterday", "Nov 3". */
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export function describeTime(at: number, now: number, locale?: string, timeZone?: string): string {
  if (now - at < MINUTE_MS) return "just now";
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat("en-CA", zone);
  if (day.format(at) === day.format(now))
    return new Intl.DateTimeFormat(locale, { ...zone, hour: "numeric", minute: "2-digit" }).format(at);
  if (day.format(at) === day.format(now - DAY_MS)) return "Yesterday";
  return new Intl.DateTimeFormat(locale, { ...zone, month: "short", day: "numeric" }).format(at);
}

/** "15 minutes", "1 hour", "30 seconds", "14 days": the largest unit that divides it. */
export function describeSeconds(seconds: number): string {
  const [size, name] = UNITS.find(
    ([unitSeconds]) => seconds >= unitSeconds && seconds % unitSeconds === 0,
  ) ?? [1, "second"];
  const count = Math.round(seconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
];
