/**
 * What is fuzzed, and how: a target is one kind of input with the check of what comes of it. A part is a program's worth
 * of targets that run in a process of their own, in rounds, so that at the middle and at the end of a run the same work
 * was done and the heap can be compared.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";

/** What was seen: statuses, codes, outcomes. For the table. */
export type Seen = string;

export interface Target {
  readonly name: string;
  /** Its share of the part's inputs. */
  readonly weight: number;
  /** `after` follows each input, whatever came of it. */
  readonly property: (see: See, after: () => Promise<void>) => fc.IAsyncProperty<unknown>;
}

export type See = (seen: Seen) => void;

/** @param check runs one generated input, and throws where it breaks what must hold */
export function makeTarget<T>(
  name: string,
  weight: number,
  arbitrary: fc.Arbitrary<T>,
  check: (input: T, see: See) => Promise<void> | void,
): Target {
  const property: Target["property"] = (see, after) =>
    fc.asyncProperty(arbitrary, async (input) => {
      await check(input, see);
      await after();
    });
  return { name, weight, property };
}

export interface Part {
  readonly targets: readonly Target[];
  /** After each round: what must hold of the whole. */
  readonly afterRound?: () => Promise<void>;
  readonly close?: () => Promise<void>;
}

export interface TargetResult {
  readonly name: string;
  readonly inputs: number;
  readonly seen: readonly (readonly [Seen, number])[];
}

export interface PartResult {
  readonly part: string;
  readonly targets: readonly TargetResult[];
  /** Bytes after a forced collection, at the half and at the end. Undefined where the program may not force one. */
  readonly heap: readonly [number, number] | null;
  /** What failed, in words, with what repeats it. */
  readonly failure: string | null;
  readonly seconds: number;
}

export interface RunOptions {
  readonly part: string;
  readonly inputs: number;
  readonly seed: number;
  /** Only targets whose name holds this. */
  readonly only?: string;
  /** Repeats one counterexample. */
  readonly path?: string;
}

/** The first two warm up: caches fill, code is compiled. */
const ROUNDS = 10;

declare const globalThis: { gc?: () => void };

export async function runPart(open: () => Promise<Part>, options: RunOptions): Promise<PartResult> {
  const begun = performance.now();
  const faults = watchProcess();
  const part = await open();
  const targets = part.targets.filter(({ name }) => name.includes(options.only ?? ""));
  const whole = targets.reduce((total, { weight }) => total + weight, 0);
  const results = targets.map(({ name }) => ({ name, inputs: 0, seen: new Map<Seen, number>() }));
  const heap: number[] = [];
  let failure: string | null = null;
  const rounds = options.path === undefined ? ROUNDS : 1;

  for (let round = 0; round < rounds && failure === null; round++) {
    for (const [index, target] of targets.entries()) {
      const result = results[index];
      if (!result || failure !== null) continue;
      const see: See = (seen) => void result.seen.set(seen, (result.seen.get(seen) ?? 0) + 1);
      const numRuns = Math.max(1, Math.ceil((options.inputs * target.weight) / whole / rounds));
      const parameters = {
        seed: options.seed + round,
        numRuns,
        ...(options.path === undefined ? {} : { path: options.path }),
      };
      const details = await fc.check(
        target.property(see, () => throwFaults(faults)),
        parameters,
      );
      result.inputs += details.numRuns;
      if (details.failed) failure = describeFailure(options.part, target.name, details);
    }
    failure ??= await roundFailure(part, faults);
    if (globalThis.gc && (round === ROUNDS / 2 - 1 || round === ROUNDS - 1)) heap.push(await heapNow());
  }
  await part.close?.();
  await nextTurn();
  failure ??= faults.at(0) ?? null;
  const [half, end] = heap;
  return {
    part: options.part,
    targets: results.map(({ seen, ...rest }) => ({ ...rest, seen: [...seen].sort(([, a], [, b]) => b - a) })),
    heap: half === undefined || end === undefined ? null : [half, end],
    failure,
    seconds: (performance.now() - begun) / 1_000,
  };
}

/** Promises that nobody waited for, and what was thrown past everyone. */
function watchProcess(): string[] {
  const faults: string[] = [];
  process.on("unhandledRejection", (reason) => faults.push(`unhandled rejection: ${describeError(reason)}`));
  process.on("uncaughtException", (error) => faults.push(`uncaught exception: ${describeError(error)}`));
  return faults;
}

/** A fault that an input left behind counts as that input's. */
async function throwFaults(faults: string[]): Promise<void> {
  // Node tells of rejections that nobody handles when the turn is over.
  await nextTurn();
  const [fault] = faults.splice(0);
  if (fault !== undefined) throw new Error(fault);
}

async function roundFailure(part: Part, faults: string[]): Promise<string | null> {
  try {
    await part.afterRound?.();
    return faults.splice(0).at(0) ?? null;
  } catch (error) {
    return `after a round: ${describeError(error)}`;
  }
}

function describeFailure(part: string, target: string, details: fc.RunDetails<unknown>): string {
  const { counterexample, counterexamplePath, seed, numShrinks } = details;
  const cause = "errorInstance" in details ? details.errorInstance : undefined;
  return [
    `${target}: ${describeError(cause)}`,
    `Counterexample (shrunk ${numShrinks} times): ${fc.stringify(counterexample)}`,
    `Again: npm run fuzz -- --seed ${seed} --path "${counterexamplePath}" --only "${part}/${target}"`,
  ].join("\n");
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : `${fc.stringify(error)}`;
}

async function heapNow(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await nextTurn();
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
