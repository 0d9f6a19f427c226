-- Who may act for a merchant: people by passkey, programs by key. Of sessions, recovery codes and API keys only hashes are kept.
-- Times are milliseconds since 1970.
CREATE TABLE owners (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE passkeys (
  id TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  public_key TEXT NOT NULL,
  -- Of signatures, as the authenticator counts them. Most count nothing and stay at 0.
  counter INTEGER NOT NULL,
  transports TEXT NOT NULL CHECK (json_valid(transports)),
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_owner ON passkeys (owner_id);

-- What a passkey has to sign: once, and soon.
CREATE TABLE challenges (
  challenge TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenges_expiry ON challenges (expires_at);

CREATE TABLE recovery_codes (
  hash TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES owners (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_codes_owner ON recovery_codes (owner_id);

CREATE TABLE sessions (
  hash TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_owner ON sessions (owner_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Null: registered by the operator. One statement makes the merchant and says whose it is.
ALTER TABLE merchants ADD COLUMN owner_id TEXT REFERENCES owners (id);
CREATE INDEX merchants_owner ON merchants (owner_id);

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  merchant_id TEXT NOT NULL REFERENCES merchants (id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_merchant ON api_keys (merchant_id);

-- Sites that a merchant says are its own. Those that are proven stand in the merchant's record besides.
CREATE TABLE sites (
  merchant_id TEXT NOT NULL REFERENCES merchants (id),
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- How it was proven, and when last; null before the first time.
  method TEXT,
  proven_at INTEGER,
  -- Since when the proof is missing, without a break; null while it is there.
  missing_since INTEGER,
  next_check_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX sites_origin ON sites (origin);
CREATE INDEX sites_check ON sites (next_check_at);
