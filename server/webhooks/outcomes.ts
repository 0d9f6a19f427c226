/**
 * How attempts ended, in the database. Those that end at the same time are written together, because each statement waits for
 * the disk. First the log, then the event's state: who dies in between tells it once more.
 */
import { type RawBuilder, sql } from "kysely";
import type { Attempt } from "./attempt.ts";
import type { WebhookDeps } from "./deps.ts";
import type { ClaimedEvent } from "./queue.ts";
import { isGivenUp, pauseMilliseconds, retryDelayMilliseconds } from "./schedule.ts";
import { tables } from "./tables.ts";

/** Of one event. A later one takes the place of the oldest. */
const MAX_ATTEMPTS_KEPT = 50;
const RANDOM_BYTES = 2;

export interface Ended {
  readonly event: ClaimedEvent;
  /** Undefined: interrupted. It is due again at once. */
  readonly attempt: Attempt | undefined;
}

/** Resolves when it is stored. */
export type OutcomeWriter = (ended: Ended) => Promise<void>;

export function createOutcomeWriter(deps: WebhookDeps): OutcomeWriter {
  let last: Promise<void> = Promise.resolve();
  let open: { readonly all: Ended[]; readonly stored: Promise<void> } | undefined;
  return (ended) => {
    if (!open) {
      const all: Ended[] = [];
      const stored = last.then(nextTurn).then(() => {
        open = undefined;
        return store(deps, all);
      });
      last = stored.catch(() => {});
      open = { all, stored };
    }
    open.all.push(ended);
    return open.stored;
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function store(deps: WebhookDeps, all: readonly Ended[]): Promise<void> {
  await storeAttempts(deps, all);
  await storeStates(deps, all);
  for (const [id, ended] of Map.groupBy(all, ({ event }) => event.endpoint.id))
    await storeHealth(deps, id, ended);
  for (const { attempt } of all) if (attempt) deps.metrics.webhookAttempts.inc({ outcome: attempt.outcome });
}

const bigint = (value: number | null): RawBuilder<unknown> => sql`CAST(${value} AS bigint)`;
const text = (value: string): RawBuilder<unknown> => sql`CAST(${value} AS text)`;

/** An event may be gone by now, with its endpoint. */
async function storeAttempts({ database }: WebhookDeps, all: readonly Ended[]): Promise<void> {
  const rows = all.flatMap(({ event, attempt }) =>
    attempt
      ? [
          sql`(${text(event.endpoint.id)}, ${text(event.id)}, ${bigint(event.attemptsEver % MAX_ATTEMPTS_KEPT)}, ${bigint(attempt.at)}, ${bigint(attempt.milliseconds)}, ${text(attempt.outcome)}, ${bigint(attempt.status)}, ${text(attempt.answer)})`,
        ]
      : [],
  );
  if (rows.length === 0) return;
  await sql`
    WITH ended (webhook_id, event_id, place, at, milliseconds, outcome, status, answer) AS (VALUES ${sql.join(rows)})
    INSERT INTO webhook_attempts (webhook_id, event_id, place, at, milliseconds, outcome, status, answer)
    SELECT a.webhook_id, a.event_id, a.place, a.at, a.milliseconds, a.outcome, a.status, a.answer
    FROM ended a JOIN webhook_events e ON e.webhook_id = a.webhook_id AND e.id = a.event_id WHERE true
    ON CONFLICT (webhook_id, event_id, place) DO UPDATE SET at = excluded.at, milliseconds = excluded.milliseconds,
      outcome = excluded.outcome, status = excluded.status, answer = excluded.answer`.execute(database);
}

/** Whose lease ended meanwhile has nothing to say any more: another process attempts it. */
async function storeStates(deps: WebhookDeps, all: readonly Ended[]): Promise<void> {
  const rows = all.map((ended) => {
    const { event } = ended;
    const { state, attempts, dueAt } = stateAfter(deps, ended);
    const attemptsEver = event.attemptsEver + (ended.attempt ? 1 : 0);
    return sql`(${text(event.endpoint.id)}, ${text(event.id)}, ${bigint(event.leasedUntil)}, ${text(state)}, ${bigint(attempts)}, ${bigint(attemptsEver)}, ${bigint(dueAt)})`;
  });
  await sql`
    WITH ended (webhook_id, id, leased_until, state, attempts, attempts_ever, due_at) AS (VALUES ${sql.join(rows)})
    UPDATE webhook_events SET state = ended.state, attempts = ended.attempts,
      attempts_ever = ended.attempts_ever, due_at = ended.due_at
    FROM ended WHERE webhook_events.webhook_id = ended.webhook_id AND webhook_events.id = ended.id
      AND webhook_events.due_at = ended.leased_until AND webhook_events.state = 'pending'`.execute(
    deps.database,
  );
}

function stateAfter(
  deps: WebhookDeps,
  { event, attempt }: Ended,
): { readonly state: string; readonly attempts: number; readonly dueAt: number } {
  const now = deps.now();
  // Who is gone is asked no more; what it was to be told waits until somebody enables it again.
  if (!attempt || attempt.outcome === "gone")
    return { state: "pending", attempts: event.attempts, dueAt: now };
  const attempts = event.attempts + 1;
  if (attempt.outcome === "delivered") return { state: "delivered", attempts, dueAt: now };
  const delay = event.type === "test" ? undefined : retryDelayMilliseconds(attempts, chance(deps));
  return delay === undefined
    ? { state: "failed", attempts, dueAt: now }
    : { state: "pending", attempts, dueAt: now + Math.max(delay, attempt.retryAfterMilliseconds) };
}

function chance({ random }: WebhookDeps): number {
  const [high = 0, low = 0] = random(RANDOM_BYTES);
  return (high * 256 + low) / 65_535;
}

async function storeHealth(deps: WebhookDeps, id: string, all: readonly Ended[]): Promise<void> {
  const outcomes = all.flatMap(({ attempt }) => (attempt ? [attempt.outcome] : []));
  const lastDelivered = outcomes.lastIndexOf("delivered");
  const failures = outcomes.length - 1 - lastDelivered;
  const wasFailing = all.some(({ event }) => event.endpoint.isFailing);
  if (lastDelivered >= 0 && (wasFailing || failures > 0))
    await tables(deps)
      .updateTable("webhooks")
      .set({ failures: 0, failing_since: null, held_until: 0 })
      .where("id", "=", id)
      .execute();
  const wish = Math.max(0, ...all.map(({ attempt }) => attempt?.retryAfterMilliseconds ?? 0));
  if (failures > 0) await storeFailures(deps, id, failures, wish);
  if (outcomes.includes("gone")) await disable(deps, id, "gone");
}

async function storeFailures(deps: WebhookDeps, id: string, more: number, wish: number): Promise<void> {
  const now = deps.now();
  const row = await tables(deps)
    .updateTable("webhooks")
    .set((update) => ({
      failures: update("failures", "+", more),
      failing_since: update.fn.coalesce("failing_since", sql<bigint>`CAST(${now} AS bigint)`),
    }))
    .where("id", "=", id)
    .returning(["failures", "failing_since"])
    .executeTakeFirst();
  if (!row) return;
  const failures = Number(row.failures);
  const pause = Math.max(pauseMilliseconds(failures), wish);
  if (pause > 0)
    await tables(deps)
      .updateTable("webhooks")
      .set({ held_until: now + pause })
      .where("id", "=", id)
      .where("held_until", "<", now + pause)
      .execute();
  if (isGivenUp(failures, now - Number(row.failing_since))) await disable(deps, id, "failing");
}

async function disable(deps: WebhookDeps, id: string, reason: "gone" | "failing"): Promise<void> {
  const { numUpdatedRows } = await tables(deps)
    .updateTable("webhooks")
    .set({ disabled_at: deps.now(), disabled_reason: reason })
    .where("id", "=", id)
    .where("disabled_at", "is", null)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) deps.logger.warn({ reason }, "a webhook was disabled");
}
