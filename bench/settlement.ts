/**
 * The settlement of all payments of a filled provider, in a process of its own, while others are made: closings, sums and
 * the ledger's transfers count, all that has to be done before money may leave. What explains it, the statements, and the
 * audit are measured after it, each by itself.
 */
import * as v from "valibot";
import { filledProvider } from "./filled.ts";
import type { Load } from "./load.ts";
import { paymentBodies } from "./payments.ts";
import { type Running, runProgram, sendLoad, startLoad, startServer } from "./process.ts";
import type { Part, Row } from "./row.ts";
import { settleLoad } from "./settle.ts";

/** Of the provider's own, moderate: it leaves room on two cores. */
const PAYMENTS_PER_SECOND = 200;
const WARM_UP_SECONDS = 10;
const BEFORE_SECONDS = 20;
/** The payments of so many seconds are there while it settles; after that nobody pays. */
const DURING_SECONDS = 90;

const Ran = v.object({ count: v.number(), seconds: v.number(), rssMb: v.number() });

export const settlement: Part = {
  name: "settlement",
  async measure() {
    const { provider: prepared, transfers } = await filledProvider();
    const run = async (command: string) =>
      v.parse(Ran, await runProgram("operator.ts", [command], prepared.environment));
    const seconds = WARM_UP_SECONDS + BEFORE_SECONDS + DURING_SECONDS;
    const payments = await paymentBodies(prepared, seconds * PAYMENTS_PER_SECOND, 86_400);
    const take = (count: number) => payments.splice(0, count * PAYMENTS_PER_SECOND);

    const provider = await startServer("server/main.ts", [], prepared.environment);
    try {
      await sendLoad(loadOf(provider, take(WARM_UP_SECONDS)));
      const before = await sendLoad(loadOf(provider, take(BEFORE_SECONDS)));
      const load = startLoad(loadOf(provider, take(DURING_SECONDS)));
      const settled = await run("settle");
      load.stop();
      const during = await load.result;
      if (settled.count !== transfers)
        throw new Error(`${settled.count} payments were settled, ${transfers} had matured`);
      await provider.end();
      const again = await run("settle");
      if (again.count > 0) throw new Error(`${again.count} payments were settled twice`);
      const statements = await run("statements");
      const audit = await run("audit");
      return [
        inSeconds("settlement.seconds", settled.seconds, 30, `${transfers.toLocaleString("en-US")} payments`),
        { name: "settlement.rss_mb", value: settled.rssMb, unit: "MB", aim: 512 },
        { name: "settlement.p99_before_ms", value: before.p99Ms, unit: "ms" },
        { name: "settlement.p99_during_ms", value: during.p99Ms, unit: "ms", aim: 2 * before.p99Ms },
        inSeconds("settlement.idle_seconds", again.seconds, undefined, "nothing to settle"),
        inSeconds("statements.seconds", statements.seconds, undefined, `${statements.count} files`),
        { name: "statements.rss_mb", value: statements.rssMb, unit: "MB", aim: 512 },
        inSeconds(
          "audit.seconds",
          audit.seconds,
          undefined,
          `${audit.count.toLocaleString("en-US")} transfers`,
        ),
        { name: "audit.rss_mb", value: audit.rssMb, unit: "MB", aim: 512 },
      ];
    } finally {
      await provider.end();
    }
  },
};

function inSeconds(name: string, value: number, aim: number | undefined, baseline: string): Row {
  return { name, value, unit: "s", baseline, ...(aim === undefined ? {} : { aim }) };
}

function loadOf(provider: Running, bodies: readonly string[]): Load {
  return { ...settleLoad(provider, bodies, '"success":true'), perSecond: PAYMENTS_PER_SECOND };
}
