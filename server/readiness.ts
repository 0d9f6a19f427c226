/**
 * Whether requests may be sent here: the database answers, curve work is done, and the process is not about to end.
 * Liveness (`/healthz`) is another question: a provider without its database must be left alone, not started again.
 */
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import type { Deps } from "./deps.ts";

const CHECK_TIMEOUT_MILLISECONDS = 2_000;
/** Whoever asks more often gets the last answer: a probe is no load. */
const FRESH_MILLISECONDS = 1_000;

export type Part = "database" | "curve_pool" | "shutdown";

export interface Readiness {
  /** The parts that are not ready. Empty: ready. */
  check(): Promise<readonly Part[]>;
  /** From now on, for good. */
  leave(): void;
}

export function watchReadiness(deps: Pick<Deps, "database" | "ledger" | "mint">): Readiness {
  let isLeaving = false;
  let last: { readonly at: number; readonly failed: Promise<readonly Part[]> } | undefined;
  return {
    async check() {
      if (isLeaving) return ["shutdown"];
      if (last === undefined || performance.now() - last.at > FRESH_MILLISECONDS)
        last = { at: performance.now(), failed: findFailed(deps) };
      return last.failed;
    },
    leave: () => {
      isLeaving = true;
    },
  };
}

async function findFailed({ database, ledger, mint }: Parameters<typeof watchReadiness>[0]): Promise<Part[]> {
  const checks: [Part, () => Promise<unknown>][] = [
    ["database", () => Promise.all([sql`SELECT 1`.execute(database), ledger.record("readiness")])],
    ["curve_pool", () => mint.ping()],
  ];
  const failed = await Promise.all(
    checks.map(async ([part, check]) => ((await answersInTime(check)) ? [] : [part])),
  );
  return failed.flat();
}

async function answersInTime(check: () => Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(CHECK_TIMEOUT_MILLISECONDS, false, { signal: timer.signal }).catch(() => false);
  const answered = async () => {
    await check();
    return true;
  };
  try {
    return await Promise.race([answered(), late]);
  } catch {
    return false;
  } finally {
    timer.abort();
  }
}
