/** Days as bars: what was paid for articles, what was tipped, and what went back. */
import type * as v from "valibot";
import { add, type Micros, subtract, ZERO } from "../../../../shared/money.ts";
import type { RevenueByDay } from "../../../../shared/protocol/revenue.ts";
import { type Bucket, bucketOf, bucketStarts, type Range, startOf } from "./range.ts";

export interface Bar {
  /** Its first day. */
  readonly start: string;
  readonly articles: Micros;
  readonly tips: Micros;
  readonly refunds: Micros;
  readonly paymentCount: number;
  readonly refundCount: number;
}

export interface Series {
  readonly bucket: Bucket;
  readonly bars: readonly Bar[];
  readonly total: Omit<Bar, "start">;
}

type Days = v.InferOutput<typeof RevenueByDay>["days"];

export function seriesOf(days: Days, range: Range): Series {
  const bucket = bucketOf(range);
  const bars = new Map(bucketStarts(range, bucket).map((start) => [start, { start, ...NOTHING }]));
  let total = NOTHING;
  for (const day of days) {
    const start = startOf(day.day, bucket);
    bars.set(start, { start, ...withDay(bars.get(start) ?? NOTHING, day) });
    total = withDay(total, day);
  }
  return { bucket, bars: [...bars.values()], total };
}

/** What stays of it. */
export function netOf({ articles, tips, refunds }: Omit<Bar, "start">): Micros {
  return subtract(add(articles, tips), refunds);
}

const NOTHING: Omit<Bar, "start"> = {
  articles: ZERO,
  tips: ZERO,
  refunds: ZERO,
  paymentCount: 0,
  refundCount: 0,
};

function withDay(bar: Omit<Bar, "start">, day: Days[number]): Omit<Bar, "start"> {
  const { kind, payments } = day;
  return {
    articles: kind === "article" ? add(bar.articles, payments) : bar.articles,
    tips: kind === "tip" ? add(bar.tips, payments) : bar.tips,
    refunds: add(bar.refunds, day.refunds),
    paymentCount: bar.paymentCount + day.paymentCount,
    refundCount: bar.refundCount + day.refundCount,
  };
}
