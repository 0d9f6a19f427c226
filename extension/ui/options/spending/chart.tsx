import { useState } from "preact/hooks";
import { formatBalance } from "../../shared/money.ts";
import { countText, t, tCount } from "../../shared/text.tsx";
import type { Bar, Overview } from "./state.ts";

const WIDTH = 620;
const HEIGHT = 180;
const GAP = 0.28;
/** Room for the labels under the bars. */
const FOOT = 24;

/**
 * Spending over time. Each bar is a link to what it is made of, and says its figures to whoever points at it or comes to it
 * with the keyboard; the same figures stand in a table.
 */
export function Chart({ view }: { readonly view: Overview }) {
  const [shown, show] = useState<Bar | null>(null);
  const { bars, currency, top } = view;
  const step = WIDTH / bars.length;
  const marks = [1_000, 500];
  return (
    <figure class="chart" aria-label={t("options_chart", { period: view.title })}>
      <p class="chart-said small" aria-hidden="true">
        {shown === null ? t("options_chart_hint") : saidOf(shown, currency)}
      </p>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the figure around it has its name, and a title would lie over what the bars say. */}
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + FOOT}`}>
        {marks.map((mark) => (
          <line
            key={mark}
            class="chart-mark"
            x1="0"
            x2={WIDTH}
            y1={HEIGHT - (mark / 1_000) * (HEIGHT - 12)}
            y2={HEIGHT - (mark / 1_000) * (HEIGHT - 12)}
          />
        ))}
        <line class="chart-ground" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {bars.map((bar, index) => {
          const height = (bar.height / 1_000) * (HEIGHT - 12);
          const isLabelled = bars.length <= 12 || index === 0 || (index + 1) % 5 === 0;
          const rect = (
            <>
              {/* The whole column answers to the pointer, however low its bar is. */}
              <rect class="chart-column" x={index * step} y="0" width={step} height={HEIGHT} />
              <rect
                class="chart-bar"
                x={index * step + (step * GAP) / 2}
                y={HEIGHT - height}
                width={step * (1 - GAP)}
                height={height}
                rx={Math.min(3, height / 2)}
              />
            </>
          );
          return (
            <g key={bar.key} data-chosen={bar.chosen ? "" : undefined}>
              {bar.payments === 0 ? null : (
                <a
                  href={bar.address}
                  aria-label={saidOf(bar, currency)}
                  aria-current={bar.chosen ? "true" : undefined}
                  onMouseEnter={() => show(bar)}
                  onMouseLeave={() => show(null)}
                  onFocus={() => show(bar)}
                  onBlur={() => show(null)}
                >
                  {rect}
                </a>
              )}
              {isLabelled ? (
                <text class="chart-label" x={index * step + step / 2} y={HEIGHT + 18}>
                  {view.isYear ? bar.label : countText(Number(bar.label))}
                </text>
              ) : null}
            </g>
          );
        })}
      </svg>
      <p class="chart-top small soft" aria-hidden="true">
        {formatBalance(top, currency)}
      </p>
      <details class="chart-table small">
        <summary>{t("options_chart_table")}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{t(view.isYear ? "options_month" : "options_day")}</th>
              <th scope="col">{t("options_spent")}</th>
              <th scope="col">{t("options_payments")}</th>
            </tr>
          </thead>
          <tbody>
            {bars
              .filter(({ payments }) => payments > 0)
              .map((bar) => (
                <tr key={bar.key}>
                  <th scope="row">{bar.name}</th>
                  <td class="money">{formatBalance(bar.spent, currency)}</td>
                  <td class="money">{countText(bar.payments)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function saidOf({ name, spent, payments }: Bar, currency: string): string {
  return tCount("options_bar", payments, { period: name, amount: formatBalance(spent, currency) });
}
