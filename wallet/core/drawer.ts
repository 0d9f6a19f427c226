/**
 * Which coins to hold and which to spend; pure.
 *
 * **The drawer's target** are five units of currency, in several coins of each denomination (`TARGET_COUNTS`),
 * so that a usual price is met exactly, without change and without work on the curve. A smaller sum is spread over
 * the denominations in rounds, smallest first, one coin of each per round, so that little money still makes many
 * prices; what the rounds leave over is made of the fewest coins.
 */
import {
  DENOMINATIONS,
  MAX_CHANGE_OUTPUTS,
  type Micros,
  micros,
  splitIntoCoins,
  subtract,
  ZERO,
} from "../../shared/money.ts";
import { MAX_PAYMENT_COINS } from "../../shared/protocol/x402.ts";

/** What one withdraw brings: a full drawer. */
export const WITHDRAWN_AT_ONCE = micros(5_000_000);

/** How many coins of each denomination a full drawer holds: dense where prices of articles are. */
const TARGET_COUNTS: ReadonlyMap<Micros, number> = new Map(
  DENOMINATIONS.map((coin) => [coin, targetCount(coin)] as const).filter(([, count]) => count > 0),
);

function targetCount(coin: Micros): number {
  if (coin < 10_000n) return 2;
  if (coin < 50_000n) return 4;
  if (coin === 50_000n) return 8;
  if (coin === 100_000n) return 5;
  if (coin === 200_000n) return 4;
  if (coin === 500_000n) return 2;
  return coin === 1_000_000n ? 1 : 0;
}

/** Below half of the target of any of these the drawer wants restocking. */
const WATCHED_UP_TO = 200_000n;

export interface HasAmount {
  readonly amount: Micros;
}

export function valueOf(coins: readonly HasAmount[]): Micros {
  return micros(coins.reduce((total, coin) => total + coin.amount, 0n));
}

/** The coins to add to `held` for `value` more, largest last. `value` must be payable in coins, or zero. */
export function composeCoins(value: Micros, held: readonly HasAmount[]): Micros[] {
  const counts = countByAmount(held);
  const chosen: Micros[] = [];
  let left: bigint = value;
  for (let progress = true; progress; ) {
    progress = false;
    for (const [coin, target] of TARGET_COUNTS) {
      const count = counts.get(coin) ?? 0;
      if (count >= target || coin > left) continue;
      counts.set(coin, count + 1);
      chosen.push(coin);
      left -= coin;
      progress = true;
    }
  }
  return [...chosen, ...(splitIntoCoins(micros(left)) ?? [])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** True where some small denomination has run low, although the drawer's value would allow more of it. */
export function isPoorlyComposed(held: readonly HasAmount[]): boolean {
  const counts = countByAmount(held);
  const value = valueOf(held);
  for (const [coin, target] of TARGET_COUNTS) {
    const affordable = coin * BigInt(target) * 4n <= value;
    if (coin <= WATCHED_UP_TO && affordable && (counts.get(coin) ?? 0) * 2 < target) return true;
  }
  return false;
}

/** The coins to break up, so that small ones are there again: one of the largest. Undefined where none is worth it. */
export function coinToBreak<C extends HasAmount>(held: readonly C[]): C | undefined {
  if (!isPoorlyComposed(held)) return undefined;
  const largest = held.toSorted((a, b) => (a.amount > b.amount ? -1 : 1))[0];
  return largest !== undefined && largest.amount > 100_000n ? largest : undefined;
}

export interface CoinChoice<C> {
  readonly coins: readonly C[];
  readonly change: Micros;
}

/**
 * Coins for a payment: exact and few where that can be, otherwise the least that leaves a change.
 * Undefined if `held` is worth less, or no twenty coins of it reach.
 */
export function chooseCoins<C extends HasAmount>(
  held: readonly C[],
  amount: Micros,
): CoinChoice<C> | undefined {
  const exact = chooseExact(held, amount);
  if (exact) return { coins: exact, change: ZERO };
  const single = held.filter((coin) => coin.amount > amount).sort(smallestFirst)[0];
  if (single) return { coins: [single], change: subtract(single.amount, amount) };
  const chosen: C[] = [];
  let left: bigint = amount;
  for (const coin of held.toSorted(largestFirst)) {
    if (left <= 0n || chosen.length === MAX_PAYMENT_COINS) break;
    chosen.push(coin);
    left -= coin.amount;
  }
  if (left > 0n) return undefined;
  // The last coin made it reach; a smaller one may do as well.
  const reached = chosen.pop();
  const missing = amount - valueOf(chosen);
  const smaller =
    held.filter((coin) => !chosen.includes(coin) && coin.amount >= missing).sort(smallestFirst)[0] ?? reached;
  if (smaller) chosen.push(smaller);
  const choice = { coins: chosen, change: subtract(valueOf(chosen), amount) };
  return changeCoins(choice) <= MAX_CHANGE_OUTPUTS ? choice : undefined;
}

/** How many coins the change is made of: the provider splits it in the same way. */
export function changeCoins({ change }: Pick<CoinChoice<HasAmount>, "change">): number {
  return splitIntoCoins(change)?.length ?? 0;
}

function chooseExact<C extends HasAmount>(held: readonly C[], amount: Micros): C[] | undefined {
  const stacks = new Map<bigint, C[]>();
  for (const coin of held) stacks.set(coin.amount, [...(stacks.get(coin.amount) ?? []), coin]);
  const amounts = [...stacks.keys()].sort((a, b) => (a > b ? -1 : 1));
  const deadEnds = new Set<string>();
  const search = (index: number, left: bigint, room: number): C[] | undefined => {
    if (left === 0n) return [];
    const denomination = amounts[index];
    if (denomination === undefined || room === 0) return undefined;
    const key = `${index} ${left} ${room}`;
    if (deadEnds.has(key)) return undefined;
    const stack = stacks.get(denomination) ?? [];
    const most = Math.min(stack.length, room, Number(left / denomination));
    for (let count = most; count >= 0; count--) {
      const rest = search(index + 1, left - denomination * BigInt(count), room - count);
      if (rest) return [...stack.slice(0, count), ...rest];
    }
    deadEnds.add(key);
    return undefined;
  };
  return search(0, amount, MAX_PAYMENT_COINS);
}

function countByAmount(coins: readonly HasAmount[]): Map<Micros, number> {
  const counts = new Map<Micros, number>();
  for (const coin of coins) counts.set(coin.amount, (counts.get(coin.amount) ?? 0) + 1);
  return counts;
}

function smallestFirst(a: HasAmount, b: HasAmount): number {
  return a.amount < b.amount ? -1 : a.amount > b.amount ? 1 : 0;
}

function largestFirst(a: HasAmount, b: HasAmount): number {
  return smallestFirst(b, a);
}
