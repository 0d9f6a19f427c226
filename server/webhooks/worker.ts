/**
 * What tells endpoints of events, in every process of the provider: looks for what happened, claims what is due, and attempts it.
 * It remembers nothing that matters: a process that dies leaves everything in the database, and the others go on.
 *
 * No endpoint holds up another: each has a few attempts under way at most, one that fails has a single one, and the first of each
 * goes before the second of any.
 */
import { attempt } from "./attempt.ts";
import type { WebhookDeps } from "./deps.ts";
import { prune } from "./log.ts";
import { createOutcomeWriter } from "./outcomes.ts";
import { type ClaimedEvent, claim, read } from "./queue.ts";

const MAX_UNDER_WAY = 256;
const MAX_UNDER_WAY_OF_ENDPOINT = 8;
/** How long after something happened somebody looks, at most, unless there are many endpoints. */
const LOOK_EVERY_MILLISECONDS = 1_000;
const PRUNE_EVERY_MILLISECONDS = 3_600_000;

export interface WebhookWorker {
  /** Looks for what happened, for some endpoints; true if there may be more. */
  readonly look: () => Promise<boolean>;
  /** Begins what is due, as far as there is room; true if there was anything. */
  readonly begin: () => Promise<boolean>;
  /** Resolves when nothing is under way. */
  readonly settled: () => Promise<void>;
  /** Interrupts what is under way: it is due again at once. */
  readonly close: () => Promise<void>;
}

export interface WorkerHooks {
  readonly onError: (error: unknown) => void;
  /** After each attempt. */
  readonly onEnded?: () => void;
}

export function createWebhookWorker(deps: WebhookDeps, { onError, onEnded }: WorkerHooks): WebhookWorker {
  const underWay = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const write = createOutcomeWriter(deps);
  let lastId = "";

  const count = (id: string, change: number): void => {
    const after = (underWay.get(id) ?? 0) + change;
    if (after === 0) underWay.delete(id);
    else underWay.set(id, after);
  };

  async function carryOut(event: ClaimedEvent): Promise<void> {
    try {
      await write({ event, attempt: await attempt(deps, event, stopping.signal) });
    } catch (error) {
      // Its lease ends by itself.
      onError(error);
    }
  }

  function start(event: ClaimedEvent): void {
    const { id } = event.endpoint;
    count(id, 1);
    const run = carryOut(event).finally(() => {
      running.delete(run);
      count(id, -1);
      onEnded?.();
    });
    running.add(run);
  }

  const settled = async (): Promise<void> => {
    while (running.size > 0) await Promise.all(running);
  };

  return {
    async look() {
      const { lastId: next, hasFound } = await read(deps, lastId);
      lastId = next;
      return hasFound || next !== "";
    },
    async begin() {
      const room = MAX_UNDER_WAY - running.size;
      if (room <= 0 || stopping.signal.aborted) return false;
      const claimed = await claim(deps, {
        most: room,
        mostOfEndpoint: MAX_UNDER_WAY_OF_ENDPOINT,
        slotsOf: ({ id, isFailing }) => (isFailing ? 1 : MAX_UNDER_WAY_OF_ENDPOINT) - (underWay.get(id) ?? 0),
      });
      for (const event of claimed) start(event);
      return claimed.length > 0;
    },
    settled,
    async close() {
      stopping.abort();
      await settled();
    },
  };
}

export interface JobHooks {
  readonly onDone: () => void;
  readonly onError: (error: unknown) => void;
}

/** Returns the function that ends it. */
export function startWebhooks(deps: WebhookDeps, { onDone, onError }: JobHooks): () => Promise<void> {
  const bell = createBell();
  let isStopped = false;
  const worker = createWebhookWorker(deps, { onError, onEnded: bell.ring });
  let lookAt = 0;
  let pruneAt = performance.now() + PRUNE_EVERY_MILLISECONDS;

  async function turn(): Promise<boolean> {
    const now = performance.now();
    let isBusy = false;
    if (now >= lookAt) {
      isBusy = await worker.look();
      lookAt = isBusy ? now : now + LOOK_EVERY_MILLISECONDS;
      onDone();
    }
    if (now >= pruneAt) {
      pruneAt = now + PRUNE_EVERY_MILLISECONDS;
      await prune(deps);
    }
    return (await worker.begin()) || isBusy;
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const isBusy = await turn().catch((error: unknown) => {
        onError(error);
        return false;
      });
      if (isStopped || isBusy) continue;
      await bell.heard(LOOK_EVERY_MILLISECONDS);
    }
  }

  const ran = run();
  return async () => {
    isStopped = true;
    bell.ring();
    await ran;
    await worker.close();
  };
}

/** Rung while nobody listened, it is heard by whoever listens next. */
function createBell() {
  let hasRung = false;
  let hear = (): void => {};
  return {
    ring(): void {
      hasRung = true;
      hear();
    },
    async heard(longestMilliseconds: number): Promise<void> {
      if (!hasRung)
        await new Promise<void>((resolve) => {
          hear = resolve;
          setTimeout(resolve, longestMilliseconds).unref();
        });
      hasRung = false;
    },
  };
}
