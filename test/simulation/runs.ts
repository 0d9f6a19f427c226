/** Runs of many seeds, in processes of their own: a mutant is a program of its own, and each core takes its share. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import * as v from "valibot";
import { addCoverage, type Coverage } from "./coverage.ts";

const WORKER = path.join(import.meta.dirname, "worker.ts");

export interface SeedsToRun {
  readonly from: number;
  readonly count: number;
  /** Of `mutants.ts`. */
  readonly mutant?: string;
  readonly workers?: number;
  readonly onProgress?: (done: number) => void;
}

const Result = v.object({
  seed: v.number(),
  violation: v.optional(v.string()),
  traceHash: v.string(),
  events: v.number(),
  tail: v.array(v.string()),
  coverage: v.array(v.tuple([v.string(), v.number()])),
});
export type Result = v.InferOutput<typeof Result>;

export interface Runs {
  readonly seeds: number;
  readonly events: number;
  readonly coverage: Coverage;
  /** The first that broke an invariant; no seed is run after it. */
  readonly broken: Result | undefined;
  readonly traceHashes: ReadonlyMap<number, string>;
}

export async function runSeeds({ from, count, mutant, workers, onProgress }: SeedsToRun): Promise<Runs> {
  const coverage: Coverage = new Map();
  const traceHashes = new Map<number, string>();
  let events = 0;
  let broken: Result | undefined;
  const share = Math.min(workers ?? availableParallelism(), count);
  const work = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const task = [from + index, from + count, share].map(String);
      const child = fork(WORKER, mutant === undefined ? task : [...task, mutant], {
        execPath: process.execPath,
      });
      child.on("message", (message) => {
        const result = v.parse(Result, message);
        addCoverage(coverage, result.coverage);
        traceHashes.set(result.seed, result.traceHash);
        events += result.events;
        onProgress?.(traceHashes.size);
        if (result.violation === undefined) return;
        if (!broken || result.seed < broken.seed) broken = result;
        stop();
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        if (code === 0 || broken) resolve();
        else reject(new Error(`a worker of the simulation ended with ${code}`));
      });
      children.push(() => child.kill());
    });
  const children: (() => void)[] = [];
  const stop = (): void => {
    for (const kill of children) kill();
  };
  await Promise.all(Array.from({ length: share }, (_, index) => work(index)));
  return { seeds: traceHashes.size, events, coverage, broken, traceHashes };
}
