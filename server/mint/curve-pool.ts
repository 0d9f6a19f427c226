/**
 * Curve work beside the event loop. A journey to a thread and back costs the main thread about as much as verifying one
 * coin, so that a few coins are done here; longer lists go in chunks, and the main thread answers others meanwhile.
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
const MAX_INLINE_COINS = 2;
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

  const refuseWhenFull = (chunks: readonly unknown[]): void => {
    if (pool.queueSize + chunks.length > MAX_QUEUED_CHUNKS) throw new TuppenceError("overloaded");
  };
  const pool = new Piscina<VerifyTask | SignTask, unknown>({
    filename: join(import.meta.dirname, "curve-worker.ts"),
    minThreads: threads,
    maxThreads: threads,
    maxQueue: MAX_QUEUED_CHUNKS,
    concurrentTasksPerWorker: 2,
  });
  return {
    async verify(coins) {
      if (coins.length <= MAX_INLINE_COINS) return verifyAll(coins);
      const parts = chunk(coins);
      refuseWhenFull(parts);
      const results = parts.map(async (part) =>
        v.parse(VerifyResults, await pool.run({ kind: "verify", coins: part })),
      );
      return (await Promise.all(results)).flat();
    },
    async sign(blanks) {
      if (blanks.length <= MAX_INLINE_COINS) return signAll(blanks);
      const parts = chunk(blanks);
      refuseWhenFull(parts);
      const results = parts.map(async (part) =>
        v.parse(SignResults, await pool.run({ kind: "sign", blanks: part })),
      );
      return (await Promise.all(results)).flat();
    },
    queueLength: () => pool.queueSize,
    async ping() {
      await pool.run({ kind: "verify", coins: [] });
    },
    close: () => pool.destroy(),
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
