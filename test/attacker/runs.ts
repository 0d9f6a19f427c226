/** Runs of rounds in processes of their own, because a mutant is a program of its own. */
import { fork } from "node:child_process";
import path from "node:path";
import * as v from "valibot";
import { type Tally, tally } from "./attack.ts";
import type { Guesses } from "./chance.ts";

const WORKER = path.join(import.meta.dirname, "worker.ts");

/**
 * Below this, it was not chance. Of eight readers all told apart in one round: 1 in 40,320. That one of the strategies comes
 * so far by luck, with a wallet that gives nothing away, happens in less than one of two thousand runs with new seeds; and the
 * tests' seeds are always the same.
 */
export const CHANCE_BOUND = 3e-5;

export interface RoundsToPlay {
  readonly from: number;
  readonly rounds: number;
  readonly readers: number;
  /** Of `mutants.ts`. */
  readonly mutant?: string;
  /** Ends the run: there is nothing more to learn. */
  readonly isEnough?: (tallies: readonly Tally[]) => boolean;
  readonly onRound?: (tallies: readonly Tally[]) => void;
}

const RoundResult = v.object({
  guesses: v.array(v.tuple([v.string(), v.array(v.array(v.number()))])),
  payments: v.number(),
  requests: v.number(),
  faults: v.array(v.string()),
});

export interface Runs {
  readonly tallies: readonly Tally[];
  readonly rounds: number;
  readonly requests: number;
  readonly faults: readonly string[];
}

export function playRounds({
  from,
  rounds,
  readers,
  mutant,
  isEnough,
  onRound,
}: RoundsToPlay): Promise<Runs> {
  const task = [from, rounds, readers].map(String);
  const child = fork(WORKER, mutant === undefined ? task : [...task, mutant], { execPath: process.execPath });
  const played: ReadonlyMap<string, Guesses>[] = [];
  const faults: string[] = [];
  let payments = 0;
  let requests = 0;
  let tallies: readonly Tally[] = [];
  let isEnded = false;
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      const result = v.parse(RoundResult, message);
      played.push(new Map(result.guesses));
      payments += result.payments;
      requests += result.requests;
      faults.push(...result.faults);
      tallies = tally(played, payments);
      onRound?.(tallies);
      if (!isEnough?.(tallies)) return;
      isEnded = true;
      child.kill();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0 || isEnded) resolve({ tallies, rounds: played.length, requests, faults });
      else reject(new Error(`a worker of the attacker ended with ${code}`));
    });
  });
}
