/**
 * Curve work beside the event loop. A journey to a thread and back costs the main thread about as much as verifying one
 * coin, so what comes within one turn of the event loop travels together, and while every thread is at work what comes
 * meanwhile gathers for the next journey, as the ledger's groups do for the next commit. One coin alone is done here.
 */
import { join } from "node:path";
import { Piscina } from "piscina";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { SignatureWithProof } from "./curve.ts";
import { type SignTask, signAll, type VerifyResult, type VerifyTask, verifyAll } from "./curve-tasks.ts";

export interface CurvePool {
  /** @throws TuppenceError overloaded */
  verify(coins: VerifyTask["coins"]): Promise<VerifyResult[]>;
  /** @throws TuppenceError overloaded */
  sign(blanks: SignTask["blanks"]): Promise<SignatureWithProof[]>;
  /** Coins and blanks that wait for a thread. */
  queueLength(): number;
  /** Resolves when a thread has answered. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Up to so many are done on the main thread. */
const MAX_INLINE_ITEMS = 1;
/** A few milliseconds of a thread. */
const MAX_JOURNEY_ITEMS = 64;
/** Coins, or blanks, that may wait: more, and the provider says that it is busy. */
const MAX_WAITING_ITEMS = 65_536;

/** @param threads 0: everything on the main thread */
export function openCurvePool(threads: number): CurvePool {
  if (threads === 0)
    return {
      verify: async (coins) => verifyAll(coins),
      sign: async (blanks) => signAll(blanks),
      queueLength: () => 0,
      ping: async () => {},
      close: async () => {},
    };

  const pool = new Piscina<VerifyTask | SignTask, unknown>({
    filename: join(import.meta.dirname, "curve-worker.ts"),
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 2,
  });
  const nothing: VerifyTask = { kind: "verify", coins: [] };
  // One for each thread: what comes before any of them has loaded its code is spread evenly.
  const loaded = Promise.allSettled(Array.from({ length: threads }, () => pool.run(nothing)));
  const verify = gather(threads, async (coins: VerifyTask["coins"]) =>
    coins.length <= MAX_INLINE_ITEMS
      ? verifyAll(coins)
      : v.parse(VerifyResults, await pool.run({ kind: "verify", coins })),
  );
  const sign = gather(threads, async (blanks: SignTask["blanks"]) =>
    blanks.length <= MAX_INLINE_ITEMS
      ? signAll(blanks)
      : v.parse(SignResults, await pool.run({ kind: "sign", blanks })),
  );
  return {
    verify: verify.all,
    sign: sign.all,
    queueLength: () => verify.waiting() + sign.waiting(),
    async ping() {
      await pool.run(nothing);
    },
    // Node aborts the whole process where a thread ends in the middle of loading a module.
    async close() {
      await loaded;
      await pool.destroy();
    },
  };
}

/** What one caller asked for. */
interface Call<R> {
  readonly results: R[];
  left: number;
  readonly settled: PromiseWithResolvers<R[]>;
}

/** @param most journeys at the same time */
function gather<T, R>(most: number, travel: (items: readonly T[]) => Promise<readonly R[]>) {
  const waiting: { readonly item: T; readonly place: number; readonly call: Call<R> }[] = [];
  let journeys = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || waiting.length === 0 || journeys >= most) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      while (waiting.length > 0 && journeys < most) void begin();
    });
  }

  async function begin(): Promise<void> {
    const travelling = waiting.splice(0, MAX_JOURNEY_ITEMS);
    journeys++;
    try {
      const results = await travel(travelling.map(({ item }) => item));
      for (const [index, { place, call }] of travelling.entries()) {
        const result = results[index];
        if (result === undefined) throw new Error("a thread answered less than it was asked for");
        call.results[place] = result;
        call.left--;
        if (call.left === 0) call.settled.resolve(call.results);
      }
    } catch (error) {
      for (const { call } of travelling) call.settled.reject(error);
    }
    journeys--;
    schedule();
  }

  return {
    all(items: readonly T[]): Promise<R[]> {
      const settled = Promise.withResolvers<R[]>();
      if (items.length === 0) settled.resolve([]);
      else if (waiting.length + items.length > MAX_WAITING_ITEMS)
        settled.reject(new TuppenceError("overloaded"));
      else {
        const call: Call<R> = { results: [], left: items.length, settled };
        for (const [place, item] of items.entries()) waiting.push({ item, place, call });
        schedule();
      }
      return settled.promise;
    },
    waiting: () => waiting.length,
  };
}

const VerifyResults = v.array(v.object({ y: v.string(), genuine: v.boolean() }));
const SignResults = v.array(v.object({ C_: v.string(), e: v.string(), s: v.string() }));
