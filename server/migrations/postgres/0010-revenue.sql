-- What merchants took, added up: made from the ledger alone, and made again from it where a cursor is missing. Whoever
-- deletes a merchant's row of `revenue_cursors` deletes what was added up with it.
CREATE TABLE revenue_cursors (
  merchant_id text COLLATE "C" PRIMARY KEY,
  -- The last transfer to, and the last one from the merchant's account that is counted.
  credit_sequence bigint NOT NULL,
  debit_sequence bigint NOT NULL
);

CREATE TABLE revenue (
  merchant_id text COLLATE "C" NOT NULL,
  span text COLLATE "C" NOT NULL CHECK (span IN ('day', 'article_day', 'article_month')),
  -- The span's first day, in UTC: 2026-11-30.
  start text COLLATE "C" NOT NULL,
  -- A hash of the article's address; empty for a day's sum of all.
  article text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  payment_count bigint NOT NULL,
  payments bigint NOT NULL,
  refund_count bigint NOT NULL,
  refunds bigint NOT NULL,
  PRIMARY KEY (merchant_id, span, start, article, kind)
);

CREATE TABLE revenue_articles (
  merchant_id text COLLATE "C" NOT NULL,
  article text COLLATE "C" NOT NULL,
  resource text NOT NULL,
  PRIMARY KEY (merchant_id, article)
);

CREATE FUNCTION revenue_is_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM revenue WHERE merchant_id = OLD.merchant_id;
  DELETE FROM revenue_articles WHERE merchant_id = OLD.merchant_id;
  RETURN NULL;
END $$;
CREATE TRIGGER revenue_is_forgotten AFTER DELETE ON revenue_cursors
  FOR EACH ROW EXECUTE FUNCTION revenue_is_forgotten();

-- What is inserted here is counted and moves the cursor in one statement, which either database takes whole or not at all;
-- where the cursor is not where it was read, another process was first, and nothing happens. `sums` and `articles` are
-- lists of rows in JSON.
CREATE VIEW revenue_advances AS
  SELECT merchant_id, credit_sequence AS credit_from, credit_sequence AS credit_to, debit_sequence AS debit_from,
    debit_sequence AS debit_to, '[]'::text AS sums, '[]'::text AS articles
  FROM revenue_cursors;
CREATE FUNCTION revenue_advances_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO revenue_cursors (merchant_id, credit_sequence, debit_sequence) VALUES (NEW.merchant_id, 0, 0)
    ON CONFLICT DO NOTHING;
  -- Waits for whoever is at the same merchant, and then sees where that one went.
  UPDATE revenue_cursors SET credit_sequence = NEW.credit_to, debit_sequence = NEW.debit_to
    WHERE merchant_id = NEW.merchant_id AND credit_sequence = NEW.credit_from AND debit_sequence = NEW.debit_from;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO revenue AS r
    (merchant_id, span, start, article, kind, payment_count, payments, refund_count, refunds)
    SELECT NEW.merchant_id, e ->> 0, e ->> 1, e ->> 2, e ->> 3, (e ->> 4)::bigint, (e ->> 5)::bigint,
      (e ->> 6)::bigint, (e ->> 7)::bigint
    FROM json_array_elements(NEW.sums::json) e
    ON CONFLICT (merchant_id, span, start, article, kind) DO UPDATE SET
      payment_count = r.payment_count + excluded.payment_count, payments = r.payments + excluded.payments,
      refund_count = r.refund_count + excluded.refund_count, refunds = r.refunds + excluded.refunds;
  INSERT INTO revenue_articles (merchant_id, article, resource)
    SELECT NEW.merchant_id, e ->> 0, e ->> 1 FROM json_array_elements(NEW.articles::json) e
    ON CONFLICT DO NOTHING;
  RETURN NEW;
END $$;
CREATE TRIGGER revenue_advances_once INSTEAD OF INSERT ON revenue_advances
  FOR EACH ROW EXECUTE FUNCTION revenue_advances_once();
