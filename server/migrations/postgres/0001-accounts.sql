-- Times are milliseconds since 1970, amounts micros.
CREATE TABLE accounts (
  id text PRIMARY KEY,
  created_at bigint NOT NULL
);

-- What was asked for. Whether it was paid or charged back stands in the ledger, in records that are committed with
-- the money; `ended` is only how a top-up ended without any.
CREATE TABLE topups (
  id text PRIMARY KEY,
  account_id text NOT NULL REFERENCES accounts (id),
  gateway text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  created_at bigint NOT NULL,
  ended text CHECK (ended IN ('declined', 'abandoned'))
);
CREATE INDEX topups_account ON topups (account_id, created_at);

-- A quote debits nothing. Its id is a hash of account and pubkey.
CREATE TABLE mint_quotes (
  id text PRIMARY KEY,
  account_id text NOT NULL REFERENCES accounts (id),
  pubkey text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  expires_at bigint NOT NULL
);
CREATE INDEX mint_quotes_account ON mint_quotes (account_id, expires_at);
