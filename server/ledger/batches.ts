/**
 * Group commit. Calls queue up; at the next turn of the event loop, without a timer, all that are waiting become one
 * batch. While it commits, those that come form the next one.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { mayBeGuarded } from "./guarded.ts";
import type { Group, GroupOutcome } from "./ledger.ts";

/** Groups in one transaction: bounds how long one commit keeps everybody waiting. */
const MAX_BATCH_GROUPS = 1_000;
/** Groups that may wait. More are refused as `overloaded`: an answer now is worth more than a place at the end. */
const MAX_WAITING_GROUPS = 20_000;
export const MAX_TRANSFERS_PER_GROUP = 1_000;
/** Keeps sums within 64 bits for more transfers than there will be. */
const MAX_TRANSFER_AMOUNT = 1_000_000_000_000_000n;
/** Ten years: a mistake of a factor of a thousand is none. */
const MAX_MATURING_SECONDS = 10 * 366 * 24 * 3_600;
const ID = /^[0-9a-f]{32}$/;

export interface Batches {
  apply(group: Group): Promise<GroupOutcome>;
  /** Takes nothing more; resolves when all that waited is judged. */
  close(): Promise<void>;
}

/**
 * @param commit judges and commits a batch, or as much from its beginning as it can: an outcome for each group, in order;
 * those without one come first in the next batch. One batch at a time.
 */
export function createBatches(
  commit: (groups: readonly Group[]) => readonly GroupOutcome[] | Promise<readonly GroupOutcome[]>,
): Batches {
  let waiting: Waiting[] = [];
  let isRunning = false;
  let isClosed = false;
  let onIdle: (() => void) | undefined;

  function schedule(): void {
    if (isRunning) return;
    isRunning = true;
    setImmediate(() => void run());
  }

  async function run(): Promise<void> {
    const batch = waiting.slice(0, MAX_BATCH_GROUPS);
    waiting = waiting.slice(MAX_BATCH_GROUPS);
    try {
      const outcomes = await commit(batch.map(({ group }) => group));
      if (outcomes.length === 0) throw new Error("a batch that commits gets somewhere");
      for (const [index, outcome] of outcomes.entries()) batch[index]?.resolve(outcome);
      if (outcomes.length < batch.length) waiting = [...batch.slice(outcomes.length), ...waiting];
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    isRunning = false;
    if (waiting.length > 0) schedule();
    else onIdle?.();
  }

  return {
    apply(group) {
      return new Promise<GroupOutcome>((resolve, reject) => {
        if (isClosed) throw new Error("the ledger is closed");
        assertWellFormed(group);
        if (waiting.length >= MAX_WAITING_GROUPS) throw new TuppenceError("overloaded");
        waiting.push({ group, resolve, reject });
        schedule();
      });
    },
    async close() {
      isClosed = true;
      if (isRunning) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
    },
  };
}

interface Waiting {
  readonly group: Group;
  readonly resolve: (outcome: GroupOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A group that breaks these was made by a bug of ours, never by a client. */
function assertWellFormed(group: Group): void {
  const bad = (what: string) => new RangeError(`ledger group ${group.id}: ${what}`);
  if (!ID.test(group.id)) throw bad("its id is not 32 hex digits");
  if (group.transfers.length > MAX_TRANSFERS_PER_GROUP) throw bad("too many transfers");
  for (const { id, debit, credit, amount, maturesAfterSeconds = 0 } of group.transfers) {
    if (!ID.test(id)) throw bad("a transfer's id is not 32 hex digits");
    if (amount <= 0n || amount > MAX_TRANSFER_AMOUNT) throw bad(`a transfer of ${amount}`);
    if (!Number.isSafeInteger(maturesAfterSeconds) || maturesAfterSeconds < 0)
      throw bad(`a transfer that matures after ${maturesAfterSeconds} seconds`);
    if (maturesAfterSeconds > MAX_MATURING_SECONDS) throw bad("a transfer that matures too late");
    if (debit === credit || debit === "" || credit === "") throw bad(`a transfer from ${debit} to ${credit}`);
  }
  for (const guard of group.guards ?? []) {
    if ("key" in guard && !mayBeGuarded(guard.key)) throw bad(`a guard that names ${guard.key}`);
  }
}
