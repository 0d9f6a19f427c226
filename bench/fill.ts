/**
 * Writes years of payments into the tables of an empty provider, as it would have committed them itself, so that its audit
 * finds no difference: `node bench/fill.ts --path FILE --keyset ID --merchant ID --transfers N`, with `--merchants`, `--days` and `--articles`. In one transaction, with
 * all indexes in memory, so that ids may be as random as they are: ten million payments take minutes.
 *
 * One coin pays for one article. A few merchants sell most; one payment in two hundred came back. All windows have closed.
 */
import { closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { floatAccount, GATEWAY_CLEARING, merchantAccount } from "../server/ledger/accounts.ts";
import { deriveId } from "../server/ledger/ids.ts";
import { outputRecordKey, writeOutputRecord } from "../server/ledger/outputs.ts";
import { paymentGroupId } from "../server/payments/index.ts";
import {
  encodePaymentRecord,
  encodeRefundRecord,
  refundGroupId,
  refundKey,
} from "../server/payments/record.ts";
import { micros } from "../shared/money.ts";

const { values: options } = parseArgs({
  options: {
    path: { type: "string", default: "" },
    keyset: { type: "string", default: "" },
    /** Of whom the others are copies. */
    merchant: { type: "string", default: "" },
    transfers: { type: "string", default: "10000000" },
    merchants: { type: "string", default: "10000" },
    days: { type: "string", default: "38" },
    /** Of each merchant; 0: every payment is for another one. */
    articles: { type: "string", default: "0" },
  },
});
const TRANSFERS = Number(options.transfers);
const KEYSET = options.keyset;
const MERCHANTS = Number(options.merchants);
const ARTICLES = Number(options.articles);
const CHUNK = 100_000;
const PRICES = [10_000, 20_000, 50_000, 50_000, 50_000, 100_000, 200_000, 200_000];
const LARGEST_PRICE = 200_000n;
const PAYMENTS_PER_REFUND = 200;
const REFUND_WINDOW_SECONDS = 86_400;
const DAY_MS = 86_400_000;
const LAST_MS = Date.now() - 2 * DAY_MS;
const FIRST_MS = LAST_MS - Number(options.days) * DAY_MS;
/** All pages of the indexes over random ids of ten million payments. */
const CACHE_KIBIBYTES = 2_400_000;

const database = new DatabaseSync(options.path);
for (const pragma of [
  // Pages that were not there when the transaction began are not kept for going back.
  "journal_mode = DELETE",
  "synchronous = OFF",
  "locking_mode = EXCLUSIVE",
  "temp_store = MEMORY",
  `cache_size = -${CACHE_KIBIBYTES}`,
])
  database.exec(`PRAGMA ${pragma}`);
const idBytes = (derive: (paymentId: string) => string) => (paymentId: unknown) =>
  Buffer.from(derive(String(paymentId)), "hex");
database.function("payment_group", { deterministic: true }, idBytes(paymentGroupId));
database.function("refund_group", { deterministic: true }, idBytes(refundGroupId));
database.function(
  "refund_transfer",
  { deterministic: true },
  idBytes((id) => deriveId("refund transfer", id)),
);

const started = performance.now();
database.exec("BEGIN");
openMerchants();
const numberOf = (account: string): number =>
  Number(database.prepare("SELECT number FROM ledger_accounts WHERE name = ?").get(account)?.number);
const [GATEWAY, FLOAT, FIRST_MERCHANT] = [
  GATEWAY_CLEARING,
  floatAccount(KEYSET),
  merchantAccount(merchantId(0)),
].map(numberOf);
makeChunkTables();
for (let first = 0; first < TRANSFERS; first += CHUNK) fillChunk(first, Math.min(CHUNK, TRANSFERS - first));
database.exec(`UPDATE ledger_clock SET timestamp = ${LAST_MS}`);
database.exec("DROP TABLE temp.chunk; DROP TABLE temp.places");
database.exec("COMMIT");
database.exec("PRAGMA journal_mode = WAL");
database.close();
const file = openSync(options.path, "r+");
// What was paid in years is on the disk, and no commit of today has to wait for it.
fsyncSync(file);
closeSync(file);
const seconds = (performance.now() - started) / 1_000;
process.stdout.write(`${JSON.stringify({ seconds, bytes: statSync(options.path).size })}\n`);

function merchantId(rank: number): string {
  return `merchant-${String(rank).padStart(5, "0")}`;
}

function openMerchants(): void {
  const account = database.prepare("INSERT INTO ledger_accounts (name, debits, credits) VALUES (?, 0, 0)");
  const merchant = database.prepare(
    "INSERT INTO merchants (id, created_at, value) SELECT ?, ?, json_set(value, '$.name', ?) FROM merchants WHERE id = ?",
  );
  account.run(GATEWAY_CLEARING);
  account.run(floatAccount(KEYSET));
  for (let rank = 0; rank < MERCHANTS; rank++) {
    const id = merchantId(rank);
    account.run(merchantAccount(id));
    merchant.run(id, FIRST_MS, `Merchant ${rank}`, options.merchant);
  }
}

function makeChunkTables(): void {
  database.exec(`
    CREATE TEMP TABLE places (place INTEGER PRIMARY KEY);
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${CHUNK - 1})
      INSERT INTO temp.places SELECT n FROM numbers;
    CREATE TEMP TABLE chunk (place INTEGER PRIMARY KEY, payment TEXT, rank INTEGER, amount INTEGER, at INTEGER)`);
}

function fillChunk(first: number, count: number): void {
  const base = next("ledger_groups", "number");
  const sequence = next("ledger_transfers", "sequence");
  const timeOf = (place: number) =>
    Math.floor(FIRST_MS + ((LAST_MS - FIRST_MS) * (first + place)) / TRANSFERS);
  const [from, until] = [timeOf(0), timeOf(count - 1)];
  issue(from, LARGEST_PRICE * BigInt(count), base, sequence);
  database.exec(`
    DELETE FROM temp.chunk;
    INSERT INTO temp.chunk
      SELECT place, lower(hex(randomblob(16))), ${ranked(MERCHANTS)},
        CASE random() & ${PRICES.length - 1} ${PRICES.map((price, index) => `WHEN ${index} THEN ${price}`).join(" ")} END,
        ${from} + place * ${until - from} / ${count}
      FROM temp.places WHERE place < ${count};

    INSERT INTO ledger_groups (number, id, fingerprint, timestamp, memo)
      SELECT ${base} + 1 + place, payment_group(payment), lower(hex(randomblob(32))), at, ${paymentMemo()} FROM temp.chunk;
    INSERT INTO ledger_transfers (sequence, id, group_number, debit, credit, amount, code, reference, timestamp, matures_at)
      SELECT ${sequence} + 1 + place, randomblob(16), ${base} + 1 + place, ${FLOAT}, ${FIRST_MERCHANT} + rank, amount,
        'payment', payment, at, at + ${REFUND_WINDOW_SECONDS * 1_000} FROM temp.chunk;
    UPDATE ledger_accounts SET credits = credits + paid.amount
      FROM (SELECT rank, sum(amount) AS amount FROM temp.chunk GROUP BY rank) paid WHERE number = ${FIRST_MERCHANT} + rank;
    UPDATE ledger_accounts SET debits = debits + (SELECT sum(amount) FROM temp.chunk) WHERE number = ${FLOAT}`);
  refundSome(until);
}

function refundSome(at: number): void {
  database.exec(`DELETE FROM temp.chunk WHERE place % ${PAYMENTS_PER_REFUND} <> 0`);
  const base = next("ledger_groups", "number");
  const sequence = next("ledger_transfers", "sequence");
  const place = `(place / ${PAYMENTS_PER_REFUND})`;
  database.exec(`
    INSERT INTO ledger_groups (number, id, fingerprint, timestamp)
      SELECT ${base} + ${place}, refund_group(payment), lower(hex(randomblob(32))), ${at} FROM temp.chunk;
    INSERT INTO ledger_transfers (sequence, id, group_number, debit, credit, amount, code, reference, timestamp)
      SELECT ${sequence} + ${place}, refund_transfer(payment), ${base} + ${place}, ${FIRST_MERCHANT} + rank, ${FLOAT}, amount,
        'refund', payment, ${at} FROM temp.chunk;
    INSERT INTO ledger_records (key, value, group_number)
      SELECT '${refundKey("")}' || payment, '${encodeRefundRecord({ outputs: [], givenBy: "reader" })}', ${base} + ${place} FROM temp.chunk;
    INSERT INTO ledger_records (key, value, group_number)
      SELECT '${outputRecordKey("02")}' || lower(hex(randomblob(32))), ${outputValue()}, ${base} + ${place} FROM temp.chunk;
    UPDATE ledger_accounts SET debits = debits + returned.amount
      FROM (SELECT rank, sum(amount) AS amount FROM temp.chunk GROUP BY rank) returned
      WHERE number = ${FIRST_MERCHANT} + rank;
    UPDATE ledger_accounts SET credits = credits + (SELECT coalesce(sum(amount), 0) FROM temp.chunk) WHERE number = ${FLOAT}`);
}

/** Coins enough for a chunk, in nobody's account: what readers did before does not matter here. */
function issue(at: number, amount: bigint, group: number, sequence: number): void {
  database.exec(`
    INSERT INTO ledger_groups (number, id, fingerprint, timestamp) VALUES (${group}, randomblob(16), '', ${at});
    INSERT INTO ledger_transfers (sequence, id, group_number, debit, credit, amount, code, reference, timestamp)
      VALUES (${sequence}, randomblob(16), ${group}, ${GATEWAY}, ${FLOAT}, ${amount}, 'withdraw', 'bench', ${at});
    INSERT INTO ledger_records (key, value, group_number)
      VALUES ('${outputRecordKey("02")}' || lower(hex(randomblob(32))),
        '${writeOutputRecord({ amount: micros(amount), keysetId: KEYSET, reference: "bench" })}', ${group});
    UPDATE ledger_accounts SET debits = debits + ${amount} WHERE number = ${GATEWAY};
    UPDATE ledger_accounts SET credits = credits + ${amount} WHERE number = ${FLOAT}`);
}

function next(table: string, column: string): number {
  return Number(database.prepare(`SELECT coalesce(max(${column}), 0) + 1 AS next FROM ${table}`).get()?.next);
}

/** An SQL expression for a number below this, the smaller the likelier: rank × share is about the same for all. */
function ranked(count: number): string {
  return `(CAST(pow(${count}, (random() & 0xFFFFFFFFFFFFF) / 4503599627370496.0) AS INTEGER) - 1)`;
}

/** An SQL expression for what `encodePaymentRecord` writes. */
function paymentMemo(): string {
  const value = encodePaymentRecord({
    merchant: "<merchant>",
    amount: micros(123_456_789n),
    currency: "USD",
    resource: "https://merchant.example/2026/11/<article>-and-how-to-read-it.html",
    kind: "article",
    holder: "<holder>",
    refundHash: "<hash>",
    refundWindowSeconds: REFUND_WINDOW_SECONDS,
    change: [],
    sealedKey: { enc: "<enc>", ct: "<ct>" },
  });
  return expression(value, {
    "<merchant>": "printf('merchant-%05d', rank)",
    "123456789": "amount",
    "<article>": ARTICLES === 0 ? "lower(hex(randomblob(8)))" : ranked(ARTICLES),
    "<holder>": "substr(hex(randomblob(22)), 2)",
    "<hash>": "lower(hex(randomblob(32)))",
    "<enc>": "substr(hex(randomblob(22)), 2)",
    "<ct>": "hex(randomblob(32))",
  });
}

function outputValue(): string {
  const value = writeOutputRecord({ amount: micros(123_456_789n), keysetId: KEYSET, reference: "<payment>" });
  return expression(value, { "123456789": "amount", "<payment>": "payment" });
}

function expression(value: string, parts: Readonly<Record<string, string>>): string {
  let sql = `'${value}'`;
  for (const [name, part] of Object.entries(parts)) sql = sql.replace(name, `' || ${part} || '`);
  return sql;
}
