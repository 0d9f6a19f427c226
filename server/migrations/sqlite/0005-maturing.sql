-- Until when a payment can be taken back, beside the transfer that it made and not only in its record; and an index that
-- holds all of what a settlement adds up.
ALTER TABLE ledger_transfers ADD COLUMN matures_at INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER ledger_transfers_are_final;
UPDATE ledger_transfers
  SET matures_at = timestamp + 1000 * CAST(json_extract(r.value, '$.refundWindowSeconds') AS INTEGER)
  FROM ledger_records r, ledger_accounts a
  WHERE ledger_transfers.code = 'payment' AND r.key = 'payment:' || ledger_transfers.reference
    AND a.number = ledger_transfers.credit AND a.name LIKE 'merchant:%';
CREATE TRIGGER ledger_transfers_are_final BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
DROP INDEX ledger_transfers_credit;
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit, sequence, code, amount, group_number, matures_at);
