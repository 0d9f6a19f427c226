/** Lets work wait for its turn: one after the other for each key, side by side for different ones. */
import { TuppenceError } from "../../shared/errors.ts";

/** Of one key. A wallet writes one part at a time, and a reader has a few devices. */
export const MAX_WAITING = 50;

export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** @returns a function that throws TuppenceError overloaded where too many wait already */
export function createTurns(): InTurn {
  const queues = new Map<string, { length: number; last: Promise<unknown> }>();
  return async (key, work) => {
    const queue = queues.get(key) ?? { length: 0, last: Promise.resolve() };
    if (queue.length >= MAX_WAITING) throw new TuppenceError("overloaded");
    queue.length++;
    queues.set(key, queue);
    const done = queue.last.then(work);
    // Whoever comes next does not mind how this one ends.
    queue.last = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      if (--queue.length === 0) queues.delete(key);
    }
  };
}
