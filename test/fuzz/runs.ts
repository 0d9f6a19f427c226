/** Runs parts side by side, as many as there are cores, each in a process of its own: memory and faults are its own too. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import * as v from "valibot";
import { PARTS } from "./parts.ts";
import type { PartResult } from "./target.ts";

const WORKER = path.join(import.meta.dirname, "worker.ts");
/** How much the heap may grow from the middle of a run to its end, the same work having been done: caches have limits. */
export const MOST_GROWTH_BYTES = 8 * 1_024 * 1_024;
/** Shorter runs measure how programs warm up. */
export const LEAST_INPUTS_FOR_MEMORY = 50_000;

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** A part, a target (both by what their names hold), or `part/target`. */
  readonly only?: string;
  readonly path?: string;
  readonly onPart?: (result: PartResult) => void;
}

const Result = v.object({
  part: v.string(),
  targets: v.array(
    v.object({
      name: v.string(),
      inputs: v.number(),
      seen: v.array(v.tuple([v.string(), v.number()])),
    }),
  ),
  heap: v.nullable(v.tuple([v.number(), v.number()])),
  failure: v.nullable(v.string()),
  seconds: v.number(),
});

export async function runParts(options: FuzzOptions): Promise<PartResult[]> {
  const chosen = choose(options.only);
  const whole = chosen.reduce((total, { weight }) => total + weight, 0);
  const waiting = [...chosen];
  const results: PartResult[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { part, only, weight } = next;
      const inputs = Math.ceil((options.inputs * weight) / whole);
      const result = await runWorker({
        part,
        inputs,
        seed: options.seed,
        ...(only === undefined ? {} : { only }),
        ...(options.path === undefined ? {} : { path: options.path }),
      });
      const judged = { ...result, failure: result.failure ?? growthOf(result, options.inputs) };
      results.push(judged);
      options.onPart?.(judged);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

/** `provider/POST /topups` is one target; a part's name alone is all of it; anything else is looked for in every part. */
function choose(only: string | undefined): { part: string; only?: string; weight: number }[] {
  const all = Object.entries(PARTS).map(([part, { weight }]) => ({ part, weight }));
  if (only === undefined) return all;
  const found = all.filter(({ part }) => only === part || only.startsWith(`${part}/`));
  if (found.length === 0) return all.map((one) => ({ ...one, only }));
  return found.map((one) => (only === one.part ? one : { ...one, only: only.slice(one.part.length + 1) }));
}

function growthOf({ heap }: PartResult, inputs: number): string | null {
  if (!heap || inputs < LEAST_INPUTS_FOR_MEMORY) return null;
  const [half, end] = heap;
  return end - half <= MOST_GROWTH_BYTES
    ? null
    : `The heap grew from ${half} to ${end} bytes between the half of the run and its end.`;
}

function runWorker(options: object): Promise<PartResult> {
  const child = fork(WORKER, [JSON.stringify(options)], {
    execPath: process.execPath,
    execArgv: ["--expose-gc"],
  });
  return new Promise((resolve, reject) => {
    let result: PartResult | undefined;
    child.on("message", (message) => {
      result = v.parse(Result, message);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (result) resolve(result);
      else reject(new Error(`a process of the fuzzing ended with ${code} and no result`));
    });
  });
}
