/**
 * Curve work beside the event loop. A journey to a thread and back costs the main thread about as much as verifying one
 * coin, so what comes within one turn of the event loop travels together; one coin alone is done here, and long lists go in
 * chunks.
 */
import { join } from "node:path";
import { Piscina } from "piscina";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { SignatureWithProof } from "./curve.ts";
import { type SignTask, signAll, type VerifyResult, type VerifyTask, verifyAll } from "./curve-tasks.ts";

export interface CurvePool {
  verify(coins: VerifyTask["coins"]): Promise<VerifyResult[]>;
  sign(blanks: SignTask["blanks"]): Promise<SignatureWithProof[]>;
  /** Chunks that wait for a thread. */
  queueLength(): number;
  /** Resolves when a thread has answered. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Up to so many are done on the main thread. */
const MAX_INLINE_COINS = 1;
const MAX_CHUNK_COINS = 16;
/** Chunks that may wait: more, and the provider says that it is busy. */
const MAX_QUEUED_CHUNKS = 4_096;

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
    maxQueue: MAX_QUEUED_CHUNKS,
    concurrentTasksPerWorker: 2,
  });
  const inChunks = async <T, R>(items: readonly T[], run: (part: readonly T[]) => Promise<R[]>) => {
    const parts = chunk(items);
    if (pool.queueSize + parts.length > MAX_QUEUED_CHUNKS) throw new TuppenceError("overloaded");
    return (await Promise.all(parts.map(run))).flat();
  };
  return {
    verify: gather(async (coins) =>
      coins.length <= MAX_INLINE_COINS
        ? verifyAll(coins)
        : inChunks(coins, async (part) =>
            v.parse(VerifyResults, await pool.run({ kind: "verify", coins: part })),
          ),
    ),
    sign: gather(async (blanks) =>
      blanks.length <= MAX_INLINE_COINS
        ? signAll(blanks)
        : inChunks(blanks, async (part) =>
            v.parse(SignResults, await pool.run({ kind: "sign", blanks: part })),
          ),
    ),
    queueLength: () => pool.queueSize,
    async ping() {
      await pool.run({ kind: "verify", coins: [] });
    },
    close: () => pool.destroy(),
  };
}

/** Many calls within one turn of the event loop become one. */
function gather<T, R>(
  run: (items: readonly T[]) => Promise<readonly R[]>,
): (items: readonly T[]) => Promise<R[]> {
  let calls: { items: readonly T[]; settled: PromiseWithResolvers<R[]> }[] = [];
  const runAll = async (): Promise<void> => {
    const together = calls;
    calls = [];
    try {
      const results = await run(together.flatMap(({ items }) => items));
      let taken = 0;
      for (const { items, settled } of together) {
        settled.resolve(results.slice(taken, taken + items.length));
        taken += items.length;
      }
    } catch (error) {
      for (const { settled } of together) settled.reject(error);
    }
  };
  return (items) => {
    if (calls.length === 0) setImmediate(() => void runAll());
    const settled = Promise.withResolvers<R[]>();
    calls.push({ items, settled });
    return settled.promise;
  };
}

const VerifyResults = v.array(v.object({ y: v.string(), genuine: v.boolean() }));
const SignResults = v.array(v.object({ C_: v.string(), e: v.string(), s: v.string() }));

function chunk<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += MAX_CHUNK_COINS)
    chunks.push(items.slice(start, start + MAX_CHUNK_COINS));
  return chunks;
}
