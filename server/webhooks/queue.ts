/**
 * What is to be told, in the database, so that it outlives whoever tells it. The life of an event at one endpoint:
 *
 *   found in the ledger → pending → (an attempt) → delivered
 *                            ↑            ↓
 *                            └ later ─ failed attempt → failed, after the last of the schedule
 *                            └──────────── replay ──────┘
 *
 * - **Found.** `read` puts down what the ledger holds after the endpoint's place, and only then moves the place. Who dies in
 *   between finds the same again, under the same ids.
 * - **Claimed.** Whoever attempts an event moves its `due_at` ahead by the lease, in one statement that only one process wins. Who
 *   dies with it leaves it due when the lease ends. An outcome counts only while the lease is still its own.
 * - **In order.** An event is due only if nothing of the same subject before it is pending: a refund waits until its payment was
 *   delivered, or given up.
 */
import { sql } from "kysely";
import * as v from "valibot";
import { WEBHOOK_EVENT_TYPES, type WebhookEventType } from "../../shared/protocol/webhooks.ts";
import type { WebhookDeps } from "./deps.ts";
import { type Fact, findFacts, type Place } from "./facts.ts";
import type { SecretVersion } from "./sign.ts";
import { type EventRow, tables } from "./tables.ts";

/** Longer than an attempt may take, and the database to hear of it. */
const LEASE_MILLISECONDS = 30_000;
/** Of one endpoint. What is more waits in the ledger. */
export const MAX_PENDING_EVENTS = 1_000;
/** Endpoints that are read on for at once. */
const READ_AT_ONCE = 100;
/** Values in one statement stay far below what either database takes. */
const ROWS_AT_ONCE = 500;

export interface QueuedEvent {
  readonly id: string;
  readonly type: WebhookEventType | "test";
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly happenedAt: number;
  readonly attempts: number;
  readonly attemptsEver: number;
}

/** What was claimed: until `leasedUntil` nobody else attempts it. */
export interface ClaimedEvent extends QueuedEvent {
  readonly endpoint: Endpoint;
  readonly leasedUntil: number;
}

interface Endpoint extends SecretVersion {
  readonly merchantId: string;
  readonly url: string;
  readonly isFailing: boolean;
}

/** Reads on for some endpoints after `afterId`, in turn; answers the id to go on after, and whether anything was found. */
export async function read(
  deps: WebhookDeps,
  afterId: string,
): Promise<{ readonly lastId: string; readonly hasFound: boolean }> {
  const rows = await tables(deps)
    .selectFrom("webhooks")
    .select(["id", "merchant_id", "events", "created_at", "read_sequence", "read_settlement"])
    .select(
      sql<bigint>`(SELECT count(*) FROM webhook_events e WHERE e.webhook_id = webhooks.id AND e.state = 'pending')`.as(
        "pending",
      ),
    )
    .where("disabled_at", "is", null)
    .where("id", ">", afterId)
    .orderBy("id")
    .limit(READ_AT_ONCE)
    .execute();
  const found = await Promise.all(
    rows
      .filter(({ pending }) => Number(pending) < MAX_PENDING_EVENTS)
      .map((row) =>
        readFor(deps, {
          id: row.id,
          merchantId: row.merchant_id,
          types: v.parse(v.array(v.string()), JSON.parse(row.events)),
          createdAt: Number(row.created_at),
          place: { sequence: Number(row.read_sequence), settlement: Number(row.read_settlement) },
          room: MAX_PENDING_EVENTS - Number(row.pending),
        }),
      ),
  );
  return {
    lastId: rows.length < READ_AT_ONCE ? "" : (rows.at(-1)?.id ?? ""),
    hasFound: found.includes(true),
  };
}

interface Reader {
  readonly id: string;
  readonly merchantId: string;
  readonly types: readonly string[];
  readonly createdAt: number;
  readonly place: Place;
  readonly room: number;
}

async function readFor(
  deps: WebhookDeps,
  { id, merchantId, types, createdAt, place, room }: Reader,
): Promise<boolean> {
  const found = (await findFacts(deps.ledger, merchantId, place)).slice(0, room);
  const last = found.at(-1);
  if (!last) return false;
  const wanted = found
    .map(({ fact }) => fact)
    .filter(({ type, happenedAt }) => types.includes(type) && happenedAt >= createdAt);
  for (let start = 0; start < wanted.length; start += ROWS_AT_ONCE)
    await insert(deps, id, wanted.slice(start, start + ROWS_AT_ONCE));
  await tables(deps)
    .updateTable("webhooks")
    .set({ read_sequence: last.next.sequence, read_settlement: last.next.settlement })
    .where("id", "=", id)
    .where("read_sequence", "=", place.sequence)
    .where("read_settlement", "=", place.settlement)
    .execute();
  return true;
}

