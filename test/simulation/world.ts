/**
 * The simulated world: one queue of events in virtual time, and processes that can die at each of their calls. Nothing
 * happens between two events, so the order in which things happen is the seed's alone.
 *
 * A step takes all events of one moment, runs them, and waits until nothing runs any more: everything in this program
 * goes on by promises and turns of the event loop, never by a thread or a real timer, so a few idle turns are the end.
 */
import { createHash } from "node:crypto";
import type { Faults } from "./faults.ts";
import { type Random, seededRandom } from "./random.ts";

/** 2026-09-21; the same for every seed. */
const START_MS = 1_790_000_000_000;
const MAX_EVENTS = 200_000;
const TAIL_LINES = 120;
/** A request's body and the ledger's commit each wait for the next turn of the event loop, one after the other. */
const IDLE_TURNS = 4;

export interface World {
  readonly seed: number;
  readonly faults: Faults;
  /** For whatever has no stream of its own. */
  readonly random: Random;
  nowMs(): number;
  /** Something happens so many milliseconds from now. Two of the same moment happen in the order in which they were asked for. */
  after(milliseconds: number, what: string, run: () => void | Promise<void>): void;
  /** As `after`, until it is called off. */
  unlessCalledOff(milliseconds: number, what: string, run: () => void): () => void;
  /** A line of the trace, and of its hash. */
  note(line: string): void;
  startProcess(name: string, deathRate: () => number): Process;
  /** Runs until `isOver`, or until nothing is left. */
  run(isOver: () => boolean): Promise<void>;
  /** Time stands still until this is done: for what really has to wait for the machine, e.g. a server's start. */
  hold(work: Promise<void>): void;
  traceHash(): string;
  readonly tail: readonly string[];
  events(): number;
}

/** A process that lives until it is killed; a new one may take its place. */
export interface Process {
  readonly name: string;
  isAlive(): boolean;
  /**
   * A call to what lies outside of the process: it takes a moment, and the process may die before or after its effect.
   * A dead process hears nothing any more.
   */
  call<T>(what: string, work: () => T | Promise<T>): Promise<T>;
  kill(why: string): void;
  onDeath(listener: (why: string) => void): void;
}

interface Event {
  isOff: boolean;
  readonly at: number;
  readonly order: number;
  readonly what: string;
  readonly run: () => void | Promise<void>;
}

export function createWorld(seed: number, faults: Faults, print?: (line: string) => void): World {
  const random = seededRandom(seed, "world");
  const latencies = seededRandom(seed, "latency");
  const deaths = seededRandom(seed, "deaths");
  const queue: Event[] = [];
  const hash = createHash("sha256");
  const tail: string[] = [];
  const held: Promise<void>[] = [];
  let now = START_MS;
  let order = 0;
  let events = 0;
  /** Changes with every event that is asked for and every call: a chain of calls that take no time has not come to rest. */
  let activity = 0;

  const note = (line: string): void => {
    const full = `${now - START_MS} ${line}`;
    hash.update(full).update("\n");
    tail.push(full);
    if (tail.length > 2 * TAIL_LINES) tail.splice(0, TAIL_LINES);
    print?.(full);
  };
  const add = (milliseconds: number, what: string, run: Event["run"]): Event => {
    activity++;
    const at = now + Math.max(0, Math.ceil(milliseconds));
    const event: Event = { isOff: false, at, order: order++, what, run };
    push(queue, event);
    return event;
  };
  const after: World["after"] = (milliseconds, what, run) => void add(milliseconds, what, run);
  const startProcess = (name: string, deathRate: () => number): Process => {
    const listeners: ((why: string) => void)[] = [];
    let alive = true;
    const process: Process = {
      name,
      isAlive: () => alive,
      onDeath: (listener) => void listeners.push(listener),
      kill: (why) => {
        if (!alive) return;
        alive = false;
        note(`${name} dies: ${why}`);
        for (const listener of listeners) listener(why);
      },
      call: (what, work) =>
        new Promise((resolve, reject) => {
          const answer = (deliver: () => void): void => {
            if (!alive) return;
            activity++;
            if (deaths.chance(deathRate())) process.kill(`after ${what}`);
            else if (latencies.chance(0.7)) deliver();
            else
              after(latency(latencies), `${name} ${what} done`, () => {
                if (alive) deliver();
              });
          };
          const begin = async (): Promise<void> => {
            if (!alive) return;
            activity++;
            if (deaths.chance(deathRate())) return process.kill(`before ${what}`);
            try {
              const value = await work();
              answer(() => resolve(value));
            } catch (error) {
              answer(() => reject(error));
            }
          };
          // Half of all calls take no time at all: nothing comes in between, and the run is twice as fast.
          if (latencies.chance(0.5)) void begin();
          else after(latency(latencies), `${name} ${what}`, begin);
        }),
    };
    return process;
  };

  const step = async (): Promise<void> => {
    const first = pop(queue);
    if (!first || first.isOff) return;
    now = first.at;
    for (let event: Event | undefined = first; event; event = queue[0]?.at === now ? pop(queue) : undefined) {
      if (event.isOff) continue;
      events++;
      note(event.what);
      // An event that waits for another one must not hold up the world.
      event.run()?.catch(fail);
    }
    for (let idle = 0; idle < IDLE_TURNS; idle++) {
      const before = activity;
      await turn();
      for (let work = held.pop(); work; work = held.pop()) await work.catch(fail);
      if (activity !== before) idle = -1;
    }
    if (failure.error !== undefined) throw failure.error;
  };
  const failure: { error: unknown } = { error: undefined };
  const fail = (error: unknown): void => {
    failure.error ??= error;
  };

  return {
    seed,
    faults,
    random,
    nowMs: () => now,
    after,
    unlessCalledOff: (milliseconds, what, run) => {
      const event = add(milliseconds, what, run);
      return () => {
        event.isOff = true;
      };
    },
    note,
    startProcess,
    hold: (work) => {
      activity++;
      held.push(work);
    },
    run: async (isOver) => {
      while (queue.length > 0 && !isOver()) {
        if (events > MAX_EVENTS)
          throw new Error(`more than ${MAX_EVENTS} events: something never comes to rest`);
        await step();
      }
    },
    traceHash: () => hash.copy().digest("hex"),
    tail,
    events: () => events,
  };
}

/** Mostly a moment, so that many calls meet at the same one; now and then long enough for others to overtake. */
function latency(random: Random): number {
  const kind = random.fraction();
  if (kind < 0.5) return random.below(2);
  if (kind < 0.95) return random.below(6);
  return random.below(400);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A binary heap by time, then by order. */
function push(queue: Event[], event: Event): void {
  let index = queue.push(event) - 1;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = queue[parentIndex];
    if (!parent || !isBefore(event, parent)) break;
    queue[index] = parent;
    index = parentIndex;
  }
  queue[index] = event;
}

function pop(queue: Event[]): Event | undefined {
  const first = queue[0];
  const last = queue.pop();
  if (!last || queue.length === 0) return first;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [a, b] = [queue[left], queue[left + 1]];
    const childIndex = a && b && isBefore(b, a) ? left + 1 : left;
    const child = queue[childIndex];
    if (!child || !isBefore(child, last)) break;
    queue[index] = child;
    index = childIndex;
  }
  queue[index] = last;
  return first;
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
