-- What a payment's answer is made from is found by the payment's group and needs no key, nor the index over keys that are as
-- random as ids: every payment wrote a page of it.
ALTER TABLE ledger_groups ADD COLUMN memo TEXT;
UPDATE ledger_groups SET memo = r.value
  FROM ledger_records r WHERE r.key LIKE 'payment:%' AND r.group_number = ledger_groups.number;
DELETE FROM ledger_records WHERE key LIKE 'payment:%';
