/** The attack on rounds: every strategy is tried on each, and what it got right is set against chance. */
import { chanceOf, type Guesses, hitsOf } from "./chance.ts";
import { readEvidence } from "./evidence.ts";
import type { Round } from "./play.ts";
import { STRATEGIES } from "./strategies.ts";

export interface Tally {
  readonly strategy: string;
  readonly proves: boolean;
  /** Payments that it gave to an account. */
  readonly given: number;
  readonly right: number;
  /** Of how many. */
  readonly payments: number;
  /** How likely somebody who knows nothing gets as many right. */
  readonly chance: number;
}

/** What each strategy gave, round by round. */
export type Attempts = ReadonlyMap<string, readonly Guesses[]>;

export function attack({ record, truth }: Round): ReadonlyMap<string, Guesses> {
  const seen = readEvidence(record);
  return new Map(
    STRATEGIES.map(({ name, assign }) => {
      const guesses = truth.accounts.map(() => truth.accounts.map(() => 0));
      for (const [payment, account] of assign(seen)) {
        const reader = truth.payments.get(payment);
        const row = reader === undefined ? undefined : guesses[reader];
        const given = truth.accounts.indexOf(account);
        if (row && given >= 0) row[given] = (row[given] ?? 0) + 1;
      }
      return [name, guesses];
    }),
  );
}

export function tally(rounds: readonly ReadonlyMap<string, Guesses>[], payments: number): Tally[] {
  return STRATEGIES.map(({ name, proves }) => {
    const guesses = rounds.map((round) => round.get(name) ?? []);
    return {
      strategy: name,
      proves,
      given: guesses.flat(2).reduce((total, count) => total + count, 0),
      right: guesses.reduce((total, one) => total + hitsOf(one), 0),
      payments,
      chance: chanceOf(guesses),
    };
  });
}
