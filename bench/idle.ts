/**
 * What the extension costs a page that it has nothing to do with: the time on the page's main thread that a trace, from
 * before the navigation to a while after the load, puts down to scripts of an extension. The difference between all
 * tasks with the extension and without is far below the noise of loading a page.
 */
import type { BrowserContext } from "@playwright/test";
import * as v from "valibot";
import { launchExtension } from "../test/support/extension.ts";
import { serveSite } from "../test/support/site.ts";
import { type Part, percentile } from "./row.ts";

const LOADS = 25;
const WATCHED_MS = 500;

export const idle: Part = {
  name: "idle",
  async measure() {
    const site = await serveSite({ "/": { html: "<!doctype html><title>Empty</title>" } });
    const extension = await launchExtension();
    try {
      const times: number[] = [];
      for (let i = 0; i < LOADS; i++) times.push(await extensionMs(extension.context, site.origin));
      // A trace in which the content script does not even run measured something else.
      if (times.every((time) => time === 0)) throw new Error("the traces show no script of the extension");
      const baseline = `${LOADS} loads; web-monetization-extension 6.2, Alby 7.3`;
      return [{ name: "page.idle_ms", value: percentile(times, 0.5), unit: "ms", aim: 1, baseline }];
    } finally {
      await extension.close();
      await site.close();
    }
  },
};

const TraceEvent = v.object({
  name: v.string(),
  pid: v.number(),
  tid: v.number(),
  dur: v.optional(v.number(), 0),
  args: v.optional(v.looseObject({ name: v.optional(v.unknown()), data: v.optional(v.unknown()) }), {}),
});
const Collected = v.object({ value: v.array(TraceEvent) });
const Committed = v.object({ url: v.string() });

/** Over the whole browser, because nobody knows beforehand which process the page will get. */
async function extensionMs(context: BrowserContext, origin: string): Promise<number> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const events: v.InferOutput<typeof TraceEvent>[] = [];
  session.on(
    "Tracing.dataCollected",
    (collected) => void events.push(...v.parse(Collected, collected).value),
  );
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    categories: "toplevel,devtools.timeline,disabled-by-default-devtools.timeline,__metadata",
  });
  await page.goto(origin);
  await page.waitForTimeout(WATCHED_MS);
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await page.close();

  const committed = events.filter(({ name, args }) => name === "CommitLoad" && isOf(origin, args.data));
  const pids = new Set(committed.map(({ pid }) => pid));
  const threads = events.filter(
    ({ name, args, pid }) => name === "thread_name" && args.name === "CrRendererMain" && pids.has(pid),
  );
  if (threads.length === 0) throw new Error("the trace does not show the page");
  const mainThreads = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  // Nested events are counted once more each, so the figure is rather too high than too low.
  const own = events.filter(
    ({ pid, tid, args }) => mainThreads.has(`${pid} ${tid}`) && isOf("chrome-extension://", args.data),
  );
  return own.reduce((sum, { dur }) => sum + dur, 0) / 1_000;
}

function isOf(origin: string, data: unknown): boolean {
  const parsed = v.safeParse(Committed, data);
  return parsed.success && parsed.output.url.startsWith(origin);
}
