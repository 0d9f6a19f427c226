-- What wallets keep of themselves here, part by part: sealed by the wallet, padded to one of a few sizes, under a name that
-- says nothing. `version` counts the writings of a part. No time is kept: it would say when a reader was about.
CREATE TABLE wallet_backup_parts (
  account_id text NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name text NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  content bytea NOT NULL,
  PRIMARY KEY (account_id, name)
);
-- What is sealed does not compress.
ALTER TABLE wallet_backup_parts ALTER COLUMN content SET STORAGE EXTERNAL;
