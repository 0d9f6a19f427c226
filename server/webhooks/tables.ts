/** The rows of the domain's tables, as they come out of the database. */
import type { WebhookDeps } from "./deps.ts";

type Integer = bigint | number;

export interface WebhookRow {
  readonly id: string;
  readonly merchant_id: string;
  readonly url: string;
  readonly events: string;
  readonly created_at: Integer;
  readonly secret_version: Integer;
  readonly secret_since: Integer;
  readonly disabled_at: Integer | null;
  readonly disabled_reason: string | null;
  readonly read_sequence: Integer;
  readonly read_settlement: Integer;
  readonly failures: Integer;
  readonly failing_since: Integer | null;
  readonly held_until: Integer;
}

export interface EventRow {
  readonly webhook_id: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly position: Integer;
  readonly happened_at: Integer;
  readonly state: string;
  readonly attempts: Integer;
  readonly attempts_ever: Integer;
  readonly due_at: Integer;
}

export interface AttemptRow {
  readonly webhook_id: string;
  readonly event_id: string;
  readonly place: Integer;
  readonly at: Integer;
  readonly milliseconds: Integer;
  readonly outcome: string;
  readonly status: Integer | null;
  readonly answer: string;
}

type Tables = { webhooks: WebhookRow; webhook_events: EventRow; webhook_attempts: AttemptRow };

export function tables({ database }: Pick<WebhookDeps, "database">) {
  return database.$extendTables<Tables>();
}