/** What is there already stays as it is. */
export async function insert(
  deps: WebhookDeps,
  webhookId: string,
  facts: readonly (Omit<Fact, "type"> & { readonly type: Fact["type"] | "test" })[],
): Promise<void> {
  const now = deps.now();
  await tables(deps)
    .insertInto("webhook_events")
    .values(
      facts.map(({ id, type, subject, position, happenedAt }) => ({
        webhook_id: webhookId,
        id,
        type,
        subject,
        position,
        happened_at: happenedAt,
        state: "pending",
        attempts: 0,
        attempts_ever: 0,
        due_at: now,
      })),
    )
    .onConflict((conflict) => conflict.columns(["webhook_id", "id"]).doNothing())
    .execute();
}

/**
 * @param slotsOf how many more of an endpoint may be under way
 * @param most in all
 */
export async function claim(
  deps: WebhookDeps,
  {
    most,
    mostOfEndpoint,
    slotsOf,
  }: {
    readonly most: number;
    readonly mostOfEndpoint: number;
    readonly slotsOf: (endpoint: { readonly id: string; readonly isFailing: boolean }) => number;
  },
): Promise<ClaimedEvent[]> {
  const now = deps.now();
  const due = await findDue(deps, { now, most, mostOfEndpoint });
  const taken = new Map<string, number>();
  const chosen = due.filter(({ webhook_id, failures }) => {
    const before = taken.get(webhook_id) ?? 0;
    if (before >= slotsOf({ id: webhook_id, isFailing: Number(failures) > 0 })) return false;
    taken.set(webhook_id, before + 1);
    return true;
  });
  if (chosen.length === 0) return [];
  const leasedUntil = now + LEASE_MILLISECONDS;
  const pairs = sql.join(chosen.map(({ webhook_id, id }) => sql`(${webhook_id}, ${id})`));
  // Whoever comes second sees the first one's lease, and takes nothing.
  const { rows } = await sql<EventRow>`
    UPDATE webhook_events SET due_at = ${leasedUntil}
    WHERE (webhook_id, id) IN (VALUES ${pairs}) AND state = 'pending' AND due_at <= ${now}
    RETURNING *`.execute(deps.database);
  return addEndpoints(deps, rows, leasedUntil);
}

interface Due {
  readonly webhook_id: string;
  readonly id: string;
  readonly failures: bigint | number;
}

/** The first of every endpoint come before the second of any. */
async function findDue(
  { database }: WebhookDeps,
  {
    now,
    most,
    mostOfEndpoint,
  }: { readonly now: number; readonly most: number; readonly mostOfEndpoint: number },
): Promise<Due[]> {
  const { rows } = await sql<Due>`
    SELECT webhook_id, id, failures FROM (
      SELECT e.webhook_id, e.id, e.due_at, w.failures,
        row_number() OVER (PARTITION BY e.webhook_id ORDER BY e.due_at, e.position, e.id) AS place
      FROM webhook_events e JOIN webhooks w ON w.id = e.webhook_id
      WHERE e.state = 'pending' AND e.due_at <= ${now} AND w.disabled_at IS NULL AND w.held_until <= ${now}
        AND NOT EXISTS (
          SELECT 1 FROM webhook_events b WHERE b.webhook_id = e.webhook_id AND b.subject = e.subject
            AND b.position < e.position AND b.state = 'pending')
    ) due
    WHERE place <= ${mostOfEndpoint} ORDER BY place, due_at LIMIT ${most}`.execute(database);
  return rows;
}

async function addEndpoints(
  deps: WebhookDeps,
  rows: readonly EventRow[],
  leasedUntil: number,
): Promise<ClaimedEvent[]> {
  if (rows.length === 0) return [];
  const found = await tables(deps)
    .selectFrom("webhooks")
    .select(["id", "merchant_id", "url", "secret_version", "secret_since", "failures"])
    .where("id", "in", [...new Set(rows.map(({ webhook_id }) => webhook_id))])
    .execute();
  const endpoints = new Map(
    found.map((row): [string, Endpoint] => [
      row.id,
      {
        id: row.id,
        merchantId: row.merchant_id,
        url: row.url,
        secretVersion: Number(row.secret_version),
        secretSince: Number(row.secret_since),
        isFailing: Number(row.failures) > 0,
      },
    ]),
  );
  return rows.flatMap((row) => {
    const endpoint = endpoints.get(row.webhook_id);
    return endpoint ? [{ ...queuedEvent(row), endpoint, leasedUntil }] : [];
  });
}

export function queuedEvent(row: Omit<EventRow, "webhook_id">): QueuedEvent {
  return {
    id: row.id,
    type: v.parse(EventType, row.type),
    subject: row.subject,
    happenedAt: Number(row.happened_at),
    attempts: Number(row.attempts),
    attemptsEver: Number(row.attempts_ever),
  };
}

const EventType = v.picklist([...WEBHOOK_EVENT_TYPES, "test"]);
