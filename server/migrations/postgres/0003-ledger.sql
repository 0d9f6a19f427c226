-- How these tables keep several processes apart is told at the top of server/ledger/postgres.ts.
CREATE TABLE ledger_accounts (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE
);

-- An account's balance is the sum of its rows. Lane 0 is there always; a busy account has one more for each process.
CREATE TABLE ledger_balances (
  account integer NOT NULL,
  lane smallint NOT NULL,
  debits bigint NOT NULL DEFAULT 0,
  credits bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (account, lane)
) WITH (fillfactor = 50);

-- `records` is a JSON list of the keys that the group committed.
CREATE TABLE ledger_groups (
  id uuid PRIMARY KEY,
  fingerprint text NOT NULL,
  timestamp bigint NOT NULL,
  records text NOT NULL
);

CREATE TABLE ledger_transfers (
  sequence bigint NOT NULL,
  id uuid PRIMARY KEY,
  group_id uuid NOT NULL,
  debit integer NOT NULL,
  credit integer NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  code text NOT NULL,
  reference text NOT NULL,
  timestamp bigint NOT NULL
);
CREATE INDEX ledger_transfers_debit ON ledger_transfers (debit, sequence);
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit, sequence);

CREATE TABLE ledger_records (
  key text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);

CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'transfers are append-only';
END $$;
CREATE TRIGGER ledger_transfers_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- Counters, not tables, because nobody waits for a counter until a transaction ends.
CREATE SEQUENCE ledger_sequence MINVALUE 0 START 0;
CREATE SEQUENCE ledger_clock MINVALUE 0 START 0;
CREATE SEQUENCE ledger_lanes MINVALUE 1 MAXVALUE 16 CYCLE;

-- Advisory locks, (1, n): 1 is held shared by each commit, 2 while the counters are read and set, 3 while somebody
-- migrates. (2, n): the bucket of a record's key that guards may name.

-- Takes what is next in the one order of all transfers, and its time, which never goes back along it.
CREATE FUNCTION ledger_take(p_now bigint, p_count bigint, OUT first bigint, OUT stamp bigint) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_lock(1, 2);
  BEGIN
    SELECT last_value + 1 INTO first FROM ledger_sequence;
    SELECT greatest(last_value, p_now) INTO stamp FROM ledger_clock;
    PERFORM setval('ledger_sequence', first + p_count - 1), setval('ledger_clock', stamp);
    PERFORM pg_advisory_unlock(1, 2);
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    PERFORM pg_advisory_unlock(1, 2);
    RAISE;
  END;
END $$;

-- Up to where the order of transfers is complete: whoever took a number of it has committed or given up.
CREATE FUNCTION ledger_horizon() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1, 1);
  RETURN (SELECT last_value FROM ledger_sequence);
END $$;

