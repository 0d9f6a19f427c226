-- The ledger as it was before its tables were numbered: where they are there already, this changes nothing.
CREATE TABLE IF NOT EXISTS ledger_clock (only INTEGER PRIMARY KEY CHECK (only = 1), timestamp INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO ledger_clock (only, timestamp) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS ledger_accounts (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  debits INTEGER NOT NULL,
  credits INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ledger_groups (id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, timestamp INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_transfers (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  group_id TEXT NOT NULL,
  debit INTEGER NOT NULL,
  credit INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  code TEXT NOT NULL,
  reference TEXT NOT NULL,
  timestamp INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ledger_transfers_debit ON ledger_transfers (debit, sequence);
CREATE INDEX IF NOT EXISTS ledger_transfers_credit ON ledger_transfers (credit, sequence);
CREATE TABLE IF NOT EXISTS ledger_records (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  group_id TEXT NOT NULL,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_records_group ON ledger_records (group_id, position);
CREATE TRIGGER IF NOT EXISTS ledger_transfers_are_final BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_transfers_stay BEFORE DELETE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
