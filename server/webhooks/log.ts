/** What an endpoint was told, attempt by attempt; telling it again; and forgetting what is old. */
import * as v from "valibot";
import { toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import {
  type WebhookAttempt,
  type WebhookEventEntry,
  WebhookEventState,
  WebhookOutcome,
} from "../../shared/protocol/webhooks.ts";
import type { WebhookDeps } from "./deps.ts";
import { findWebhook } from "./endpoints.ts";
import { insert, MAX_PENDING_EVENTS, queuedEvent } from "./queue.ts";
import { type EventRow, tables } from "./tables.ts";

const PAGE_EVENTS = 50;
const MAX_TESTS_PER_MINUTE = 10;
const MINUTE_MILLISECONDS = 60_000;
const TEST_ID_BYTES = 16;
/** Of one endpoint, and how long. */
const MAX_EVENTS_KEPT = 10_000;
const KEPT_MILLISECONDS = 30 * 24 * 3_600_000;

/** The newest first. */
export async function listEvents(
  deps: WebhookDeps,
  webhookId: string,
  { state, before }: { readonly state?: WebhookEventState | undefined; readonly before?: string | undefined },
): Promise<{ events: WebhookEventEntry[]; before: string | null }> {
  let query = tables(deps).selectFrom("webhook_events").selectAll().where("webhook_id", "=", webhookId);
  if (state !== undefined) query = query.where("state", "=", state);
  if (before !== undefined) {
    const { happenedAt, id } = decodeCursor(before);
    query = query.where((where) =>
      where.or([
        where("happened_at", "<", happenedAt),
        where.and([where("happened_at", "=", happenedAt), where("id", "<", id)]),
      ]),
    );
  }
  const rows = await query
    .orderBy("happened_at", "desc")
    .orderBy("id", "desc")
    .limit(PAGE_EVENTS + 1)
    .execute();
  const events = rows.slice(0, PAGE_EVENTS).map(entryOf);
  const last = events.at(-1);
  return { events, before: rows.length > PAGE_EVENTS && last ? `${last.happenedAt}-${last.id}` : null };
}

/** @throws TuppenceError request_invalid */
function decodeCursor(cursor: string): { readonly happenedAt: number; readonly id: string } {
  const [, happenedAt, id] = /^([0-9]{1,15})-(evt_[0-9a-f]{32})$/.exec(cursor) ?? [];
  if (happenedAt === undefined || id === undefined)
    throw new TuppenceError("request_invalid", { at: "before", expected: "what a list ended with" });
  return { happenedAt: Number(happenedAt), id };
}

/** With its attempts, the newest first. @throws TuppenceError webhook_event_unknown */
export async function findEvent(
  deps: WebhookDeps,
  webhookId: string,
  eventId: string,
): Promise<{ event: WebhookEventEntry; attempts: WebhookAttempt[] }> {
  const row = await tables(deps)
    .selectFrom("webhook_events")
    .selectAll()
    .where("webhook_id", "=", webhookId)
    .where("id", "=", eventId)
    .executeTakeFirst();
  if (!row) throw new TuppenceError("webhook_event_unknown");
  const attempts = await tables(deps)
    .selectFrom("webhook_attempts")
    .selectAll()
    .where("webhook_id", "=", webhookId)
    .where("event_id", "=", eventId)
    .orderBy("at", "desc")
    .orderBy("place", "desc")
    .execute();
  return {
    event: entryOf(row),
    attempts: attempts.map(({ at, milliseconds, outcome, status, answer }) => ({
      at: Number(at),
      milliseconds: Number(milliseconds),
      outcome: v.parse(WebhookOutcome, outcome),
      status: status === null ? null : Number(status),
      answer,
    })),
  };
}

function entryOf(row: EventRow): WebhookEventEntry {
  const { id, type, subject, happenedAt, attemptsEver } = queuedEvent(row);
  const state = v.parse(WebhookEventState, row.state);
  const nextAttemptAt = state === "pending" ? Number(row.due_at) : null;
  return { id, type, subject, happenedAt, state, attempts: attemptsEver, nextAttemptAt };
}

/** Under the same id. @throws TuppenceError webhook_event_unknown, webhook_disabled */
export async function replayEvent(
  deps: WebhookDeps,
  merchantId: string,
  webhookId: string,
  eventId: string,
): Promise<WebhookEventEntry> {
  await refuseDisabled(deps, merchantId, webhookId);
  await tables(deps)
    .updateTable("webhook_events")
    .set({ state: "pending", attempts: 0, due_at: deps.now() })
    .where("webhook_id", "=", webhookId)
    .where("id", "=", eventId)
    .execute();
  await letThrough(deps, webhookId);
  return (await findEvent(deps, webhookId, eventId)).event;
}

/** Whoever replays or tests does not want to wait for what an endpoint that was in trouble once asked for. */
async function letThrough(deps: WebhookDeps, webhookId: string): Promise<void> {
  await tables(deps).updateTable("webhooks").set({ held_until: 0 }).where("id", "=", webhookId).execute();
}

/**
 * All that failed and happened since then, the oldest first.
 *
 * @throws TuppenceError webhook_unknown, webhook_disabled
 */
export async function replayFailed(
  deps: WebhookDeps,
  merchantId: string,
  webhookId: string,
  since: number,
): Promise<{ replayed: number; left: number }> {
  const { pendingEvents } = await refuseDisabled(deps, merchantId, webhookId);
  const failed = tables(deps)
    .selectFrom("webhook_events")
    .where("webhook_id", "=", webhookId)
    .where("state", "=", "failed")
    .where("happened_at", ">=", since);
  const { numUpdatedRows } = await tables(deps)
    .updateTable("webhook_events")
    .set({ state: "pending", attempts: 0, due_at: deps.now() })
    .where("webhook_id", "=", webhookId)
    .where("state", "=", "failed")
    .where(
      "id",
      "in",
      failed
        .select("id")
        .orderBy("happened_at")
        .orderBy("position")
        .limit(Math.max(0, MAX_PENDING_EVENTS - pendingEvents)),
    )
    .executeTakeFirst();
  await letThrough(deps, webhookId);
  const left = await failed.select((select) => select.fn.countAll().as("count")).executeTakeFirst();
  return { replayed: Number(numUpdatedRows), left: Number(left?.count ?? 0) };
}

/** @throws TuppenceError webhook_unknown, webhook_disabled, rate_limited */
export async function sendTest(
  deps: WebhookDeps,
  merchantId: string,
  webhookId: string,
): Promise<WebhookEventEntry> {
  await refuseDisabled(deps, merchantId, webhookId);
  const now = deps.now();
  const lately = await tables(deps)
    .selectFrom("webhook_events")
    .select((select) => select.fn.countAll().as("count"))
    .where("webhook_id", "=", webhookId)
    .where("type", "=", "test")
    .where("happened_at", ">", now - MINUTE_MILLISECONDS)
    .executeTakeFirst();
  if (Number(lately?.count ?? 0) >= MAX_TESTS_PER_MINUTE) throw new TuppenceError("rate_limited");
  const id = `evt_${toHex(deps.random(TEST_ID_BYTES))}`;
  await letThrough(deps, webhookId);
  await insert(deps, webhookId, [{ id, type: "test", subject: id, position: 0, happenedAt: now }]);
  return (await findEvent(deps, webhookId, id)).event;
}

async function refuseDisabled(deps: WebhookDeps, merchantId: string, webhookId: string) {
  const webhook = await findWebhook(deps, merchantId, webhookId);
  if (webhook.disabled) throw new TuppenceError("webhook_disabled");
  return webhook;
}

/** Removes what is old, and what of an endpoint is beyond its number. What is pending stays. */
export async function prune(deps: WebhookDeps): Promise<void> {
  const webhooks = await tables(deps).selectFrom("webhooks").select("id").execute();
  for (const { id } of webhooks) {
    const beyond = await tables(deps)
      .selectFrom("webhook_events")
      .select("happened_at")
      .where("webhook_id", "=", id)
      .orderBy("happened_at", "desc")
      .orderBy("id", "desc")
      .limit(1)
      .offset(MAX_EVENTS_KEPT)
      .executeTakeFirst();
    const oldest = Math.max(deps.now() - KEPT_MILLISECONDS, Number(beyond?.happened_at ?? 0));
    await tables(deps)
      .deleteFrom("webhook_events")
      .where("webhook_id", "=", id)
      .where("state", "!=", "pending")
      .where("happened_at", "<=", oldest)
      .execute();
  }
}
