-- What a commit costs is the number of pages that it touches. Ids are random, so each index over one costs a page for
-- every row; rows themselves go to the end of their table. So: an id of 16 bytes in one index and nowhere else, rows
-- that name each other by number, and no index by group over random ids.
CREATE TABLE ledger_groups_new (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  fingerprint TEXT NOT NULL,
  timestamp INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_groups_new (id, fingerprint, timestamp)
  SELECT unhex(id), fingerprint, timestamp FROM ledger_groups ORDER BY timestamp, id;

CREATE TABLE ledger_transfers_new (
  sequence INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  group_number INTEGER NOT NULL,
  debit INTEGER NOT NULL,
  credit INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  code TEXT NOT NULL,
  reference TEXT NOT NULL,
  timestamp INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_transfers_new
  SELECT t.sequence, unhex(t.id), g.number, t.debit, t.credit, t.amount, t.code, t.reference, t.timestamp
  FROM ledger_transfers t JOIN ledger_groups_new g ON g.id = unhex(t.group_id) ORDER BY t.sequence;

CREATE TABLE ledger_records_new (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  group_number INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_records_new (key, value, group_number)
  SELECT r.key, r.value, g.number
  FROM ledger_records r JOIN ledger_groups_new g ON g.id = unhex(r.group_id) ORDER BY g.number, r.position;

DROP TRIGGER ledger_transfers_stay;
DROP TRIGGER ledger_transfers_are_final;
DROP TABLE ledger_records;
DROP TABLE ledger_transfers;
DROP TABLE ledger_groups;
ALTER TABLE ledger_groups_new RENAME TO ledger_groups;
ALTER TABLE ledger_transfers_new RENAME TO ledger_transfers;
ALTER TABLE ledger_records_new RENAME TO ledger_records;
CREATE INDEX ledger_transfers_debit ON ledger_transfers (debit, sequence);
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit, sequence);
CREATE INDEX ledger_records_group ON ledger_records (group_number);
CREATE TRIGGER ledger_transfers_are_final BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER ledger_transfers_stay BEFORE DELETE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
