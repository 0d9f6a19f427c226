/** A stretch of days as whole months and the days at its ends, so that a year is a few rows for each article. */
import { daysBetween } from "../../shared/protocol/revenue.ts";

export interface Span {
  readonly span: "article_day" | "article_month";
  /** Starts, both included. */
  readonly from: string;
  readonly to: string;
}

export function spansOf(from: string, to: string): Span[] {
  // The first month that begins in the stretch, and the month in which the day after it lies.
  const first = from.endsWith("-01") ? from : monthAfter(from);
  const end = monthOf(dayAfter(to));
  if (first >= end) return [{ span: "article_day", from, to }];
  const spans: Span[] = [{ span: "article_month", from: first, to: monthOf(dayBefore(end)) }];
  if (from < first) spans.push({ span: "article_day", from, to: dayBefore(first) });
  if (daysBetween(end, to) >= 0) spans.push({ span: "article_day", from: end, to });
  return spans;
}

const monthOf = (day: string): string => `${day.slice(0, 7)}-01`;
const monthAfter = (day: string): string => monthOf(shift(monthOf(day), 31));
const dayAfter = (day: string): string => shift(day, 1);
const dayBefore = (day: string): string => shift(day, -1);

function shift(day: string, days: number): string {
  const date = new Date(day);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}
