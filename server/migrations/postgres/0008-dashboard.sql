-- Who may act for a merchant: people by passkey, programs by key. Of sessions, recovery codes and API keys only hashes are kept.
-- Times are milliseconds since 1970.
CREATE TABLE owners (
  id text COLLATE "C" PRIMARY KEY,
  created_at bigint NOT NULL
);

CREATE TABLE passkeys (
  id text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
  name text NOT NULL,
  public_key text NOT NULL,
  -- Of signatures, as the authenticator counts them. Most count nothing and stay at 0.
  counter bigint NOT NULL,
  transports text NOT NULL CHECK (transports::jsonb IS NOT NULL),
  created_at bigint NOT NULL,
  last_used_at bigint NOT NULL
);
CREATE INDEX passkeys_owner ON passkeys (owner_id);

-- What a passkey has to sign: once, and soon.
CREATE TABLE challenges (
  challenge text COLLATE "C" PRIMARY KEY,
  purpose text NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX challenges_expiry ON challenges (expires_at);

CREATE TABLE recovery_codes (
  hash text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL REFERENCES owners (id) ON DELETE CASCADE
);
CREATE INDEX recovery_codes_owner ON recovery_codes (owner_id);

CREATE TABLE sessions (
  hash text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX sessions_owner ON sessions (owner_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Null: registered by the operator. One statement makes the merchant and says whose it is.
ALTER TABLE merchants ADD COLUMN owner_id text COLLATE "C" REFERENCES owners (id);
CREATE INDEX merchants_owner ON merchants (owner_id);

CREATE TABLE api_keys (
  id text COLLATE "C" PRIMARY KEY,
  merchant_id text COLLATE "C" NOT NULL REFERENCES merchants (id),
  name text NOT NULL,
  scopes text NOT NULL CHECK (scopes::jsonb IS NOT NULL),
  hash text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  last_used_at bigint
);
CREATE INDEX api_keys_merchant ON api_keys (merchant_id);

-- Sites that a merchant says are its own. Those that are proven stand in the merchant's record besides.
CREATE TABLE sites (
  merchant_id text COLLATE "C" NOT NULL REFERENCES merchants (id),
  origin text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  -- How it was proven, and when last; null before the first time.
  method text,
  proven_at bigint,
  -- Since when the proof is missing, without a break; null while it is there.
  missing_since bigint,
  next_check_at bigint NOT NULL,
  PRIMARY KEY (merchant_id, origin)
);
CREATE INDEX sites_origin ON sites (origin);
CREATE INDEX sites_check ON sites (next_check_at);
