/** A merchant's endpoints: made, changed, removed. What they are told: `queue.ts`. */
import { type SqlBool, sql } from "kysely";
import * as v from "valibot";
import { toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import {
  DISABLED_REASONS,
  WEBHOOK_EVENT_TYPES,
  type Webhook,
  type WebhookRequest,
  type WebhookUpdate,
} from "../../shared/protocol/webhooks.ts";
import { latestClosing } from "../payments/index.ts";
import { readSettlement } from "../settlement/index.ts";
import { judgeAddress } from "./address.ts";
import type { WebhookDeps } from "./deps.ts";
import type { Place } from "./facts.ts";
import { secretOf } from "./sign.ts";
import { tables, type WebhookRow } from "./tables.ts";

const MAX_WEBHOOKS_PER_MERCHANT = 10;
const ID_BYTES = 8;

/**
 * It is told of what happens from now on.
 *
 * @throws TuppenceError webhook_address_refused, too_many
 */
export async function createWebhook(
  deps: WebhookDeps,
  merchantId: string,
  request: WebhookRequest,
): Promise<{ webhook: Webhook; secret: string }> {
  const url = await judgeAddress(deps, request.url);
  if ((await listWebhooks(deps, merchantId)).length >= MAX_WEBHOOKS_PER_MERCHANT)
    throw new TuppenceError("too_many", { most: MAX_WEBHOOKS_PER_MERCHANT });
  const id = toHex(deps.random(ID_BYTES));
  const now = deps.now();
  const place = await placeNow(deps, merchantId);
  await tables(deps)
    .insertInto("webhooks")
    .values({
      id,
      merchant_id: merchantId,
      url,
      events: encodeEvents(request.events),
      created_at: now,
      secret_version: 1,
      secret_since: now,
      disabled_at: null,
      disabled_reason: null,
      read_sequence: place.sequence,
      read_settlement: place.settlement,
      failures: 0,
      failing_since: null,
      held_until: 0,
    })
    .execute();
  return {
    webhook: await findWebhook(deps, merchantId, id),
    secret: secretOf(deps, { id, secretVersion: 1 }),
  };
}

/** Not after anything that may yet happen; what happened before the endpoint was made is left out where it is met. */
async function placeNow({ ledger }: WebhookDeps, merchantId: string): Promise<Place> {
  const closing = await latestClosing(ledger, merchantId);
  if (!closing) return { sequence: 0, settlement: 0 };
  const isSettled = (await readSettlement(ledger, merchantId, closing.number)) !== undefined;
  return {
    sequence: closing.upToSequence,
    settlement: isSettled ? closing.number : closing.number - 1,
  };
}

/** The oldest first. */
export async function listWebhooks(deps: WebhookDeps, merchantId: string): Promise<Webhook[]> {
  const rows = await select(deps)
    .where("merchant_id", "=", merchantId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(webhookOf);
}

/** @throws TuppenceError webhook_unknown */
export async function findWebhook(deps: WebhookDeps, merchantId: string, id: string): Promise<Webhook> {
  const row = await select(deps)
    .where("merchant_id", "=", merchantId)
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row) throw new TuppenceError("webhook_unknown");
  return webhookOf(row);
}

/**
 * Enabled again, it is told of everything that happened meanwhile.
 *
 * @throws TuppenceError webhook_unknown, webhook_address_refused
 */
export async function updateWebhook(
  deps: WebhookDeps,
  merchantId: string,
  id: string,
  { url, events, enabled }: WebhookUpdate,
): Promise<Webhook> {
  const { disabled } = await findWebhook(deps, merchantId, id);
  const now = deps.now();
  const change: Partial<WebhookRow> = {
    ...(url === undefined ? {} : { url: await judgeAddress(deps, url) }),
    ...(events === undefined ? {} : { events: encodeEvents(events) }),
    ...(enabled === false && !disabled ? { disabled_at: now, disabled_reason: "merchant" } : {}),
    ...(enabled === true && disabled ? { disabled_at: null, disabled_reason: null, ...UNTROUBLED } : {}),
    // Another address has failed at nothing yet.
    ...(url === undefined ? {} : UNTROUBLED),
  };
  if (Object.keys(change).length > 0)
    await tables(deps)
      .updateTable("webhooks")
      .set(change)
      .where("merchant_id", "=", merchantId)
      .where("id", "=", id)
      .execute();
  if (enabled === true && disabled) await tryNow(deps, id, now);
  return findWebhook(deps, merchantId, id);
}

const UNTROUBLED = { failures: 0, failing_since: null, held_until: 0 } as const;

async function tryNow(deps: WebhookDeps, id: string, now: number): Promise<void> {
  await tables(deps)
    .updateTable("webhook_events")
    .set({ due_at: now, attempts: 0 })
    .where("webhook_id", "=", id)
    .where("state", "=", "pending")
    .execute();
}

/** The old one signs for another day. @throws TuppenceError webhook_unknown */
export async function rotateSecret(
  deps: WebhookDeps,
  merchantId: string,
  id: string,
): Promise<{ webhook: Webhook; secret: string }> {
  const row = await tables(deps)
    .updateTable("webhooks")
    .set((update) => ({ secret_version: update("secret_version", "+", 1), secret_since: deps.now() }))
    .where("merchant_id", "=", merchantId)
    .where("id", "=", id)
    .returning("secret_version")
    .executeTakeFirst();
  if (!row) throw new TuppenceError("webhook_unknown");
  const secretVersion = Number(row.secret_version);
  return { webhook: await findWebhook(deps, merchantId, id), secret: secretOf(deps, { id, secretVersion }) };
}

/** With its log. @throws TuppenceError webhook_unknown */
export async function removeWebhook(deps: WebhookDeps, merchantId: string, id: string): Promise<void> {
  const { numDeletedRows } = await tables(deps)
    .deleteFrom("webhooks")
    .where("merchant_id", "=", merchantId)
    .where("id", "=", id)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw new TuppenceError("webhook_unknown");
}

function select(deps: WebhookDeps) {
  return tables(deps)
    .selectFrom("webhooks")
    .selectAll()
    .select((column) =>
      column
        .selectFrom("webhook_events")
        .select((count) => count.fn.countAll().as("pending"))
        .whereRef("webhook_events.webhook_id", "=", "webhooks.id")
        .where(sql<SqlBool>`webhook_events.state = 'pending'`)
        .as("pending"),
    );
}

function webhookOf(row: WebhookRow & { readonly pending: string | number | bigint | null }): Webhook {
  return {
    id: row.id,
    url: row.url,
    events: v.parse(Events, JSON.parse(row.events)),
    createdAt: Number(row.created_at),
    secretSince: Number(row.secret_since),
    disabled:
      row.disabled_at === null
        ? null
        : { at: Number(row.disabled_at), reason: v.parse(v.picklist(DISABLED_REASONS), row.disabled_reason) },
    failingSince: row.failing_since === null ? null : Number(row.failing_since),
    pendingEvents: Number(row.pending),
  };
}

const Events = v.array(v.picklist(WEBHOOK_EVENT_TYPES));

function encodeEvents(events: WebhookRequest["events"]): string {
  return JSON.stringify([...new Set(events)]);
}
