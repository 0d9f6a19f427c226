-- A merchant is one JSON value, because nothing is asked of it but by its id.
CREATE TABLE merchants (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;
