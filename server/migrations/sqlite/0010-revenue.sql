-- What merchants took, added up: made from the ledger alone, and made again from it where a cursor is missing. Whoever
-- deletes a merchant's row of `revenue_cursors` deletes what was added up with it.
CREATE TABLE revenue_cursors (
  merchant_id TEXT PRIMARY KEY,
  -- The last transfer to, and the last one from the merchant's account that is counted.
  credit_sequence INTEGER NOT NULL,
  debit_sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revenue (
  merchant_id TEXT NOT NULL,
  span TEXT NOT NULL CHECK (span IN ('day', 'article_day', 'article_month')),
  -- The span's first day, in UTC: 2026-11-30.
  start TEXT NOT NULL,
  -- A hash of the article's address; empty for a day's sum of all.
  article TEXT NOT NULL,
  kind TEXT NOT NULL,
  payment_count INTEGER NOT NULL,
  payments INTEGER NOT NULL,
  refund_count INTEGER NOT NULL,
  refunds INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, span, start, article, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE revenue_articles (
  merchant_id TEXT NOT NULL,
  article TEXT NOT NULL,
  resource TEXT NOT NULL,
  PRIMARY KEY (merchant_id, article)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER revenue_is_forgotten AFTER DELETE ON revenue_cursors BEGIN
  DELETE FROM revenue WHERE merchant_id = OLD.merchant_id;
  DELETE FROM revenue_articles WHERE merchant_id = OLD.merchant_id;
END;

-- What is inserted here is counted and moves the cursor in one statement, which either database takes whole or not at all;
-- where the cursor is not where it was read, another process was first, and nothing happens. `sums` and `articles` are
-- lists of rows in JSON.
CREATE VIEW revenue_advances AS
  SELECT merchant_id, credit_sequence AS credit_from, credit_sequence AS credit_to, debit_sequence AS debit_from,
    debit_sequence AS debit_to, '[]' AS sums, '[]' AS articles
  FROM revenue_cursors;
CREATE TRIGGER revenue_advances_once INSTEAD OF INSERT ON revenue_advances BEGIN
  INSERT OR IGNORE INTO revenue_cursors (merchant_id, credit_sequence, debit_sequence) VALUES (NEW.merchant_id, 0, 0);
  INSERT INTO revenue
    (merchant_id, span, start, article, kind, payment_count, payments, refund_count, refunds)
    SELECT NEW.merchant_id, value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS INTEGER),
      CAST(value ->> 5 AS INTEGER), CAST(value ->> 6 AS INTEGER), CAST(value ->> 7 AS INTEGER)
    FROM json_each(NEW.sums)
    WHERE EXISTS (SELECT 1 FROM revenue_cursors WHERE merchant_id = NEW.merchant_id
      AND credit_sequence = NEW.credit_from AND debit_sequence = NEW.debit_from)
    ON CONFLICT (merchant_id, span, start, article, kind) DO UPDATE SET
      payment_count = payment_count + excluded.payment_count, payments = payments + excluded.payments,
      refund_count = refund_count + excluded.refund_count, refunds = refunds + excluded.refunds;
  INSERT INTO revenue_articles (merchant_id, article, resource)
    SELECT NEW.merchant_id, value ->> 0, value ->> 1 FROM json_each(NEW.articles) WHERE true
    ON CONFLICT (merchant_id, article) DO NOTHING;
  UPDATE revenue_cursors SET credit_sequence = NEW.credit_to, debit_sequence = NEW.debit_to
    WHERE merchant_id = NEW.merchant_id AND credit_sequence = NEW.credit_from AND debit_sequence = NEW.debit_from;
END;
