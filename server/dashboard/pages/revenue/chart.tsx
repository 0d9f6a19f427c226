import { useEffect, useRef, useState } from "preact/hooks";
import { money } from "../parts/money.ts";
import { utcDate } from "../parts/time.ts";
import { plot } from "./plot.ts";
import type { Bucket } from "./range.ts";
import { type Bar, netOf, type Series } from "./series.ts";

export interface ChartProps {
  readonly series: Series;
  readonly currency: string;
}

/** Drawn for eyes, said in a sentence, and beside it the same as a table. */
export function Chart({ series, currency }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<{ readonly index: number; readonly left: number }>();
  useEffect(
    () => (place.current ? plot(place.current, { series, currency, onPoint: setPointed }) : undefined),
    [series, currency],
  );
  const bar = pointed && series.bars[pointed.index];
  return (
    <figure class="chart">
      <ul class="chart-key" aria-hidden="true">
        {KEY.map(({ name, words }) => (
          <li key={name} data-name={name}>
            {words}
          </li>
        ))}
      </ul>
      <div class="chart-stage">
        <div ref={place} class="chart-plot" role="img" aria-label={sentenceOf(series, currency)} />
        {bar ? <Tip bar={bar} bucket={series.bucket} currency={currency} left={pointed.left} /> : null}
      </div>
      <details>
        <summary>The same as a table</summary>
        <Table series={series} currency={currency} />
      </details>
    </figure>
  );
}

const KEY = [
  { name: "articles", words: "Articles" },
  { name: "tips", words: "Tips" },
  { name: "refunds", words: "Given back" },
] as const;

const BUCKETS: Readonly<Record<Bucket, string>> = { day: "day", week: "week", month: "month" };

/** Of a bar: a day, or from when on. */
function nameOf(start: string, bucket: Bucket): string {
  return bucket === "day" ? utcDate(start) : `${bucket === "week" ? "Week" : "Month"} from ${utcDate(start)}`;
}

function paymentsIn({ paymentCount }: Pick<Bar, "paymentCount">): string {
  return paymentCount === 1 ? "1 payment" : `${paymentCount.toLocaleString()} payments`;
}

function sentenceOf({ bars, bucket, total }: Series, currency: string): string {
  const best = bars.reduce<Bar | undefined>(
    (most, bar) => (most === undefined || netOf(bar) > netOf(most) ? bar : most),
    undefined,
  );
  const sum = `Revenue by ${BUCKETS[bucket]}: ${money(netOf(total), currency)} from ${paymentsIn(total)}.`;
  return best && total.paymentCount > 0
    ? `${sum} Most in: ${nameOf(best.start, bucket)}, ${money(netOf(best), currency)}.`
    : sum;
}

function Tip({
  bar,
  bucket,
  currency,
  left,
}: {
  readonly bar: Bar;
  readonly bucket: Bucket;
  readonly currency: string;
  readonly left: number;
}) {
  return (
    <div class="chart-tip card" aria-hidden="true" style={{ "--left": `${left}px` }}>
      <p class="small soft">{nameOf(bar.start, bucket)}</p>
      <p class="money chart-tip-sum">{money(netOf(bar), currency)}</p>
      <p class="small">
        {paymentsIn(bar)}
        {bar.refundCount > 0 ? `, ${bar.refundCount.toLocaleString()} given back` : ""}
      </p>
    </div>
  );
}

function Table({ series: { bars, bucket }, currency }: ChartProps) {
  return (
    <div class="table-frame">
      <table class="table">
        <caption class="unseen">Revenue by {BUCKETS[bucket]}</caption>
        <thead>
          <tr>
            <th scope="col">{bucket === "day" ? "Day" : `First day of the ${BUCKETS[bucket]}`}</th>
            <th scope="col">Payments</th>
            <th scope="col">Articles</th>
            <th scope="col">Tips</th>
            <th scope="col">Given back</th>
            <th scope="col">Revenue</th>
          </tr>
        </thead>
        <tbody>
          {bars.toReversed().map((bar) => (
            <tr key={bar.start}>
              <th scope="row">{utcDate(bar.start)}</th>
              <td>{bar.paymentCount.toLocaleString()}</td>
              <td class="money">{money(bar.articles, currency)}</td>
              <td class="money">{money(bar.tips, currency)}</td>
              <td class="money">{money(bar.refunds, currency)}</td>
              <td class="money">{money(netOf(bar), currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
