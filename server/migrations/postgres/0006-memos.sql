-- What a payment's answer is made from is found by the payment's group and needs no key, nor the index over keys that are as
-- random as ids: every payment wrote a page of it.
ALTER TABLE ledger_groups ADD COLUMN memo text;
UPDATE ledger_groups g SET memo = r.value, records = (g.records::jsonb - r.key)::text
  FROM ledger_records r WHERE r.key LIKE 'payment:%' AND r.key = g.records::jsonb ->> 0;
DELETE FROM ledger_records r WHERE r.key LIKE 'payment:%';

DROP FUNCTION ledger_commit;
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
  p_group_ids uuid[], p_fingerprints text[], p_memos text[], p_group_records text[],
  p_transfer_ids uuid[], p_offsets integer[], p_transfer_groups uuid[], p_transfer_debits integer[],
  p_transfer_credits integer[], p_amounts bigint[], p_codes text[], p_references text[],
  p_maturing bigint[],
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
  INSERT INTO ledger_groups (id, fingerprint, timestamp, memo, records)
    SELECT g.id, g.fingerprint, v_stamp, g.memo, g.records
    FROM unnest(p_group_ids, p_fingerprints, p_memos, p_group_records) g (id, fingerprint, memo, records);
  INSERT INTO ledger_transfers (sequence, id, group_id, debit, credit, amount, code, reference, timestamp,
      matures_at)
    SELECT v_first + t.place, t.id, t.group_id, t.debit, t.credit, t.amount, t.code, t.reference, v_stamp,
      CASE WHEN t.maturing = 0 THEN 0 ELSE v_stamp + t.maturing END
    FROM unnest(p_transfer_ids, p_offsets, p_transfer_groups, p_transfer_debits, p_transfer_credits, p_amounts, p_codes,
      p_references, p_maturing) t (id, place, group_id, debit, credit, amount, code, reference, maturing);
  INSERT INTO ledger_records (key, value)
    SELECT r.key, r.value FROM unnest(p_record_keys, p_record_values) r (key, value);
  RETURN v_stamp;
END $$;