-- The numbers of accounts by name, with the rows of their balances in this lane. Names and lanes come in order of name.
-- A row of another lane comes only under the lock of lane 0, so that whoever holds that one knows all rows there are.
CREATE FUNCTION ledger_open_accounts(p_names text[], p_lanes smallint[])
RETURNS TABLE (name text, number integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO ledger_accounts (name) SELECT n FROM unnest(p_names) n ON CONFLICT DO NOTHING;
  INSERT INTO ledger_balances (account, lane)
    SELECT a.number, 0 FROM ledger_accounts a WHERE a.name = ANY (p_names) ORDER BY a.number ON CONFLICT DO NOTHING;
  PERFORM 1 FROM ledger_balances b JOIN ledger_accounts a ON a.number = b.account
    JOIN unnest(p_names, p_lanes) x (name, lane) ON x.name = a.name
    WHERE b.lane = 0 AND x.lane > 0 ORDER BY b.account FOR UPDATE OF b;
  INSERT INTO ledger_balances (account, lane)
    SELECT a.number, x.lane FROM unnest(p_names, p_lanes) x (name, lane) JOIN ledger_accounts a ON a.name = x.name
    WHERE x.lane > 0 ORDER BY a.number ON CONFLICT DO NOTHING;
  RETURN QUERY SELECT a.name, a.number FROM ledger_accounts a WHERE a.name = ANY (p_names);
END $$;

-- Commits what was judged, if all that the verdicts stand on is still so; otherwise fails with TU001, or because a key is
-- taken, and leaves nothing. Locks in one order everywhere: record keys, lane 0 by account, other lanes by account and
-- lane, then new keys, which come sorted. Returns the timestamp.
CREATE FUNCTION ledger_commit(
  p_now bigint,
  -- Buckets of keys that must still be absent, and of those that this batch writes; ascending.
  p_absent text[], p_absent_buckets integer[], p_written_buckets integer[],
  -- By account. `whole`: judged by all rows of the account; otherwise by the one of this lane alone.
  p_accounts integer[], p_lanes smallint[], p_wholes boolean[], p_debits bigint[], p_credits bigint[],
  p_leasts bigint[], p_mosts bigint[],
  -- By id. `offsets` are places in the order of the batch.
  p_group_ids uuid[], p_fingerprints text[], p_group_records text[],
  p_transfer_ids uuid[], p_offsets integer[], p_transfer_groups uuid[], p_transfer_debits integer[],
  p_transfer_credits integer[], p_amounts bigint[], p_codes text[], p_references text[],
  p_record_keys text[], p_record_values text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_bucket integer;
  v_first bigint;
  v_stamp bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1, 1);

  FOR v_bucket IN SELECT DISTINCT b FROM unnest(p_absent_buckets || p_written_buckets) b ORDER BY b LOOP
    IF v_bucket = ANY (p_written_buckets) THEN
      PERFORM pg_advisory_xact_lock(2, v_bucket);
    ELSE
      PERFORM pg_advisory_xact_lock_shared(2, v_bucket);
    END IF;
  END LOOP;
  IF cardinality(p_absent) > 0 AND EXISTS (SELECT FROM ledger_records WHERE key = ANY (p_absent)) THEN
    RAISE EXCEPTION 'a record appeared' USING ERRCODE = 'TU001';
  END IF;

  PERFORM 1 FROM ledger_balances b JOIN unnest(p_accounts, p_lanes, p_wholes) x (account, lane, whole) ON b.account = x.account
    WHERE b.lane = 0 AND (x.whole OR x.lane = 0) ORDER BY b.account FOR UPDATE OF b;
  PERFORM 1 FROM ledger_balances b JOIN unnest(p_accounts, p_lanes, p_wholes) x (account, lane, whole) ON b.account = x.account
    WHERE b.lane > 0 AND (x.whole OR x.lane = b.lane) ORDER BY b.account, b.lane FOR UPDATE OF b;

  IF EXISTS (
    SELECT FROM unnest(p_accounts, p_lanes, p_wholes, p_leasts, p_mosts) x (account, lane, whole, least, most)
    CROSS JOIN LATERAL (
      SELECT sum(b.credits - b.debits) AS balance FROM ledger_balances b
      WHERE b.account = x.account AND (x.whole OR b.lane = x.lane)
    ) s
    WHERE s.balance < x.least OR s.balance > x.most OR s.balance IS NULL
  ) THEN
    RAISE EXCEPTION 'a balance moved' USING ERRCODE = 'TU001';
  END IF;

  UPDATE ledger_balances b SET debits = b.debits + x.debits, credits = b.credits + x.credits
    FROM unnest(p_accounts, p_lanes, p_debits, p_credits) x (account, lane, debits, credits)
    WHERE b.account = x.account AND b.lane = x.lane AND (x.debits > 0 OR x.credits > 0);
  PERFORM ledger_share(x.account, x.lane)
    FROM unnest(p_accounts, p_lanes, p_wholes) x (account, lane, whole) WHERE x.whole AND x.lane > 0;

  SELECT t.first, t.stamp INTO v_first, v_stamp FROM ledger_take(p_now, cardinality(p_transfer_ids)) t;
  INSERT INTO ledger_groups (id, fingerprint, timestamp, records)
    SELECT g.id, g.fingerprint, v_stamp, g.records
    FROM unnest(p_group_ids, p_fingerprints, p_group_records) g (id, fingerprint, records);
  INSERT INTO ledger_transfers (sequence, id, group_id, debit, credit, amount, code, reference, timestamp)
    SELECT v_first + t.place, t.id, t.group_id, t.debit, t.credit, t.amount, t.code, t.reference, v_stamp
    FROM unnest(p_transfer_ids, p_offsets, p_transfer_groups, p_transfer_debits, p_transfer_credits, p_amounts, p_codes,
      p_references) t (id, place, group_id, debit, credit, amount, code, reference);
  INSERT INTO ledger_records (key, value)
    SELECT r.key, r.value FROM unnest(p_record_keys, p_record_values) r (key, value);
  RETURN v_stamp;
END $$;

-- Shares what an account holds evenly among the rows of its lanes, all of which the caller has locked. What is below
-- zero stays in one row, where whoever judges sees it. Only moves between rows: the account's sums stay.
CREATE FUNCTION ledger_share(p_account integer, p_lane smallint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_balance bigint;
  v_share bigint;
BEGIN
  SELECT sum(credits - debits), div(greatest(sum(credits - debits), 0), greatest(count(*) FILTER (WHERE lane > 0), 1))
    INTO v_balance, v_share FROM ledger_balances WHERE account = p_account;
  UPDATE ledger_balances SET credits = debits + CASE WHEN lane = 0 THEN 0 ELSE v_share END
    WHERE account = p_account AND lane <> p_lane;
  UPDATE ledger_balances SET credits = debits + v_balance
    - (SELECT coalesce(sum(credits - debits), 0) FROM ledger_balances WHERE account = p_account AND lane <> p_lane)
    WHERE account = p_account AND lane = p_lane;
END $$;
