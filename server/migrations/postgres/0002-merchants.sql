-- A merchant is one JSON value, because nothing is asked of it but by its id.
CREATE TABLE merchants (
  id text COLLATE "C" PRIMARY KEY,
  created_at bigint NOT NULL,
  value text NOT NULL CHECK (value::jsonb IS NOT NULL)
);

-- SQLite's function of this name, for values whose members are replaced whole.
CREATE FUNCTION json_patch(target text, patch text) RETURNS text
  LANGUAGE sql IMMUTABLE RETURN (target::jsonb || patch::jsonb)::text;
