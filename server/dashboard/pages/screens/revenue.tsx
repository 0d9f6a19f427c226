/**
 * What a merchant takes. Payments are asked for every few seconds while the page is looked at; what is added up is asked
 * for again only where one came in or went back.
 */
import { useMemo, useState } from "preact/hooks";
import { PaymentPage, RevenueByDay } from "../../../../shared/protocol/revenue.ts";
import { call } from "../api.ts";
import { useKept, useLoaded, useRepeated } from "../load.ts";
import { money } from "../parts/money.ts";
import { Failure, Notice } from "../parts/notice.tsx";
import { Articles } from "../revenue/articles.tsx";
import { BalanceCard } from "../revenue/balance.tsx";
import { Chart } from "../revenue/chart.tsx";
import { LATEST_PAYMENTS, Payments } from "../revenue/payments.tsx";
import { RANGES, type Range, type RangeDays, rangeOf } from "../revenue/range.ts";
import { netOf, seriesOf } from "../revenue/series.ts";
import { Statements } from "../revenue/statements.tsx";

const ASK_EVERY_MILLISECONDS = 5_000;
const CHOICES: readonly RangeDays[] = [30, 90, 365, 1_826];

export function RevenueScreen({ merchant }: { readonly merchant: string }) {
  const [days, setDays] = useState<RangeDays>(365);
  const range = rangeOf(days, Date.now());
  const path = `/api/merchants/${merchant}/payments?limit=${LATEST_PAYMENTS}`;
  const latest = useRepeated(path, () => call("GET", path, PaymentPage), ASK_EVERY_MILLISECONDS);
  const payments = useKept(latest);
  // Until the first answer is there, what is added up is asked for once; then where it changes.
  const [first, setFirst] = useState<string>();
  const seen = payments?.payments
    .map(({ id, refundedAt, refund }) => `${id} ${refundedAt} ${refund?.state}`)
    .join();
  if (first === undefined && seen !== undefined) setFirst(seen);
  const version = seen === undefined || seen === first ? "" : seen;
  return (
    <>
      <header class="screen-head revenue-head">
        <h1>Revenue</h1>
        <a class="button" data-look="plain" href={`/api/merchants/${merchant}/payments.csv`} download>
          <span class="button-words">Everything as CSV</span>
        </a>
      </header>
      <OverTime merchant={merchant} range={range} version={version}>
        <fieldset class="tabs">
          <legend class="unseen">How far back</legend>
          {CHOICES.map((choice) => (
            <button
              key={choice}
              type="button"
              class="tab"
              aria-pressed={choice === days}
              onClick={() => setDays(choice)}
            >
              {RANGES[choice]}
            </button>
          ))}
        </fieldset>
      </OverTime>
      <BalanceCard merchant={merchant} version={version} />
      {latest.state === "failed" ? <Failure error={latest.error} /> : null}
      {payments ? <Payments merchant={merchant} latest={payments} /> : null}
      <Articles merchant={merchant} range={range} version={version} />
      <Statements merchant={merchant} />
    </>
  );
}

interface OverTimeProps {
  readonly merchant: string;
  readonly range: Range;
  readonly version: string;
  readonly children: preact.ComponentChildren;
}

function OverTime({ merchant, range, version, children }: OverTimeProps) {
  const { from, to } = range;
  const path = `/api/merchants/${merchant}/revenue?by=day&from=${from}&to=${to}`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, RevenueByDay), version);
  const found = useKept(loaded);
  const series = useMemo(() => found && seriesOf(found.days, found), [found]);
  return (
    <section class="card form" aria-labelledby="over-time" aria-busy={series === undefined}>
      <div class="over-time-head">
        <div>
          <h2 id="over-time" class="soft">
            Revenue, by days of UTC
          </h2>
          <p class="over-time-sum money">
            {series && found ? money(netOf(series.total), found.currency) : "…"}
          </p>
        </div>
        {children}
      </div>
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {found?.isComplete === false ? (
        <Notice title="Still adding up" tone="warn">
          <p>There is more than what you see here. Nothing is lost: it is counted in the background.</p>
        </Notice>
      ) : null}
      {series && found ? <Chart series={series} currency={found.currency} /> : <div class="chart-empty" />}
    </section>
  );
}
