import { afterEach, describe, expect, it } from "vitest";
import { dayOf, daysOf, monthsOf, spanOf } from "./calendar.ts";

const ZONE = process.env.TZ;
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

describe.each(["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Apia", "Australia/Lord_Howe"])(
  "the calendar in %s",
  (zone) => {
    it("puts every moment of two years into exactly one day, and into the month that has this day", () => {
      process.env.TZ = zone;
      let before = "";
      for (let at = Date.UTC(2025, 11, 30); at < Date.UTC(2027, 11, 30); at += 1_800_000) {
        const day = dayOf(at);
        expect(day >= before, `${before} comes before ${day}`).toBe(true);
        before = day;
        const { fromMs, endMs } = spanOf(day);
        if (at < fromMs || at >= endMs) throw new Error(`${new Date(at).toISOString()} is not within ${day}`);
        const month = spanOf(day.slice(0, 7));
        if (fromMs < month.fromMs || endMs > month.endMs) throw new Error(`${day} is not within its month`);
      }
    });
    it("leaves no gap and no overlap between days, however long they are, nor between months", () => {
      process.env.TZ = zone;
      const months = ["2026", "2027", "2028"].flatMap(monthsOf);
      const days = months.flatMap(daysOf);
      expect(days).toHaveLength(365 + 365 + 366);
      for (const periods of [months, days])
        for (const [index, period] of periods.slice(1).entries())
          expect(spanOf(periods[index] ?? "").endMs, period).toBe(spanOf(period).fromMs);
      expect(spanOf("2026")).toEqual({ fromMs: spanOf("2026-01").fromMs, endMs: spanOf("2026-12").endMs });
    });
  },
);

it("counts a day by the reader's own clock, also where the clock changes", () => {
  process.env.TZ = "America/New_York";
  // 1 November 2026 has 25 hours there, 8 March 2026 has 23.
  expect(dayOf(Date.parse("2026-11-01T04:00:00Z"))).toBe("2026-11-01");
  expect(dayOf(Date.parse("2026-11-02T04:59:59Z"))).toBe("2026-11-01");
  expect(dayOf(Date.parse("2026-11-02T05:00:00Z"))).toBe("2026-11-02");
  const hours = (day: string) => (spanOf(day).endMs - spanOf(day).fromMs) / 3_600_000;
  expect([hours("2026-11-01"), hours("2026-03-08"), hours("2026-03-09")]).toEqual([25, 23, 24]);
});
