-- Where merchants want to be told, and what is to be told there. An event is only named here: what it says is read from the
-- ledger each time it is sent. Secrets are derived, not kept. Times are milliseconds since 1970.
CREATE TABLE webhooks (
  id text COLLATE "C" PRIMARY KEY,
  merchant_id text COLLATE "C" NOT NULL REFERENCES merchants (id),
  url text NOT NULL,
  events text NOT NULL CHECK (events::jsonb IS NOT NULL),
  created_at bigint NOT NULL,
  secret_version bigint NOT NULL,
  -- When it replaced the one before.
  secret_since bigint NOT NULL,
  disabled_at bigint,
  disabled_reason text CHECK (disabled_reason IN ('merchant', 'gone', 'failing')),
  -- Up to where the merchant's transfers and settlements were looked through for it.
  read_sequence bigint NOT NULL,
  read_settlement bigint NOT NULL,
  -- Attempts that failed since the last that went through, and since when.
  failures bigint NOT NULL,
  failing_since bigint,
  held_until bigint NOT NULL
);
CREATE INDEX webhooks_merchant ON webhooks (merchant_id);

CREATE TABLE webhook_events (
  webhook_id text COLLATE "C" NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  id text COLLATE "C" NOT NULL,
  type text NOT NULL,
  -- The payment or the settlement: events of one are told in order of their positions.
  subject text NOT NULL,
  position bigint NOT NULL,
  happened_at bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  -- Since it was last begun anew, and all of them.
  attempts bigint NOT NULL,
  attempts_ever bigint NOT NULL,
  -- When it is tried next. Whoever tries it moves this to when another may.
  due_at bigint NOT NULL,
  PRIMARY KEY (webhook_id, id)
);
CREATE INDEX webhook_events_due ON webhook_events (due_at) WHERE state = 'pending';
CREATE INDEX webhook_events_subject ON webhook_events (webhook_id, subject, position) WHERE state = 'pending';
CREATE INDEX webhook_events_time ON webhook_events (webhook_id, happened_at, id);

CREATE TABLE webhook_attempts (
  webhook_id text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  -- A later attempt takes the place of one long before.
  place bigint NOT NULL,
  at bigint NOT NULL,
  milliseconds bigint NOT NULL,
  outcome text NOT NULL,
  status bigint,
  answer text NOT NULL,
  PRIMARY KEY (webhook_id, event_id, place),
  FOREIGN KEY (webhook_id, event_id) REFERENCES webhook_events (webhook_id, id) ON DELETE CASCADE
);
