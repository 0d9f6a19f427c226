/**
 * How long a year with a million payments takes to open in the dashboard: from the navigation of a tab to the drawn chart, in
 * Chromium, at a provider as an operator runs it, whose merchant was paid a million times for two thousand articles and
 * was settled. Beside it what the answers themselves take, and how long adding the million up takes once, in the background.
 */
import { chromium, type Page } from "@playwright/test";
import { requireBrowser } from "../scripts/browsers.ts";
import { catchUp } from "../server/revenue/catch-up.ts";
import { settleAll } from "../server/settlement/index.ts";
import { signInNewOwner } from "../test/support/access.ts";
import { BROWSER_FLAGS } from "../test/support/extension.ts";
import { fillProvider } from "./filled.ts";
import { startServer } from "./process.ts";
import { type Part, percentile } from "./row.ts";

/** Fewer while something is being changed. */
const PAYMENTS = Number(process.env.TUPPENCE_BENCH_YEAR_PAYMENTS ?? 1_000_000);
/** The first of those that are filled. */
const MERCHANT = "merchant-00000";
const OPENINGS = 20;
const SHAPE = ["--merchants", "1", "--days", "364", "--articles", "2000"];

export const dashboard: Part = {
  name: "dashboard",
  async measure() {
    const { provider: prepared, transfers } = await fillProvider(PAYMENTS, SHAPE);
    const browser = await chromium.launch({
      executablePath: requireBrowser("chromium"),
      args: BROWSER_FLAGS,
    });
    try {
      const { deps } = prepared;
      await settleAll(deps, { now: deps.now() });
      const started = performance.now();
      await catchUp(deps, MERCHANT);
      const countSeconds = (performance.now() - started) / 1_000;
      const { cookie = "" } = await signInNewOwner(deps, MERCHANT);

      const provider = await startServer("server/main.ts", [], prepared.environment);
      try {
        const [name = "", value = ""] = cookie.split("=");
        const context = await browser.newContext();
        await context.addCookies([{ name, value, url: `${prepared.accountsOrigin}/api` }]);
        const page = await context.newPage();
        const times: number[] = [];
        for (let opening = 0; opening < OPENINGS; opening++)
          times.push(await open(page, prepared.accountsOrigin));
        const million = transfers.toLocaleString("en-US");
        return [
          {
            name: "dashboard.million_payments_ms",
            value: percentile(times, 0.5),
            unit: "ms",
            aim: 1_000,
            baseline: `${million} payments, p50 of ${OPENINGS}, from navigation to the drawn chart`,
          },
          { name: "dashboard.million_payments_ms.p95", value: percentile(times, 0.95), unit: "ms" },
          {
            name: "dashboard.first_opening_ms",
            value: times[0] ?? 0,
            unit: "ms",
            baseline: "nothing cached",
          },
          {
            name: "dashboard.articles_answer_ms.p50",
            value: percentile(await articles(page), 0.5),
            unit: "ms",
            baseline: "two thousand articles over a year, sorted",
          },
          {
            name: "dashboard.count_seconds",
            value: countSeconds,
            unit: "s",
            baseline: `${million} payments added up, once and in the background`,
          },
        ];
      } finally {
        await provider.end();
      }
    } finally {
      await browser.close();
      await prepared.remove();
    }
  },
};

/** By the page's own clock, until the browser has drawn a frame with the chart in it. */
async function open(page: Page, origin: string): Promise<number> {
  await page.goto("about:blank");
  await page.goto(`${origin}/dashboard/#/${MERCHANT}/revenue`);
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = (): void => {
          const isThere = document.querySelector(".chart-plot canvas") !== null;
          requestAnimationFrame(() => (isThere ? resolve(performance.now()) : look()));
        };
        look();
      }),
  );
}

function articles(page: Page): Promise<number[]> {
  return page.evaluate(
    async ([merchant, count]) => {
      const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
      const times: number[] = [];
      while (times.length < count) {
        const started = performance.now();
        const query = `by=article&from=${day(364)}&to=${day(0)}&limit=500`;
        const answer = await fetch(`/api/merchants/${merchant}/revenue?${query}`);
        if (!answer.ok || (await answer.json()).articles.length === 0) throw new Error("no articles");
        times.push(performance.now() - started);
      }
      return times;
    },
    [MERCHANT, OPENINGS] as const,
  );
}
