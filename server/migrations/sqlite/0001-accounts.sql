-- Times are milliseconds since 1970, amounts micros.
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was asked for. Whether it was paid or charged back stands in the ledger, in records that are committed with
-- the money; `ended` is only how a top-up ended without any.
CREATE TABLE topups (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  gateway TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  created_at INTEGER NOT NULL,
  ended TEXT CHECK (ended IN ('declined', 'abandoned'))
) STRICT, WITHOUT ROWID;
CREATE INDEX topups_account ON topups (account_id, created_at);

-- A quote debits nothing. Its id is a hash of account and pubkey.
CREATE TABLE mint_quotes (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  pubkey TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mint_quotes_account ON mint_quotes (account_id, expires_at);
