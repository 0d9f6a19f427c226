-- Where merchants want to be told, and what is to be told there. An event is only named here: what it says is read from the
-- ledger each time it is sent. Secrets are derived, not kept. Times are milliseconds since 1970.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  merchant_id TEXT NOT NULL REFERENCES merchants (id),
  url TEXT NOT NULL,
  events TEXT NOT NULL CHECK (json_valid(events)),
  created_at INTEGER NOT NULL,
  secret_version INTEGER NOT NULL,
  -- When it replaced the one before.
  secret_since INTEGER NOT NULL,
  disabled_at INTEGER,
  disabled_reason TEXT CHECK (disabled_reason IN ('merchant', 'gone', 'failing')),
  -- Up to where the merchant's transfers and settlements were looked through for it.
  read_sequence INTEGER NOT NULL,
  read_settlement INTEGER NOT NULL,
  -- Attempts that failed since the last that went through, and since when.
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_merchant ON webhooks (merchant_id);

CREATE TABLE webhook_events (
  webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  -- The payment or the settlement: events of one are told in order of their positions.
  subject TEXT NOT NULL,
  position INTEGER NOT NULL,
  happened_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  -- Since it was last begun anew, and all of them.
  attempts INTEGER NOT NULL,
  attempts_ever INTEGER NOT NULL,
  -- When it is tried next. Whoever tries it moves this to when another may.
  due_at INTEGER NOT NULL,
  PRIMARY KEY (webhook_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_events_due ON webhook_events (due_at) WHERE state = 'pending';
CREATE INDEX webhook_events_subject ON webhook_events (webhook_id, subject, position) WHERE state = 'pending';
CREATE INDEX webhook_events_time ON webhook_events (webhook_id, happened_at, id);

CREATE TABLE webhook_attempts (
  webhook_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  -- A later attempt takes the place of one long before.
  place INTEGER NOT NULL,
  at INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  answer TEXT NOT NULL,
  PRIMARY KEY (webhook_id, event_id, place),
  FOREIGN KEY (webhook_id, event_id) REFERENCES webhook_events (webhook_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
