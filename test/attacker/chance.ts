/**
 * How likely somebody who knows nothing does as well. In a round of n readers the attacker's guesses stand in a table: how many
 * of reader i's payments it gave to account j. Had it no knowledge, the accounts' names could be exchanged for one another
 * without a difference to it, because all readers of a round do the same things: each of the n! ways to exchange them is as
 * likely as the true one. So the chance of at least as many hits is counted, over all ways and all rounds; it is exact, whatever
 * guesses depend on each other, and needs no assumption about payments.
 */

/** `hits[i][j]`: payments of reader i that were given to account j. */
export type Guesses = readonly (readonly number[])[];

/** Exchanging the names of more accounts than this costs too much. */
const MAX_READERS = 8;

export function chanceOf(rounds: readonly Guesses[]): number {
  const all = rounds.map(distributionOf).reduce(sumOf, new Map([[0, 1]]));
  const hits = rounds.reduce((total, guesses) => total + hitsOf(guesses), 0);
  let chance = 0;
  for (const [value, probability] of all) if (value >= hits) chance += probability;
  return Math.min(1, chance);
}

export function hitsOf(guesses: Guesses): number {
  return guesses.reduce((total, row, reader) => total + (row[reader] ?? 0), 0);
}

/** How likely each number of hits is, over all ways to exchange the accounts' names. */
function distributionOf(guesses: Guesses): Map<number, number> {
  const count = guesses.length;
  if (count > MAX_READERS) throw new RangeError(`at most ${MAX_READERS} readers`);
  // By the set of accounts that the first readers were given, how many ways lead to each number of hits.
  let ways = new Map<number, Map<number, number>>([[0, new Map([[0, 1]])]]);
  for (const row of guesses) {
    const next = new Map<number, Map<number, number>>();
    for (const [taken, sums] of ways) {
      for (let account = 0; account < count; account++) {
        const bit = 1 << account;
        if (taken & bit) continue;
        const target = next.get(taken | bit) ?? new Map<number, number>();
        next.set(taken | bit, target);
        for (const [sum, number] of sums) {
          const hits = sum + (row[account] ?? 0);
          target.set(hits, (target.get(hits) ?? 0) + number);
        }
      }
    }
    ways = next;
  }
  const counted = ways.get(2 ** count - 1) ?? new Map([[0, 1]]);
  const total = [...counted.values()].reduce((a, b) => a + b, 0);
  return new Map([...counted].map(([hits, number]) => [hits, number / total]));
}

function sumOf(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): Map<number, number> {
  const sum = new Map<number, number>();
  for (const [x, p] of a) for (const [y, q] of b) sum.set(x + y, (sum.get(x + y) ?? 0) + p * q);
  return sum;
}
