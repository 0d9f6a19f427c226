-- Of which mode the provider is whose database this is (server/mode.ts). What held anything before there were modes is live.
CREATE TABLE provider_mode (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  mode TEXT NOT NULL CHECK (mode IN ('live', 'test'))
) STRICT;
INSERT INTO provider_mode (id, mode) SELECT 1, 'live'
  WHERE EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM merchants) OR EXISTS (SELECT 1 FROM owners);

-- Handovers of the live provider that were used (server/test-mode): each once, kept as long as it would be valid.
CREATE TABLE used_handovers (
  id TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_handovers_expiry ON used_handovers (expires_at);
