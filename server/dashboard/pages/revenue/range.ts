/** How far back is looked. Days are those of UTC, as the provider cuts them. */
import { daysBetween, utcDay } from "../../../../shared/protocol/revenue.ts";

const DAY_MILLISECONDS = 86_400_000;

export const RANGES = { 30: "30 days", 90: "90 days", 365: "A year", 1826: "5 years" } as const;
export type RangeDays = 30 | 90 | 365 | 1_826;

export interface Range {
  /** Both included. */
  readonly from: string;
  readonly to: string;
}

export function rangeOf(days: RangeDays, nowMilliseconds: number): Range {
  return { from: utcDay(nowMilliseconds - (days - 1) * DAY_MILLISECONDS), to: utcDay(nowMilliseconds) };
}

export type Bucket = "day" | "week" | "month";

/** What a bar stands for, so that there are some thirty to ninety. */
export function bucketOf({ from, to }: Range): Bucket {
  const days = daysBetween(from, to) + 1;
  return days <= 92 ? "day" : days <= 400 ? "week" : "month";
}

/** The first day of each bar, oldest first; the first may begin before the range does. */
export function bucketStarts({ from, to }: Range, bucket: Bucket): string[] {
  const starts: string[] = [];
  const date = new Date(startOf(from, bucket));
  while (utcDay(date.getTime()) <= to) {
    starts.push(utcDay(date.getTime()));
    if (bucket === "month") date.setUTCMonth(date.getUTCMonth() + 1);
    else date.setUTCDate(date.getUTCDate() + (bucket === "week" ? 7 : 1));
  }
  return starts;
}

/** Weeks begin on Monday. */
export function startOf(day: string, bucket: Bucket): string {
  if (bucket === "day") return day;
  if (bucket === "month") return `${day.slice(0, 7)}-01`;
  const milliseconds = Date.parse(day);
  const sinceMonday = (new Date(milliseconds).getUTCDay() + 6) % 7;
  return utcDay(milliseconds - sinceMonday * DAY_MILLISECONDS);
}
