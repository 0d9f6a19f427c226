-- What wallets keep of themselves here, part by part: sealed by the wallet, padded to one of a few sizes, under a name that
-- says nothing. `version` counts the writings of a part. No time is kept: it would say when a reader was about.
CREATE TABLE wallet_backup_parts (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  content BLOB NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT;
