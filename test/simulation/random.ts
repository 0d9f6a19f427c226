/** The one source of chance in a run: sfc32 (PractRand), seeded by a hash, a stream of its own for each purpose. */
import { createHash } from "node:crypto";

export interface Random {
  /** From 0 up to, not including, 1. */
  fraction(): number;
  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number;
  /** True that often: 0 never, 1 always. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(count: number): Uint8Array<ArrayBuffer>;
}

export function seededRandom(seed: number, purpose: string): Random {
  const state = new Uint32Array(
    new Uint8Array(createHash("sha256").update(`${seed} ${purpose}`).digest()).buffer,
  );
  let [a = 0, b = 0, c = 0, d = 0] = state;
  const next = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  const fraction = () => next() / 4_294_967_296;
  const below = (limit: number) => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    // Drawn even where the answer is known, so that a rate of zero does not shift what follows.
    chance: (probability) => fraction() < probability,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 255),
  };
}
