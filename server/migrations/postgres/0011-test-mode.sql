-- Of which mode the provider is whose database this is (server/mode.ts). What held anything before there were modes is live.
CREATE TABLE provider_mode (
  id integer PRIMARY KEY CHECK (id = 1),
  mode text COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test'))
);
INSERT INTO provider_mode (id, mode) SELECT 1, 'live'
  WHERE EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM merchants) OR EXISTS (SELECT 1 FROM owners);

-- Handovers of the live provider that were used (server/test-mode): each once, kept as long as it would be valid.
CREATE TABLE used_handovers (
  id text COLLATE "C" PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX used_handovers_expiry ON used_handovers (expires_at);
