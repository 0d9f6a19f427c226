/** The chart on its canvas, by uPlot: bars for articles with tips upon them, refunds below the line. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { add, type Micros, subtract, ZERO } from "../../../../shared/money.ts";
import { roughMoney, unitsOf } from "../parts/money.ts";
import type { Series } from "./series.ts";

const HEIGHT_PIXELS = 260;
/** Of the space between two bars. */
const BAR_SHARE = 0.72;
const WIDEST_BAR_PIXELS = 48;
const LABEL_PIXELS = 72;
const DAY_SECONDS = 86_400;

export interface PlotOptions {
  readonly series: Series;
  readonly currency: string;
  /** Which bar is pointed at; undefined: none. */
  readonly onPoint: (pointed: { readonly index: number; readonly left: number } | undefined) => void;
}

/** Returns what removes it. The page's own colours are taken when it is drawn, so it is drawn again where they change. */
export function plot(place: HTMLElement, options: PlotOptions): () => void {
  let chart = draw(place, options);
  const redraw = () => {
    chart.destroy();
    chart = draw(place, options);
  };
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);
  const resized = new ResizeObserver(() => {
    if (place.clientWidth > 0 && place.clientWidth !== chart.width)
      chart.setSize({ width: place.clientWidth, height: HEIGHT_PIXELS });
  });
  resized.observe(place);
  return () => {
    scheme.removeEventListener("change", redraw);
    resized.disconnect();
    chart.destroy();
  };
}

function draw(place: HTMLElement, { series, currency, onPoint }: PlotOptions): uPlot {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const axis = {
    stroke: colour("--ink-soft"),
    font,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [BAR_SHARE, WIDEST_BAR_PIXELS], radius: 0.12 });
  const barsOf = (label: string, fill: string): uPlot.Series => ({
    label,
    fill,
    stroke: fill,
    width: 0,
    points: { show: false },
    ...(bars && { paths: bars }),
  });
  return new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT_PIXELS,
      // Days are those of UTC, whatever the clock of this browser says.
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "UTC"),
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        // Half a bar more at each end, or the first and the last one would be cut.
        x: { range: (_, first, last) => [first - halfBar(series), last + halfBar(series)] },
        y: { range: (_, least, most) => [Math.min(0, least * 1.1), most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        { ...axis, grid: { show: false }, values: (_, moments) => moments.map((at) => labelOf(at, series)) },
        {
          ...axis,
          size: LABEL_PIXELS,
          values: (_, amounts) => amounts.map((units) => roughMoney(units, currency)),
        },
      ],
      series: [
        {},
        barsOf("Tips", colour("--chart-tips")),
        barsOf("Articles", colour("--chart-articles")),
        barsOf("Refunds", colour("--chart-refunds")),
      ],
      hooks: {
        setCursor: [
          ({ cursor }) =>
            onPoint(
              cursor.idx === null || cursor.idx === undefined || (cursor.left ?? -1) < 0
                ? undefined
                : { index: cursor.idx, left: cursor.left ?? 0 },
            ),
        ],
      },
    },
    [
      series.bars.map(({ start }) => Date.parse(start) / 1_000),
      // Drawn first and higher: what shows of it above the articles is the tips.
      series.bars.map(({ articles, tips }) => heightOf(add(articles, tips))),
      series.bars.map(({ articles }) => heightOf(articles)),
      series.bars.map(({ refunds }) => heightOf(subtract(ZERO, refunds))),
    ],
    place,
  );
}

/** Nothing is no bar: its edge would be a line along the axis. */
function heightOf(amount: Micros): number | null {
  return amount === ZERO ? null : unitsOf(amount);
}

/** In seconds. */
function halfBar({ bars: [first, second] }: Series): number {
  return first && second ? (Date.parse(second.start) - Date.parse(first.start)) / 2_000 : DAY_SECONDS / 2;
}

function labelOf(seconds: number, { bucket }: Series): string {
  const format: Intl.DateTimeFormatOptions =
    bucket === "month" ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(undefined, { ...format, timeZone: "UTC" }).format(seconds * 1_000);
}
