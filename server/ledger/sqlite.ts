/**
 * The ledger on SQLite (`node:sqlite`): WAL, `synchronous=FULL`, so what was answered survives the power cut.
 *
 * A batch is one transaction (`BEGIN IMMEDIATE`: a second process may write to the same file), so what was read while
 * judging still holds while writing. Everything is written at once: a popular account is one row update a batch.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Micros, micros, ZERO } from "../../shared/money.ts";
import { auditBooks } from "./audit.ts";
import { createBatches } from "./batches.ts";
import { type JudgedBatch, judgeBatch, outcomeOf, type StoredState } from "./judge.ts";
import type {
  AccountName,
  Group,
  GroupOutcome,
  Ledger,
  LedgerAudit,
  LedgerRecord,
  PostedTransfer,
  SumQuery,
  TransferId,
  TransferQuery,
  TransferSum,
} from "./ledger.ts";
import { assertLimit, assertSumLimit } from "./limits.ts";
import { OUTPUT_RECORD_PREFIX } from "./outputs.ts";
import { integer, postedTransfer, type Row, text, transferSum } from "./rows.ts";

export interface SqliteLedgerOptions {
  /** A file's path. Its tables are there already: `server/database.ts` brings them up to date. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** More than these tell nothing more. */
const MAX_STRAYS = 10;
const BUSY_TIMEOUT_MILLISECONDS = 5_000;
/** A page that several batches changed is copied into the file once. 64 MiB of log, which the next start may have to read. */
const CHECKPOINT_PAGES = 16_384;
const CACHE_KIBIBYTES = 65_536;

export function openSqliteLedger({ path, now }: SqliteLedgerOptions): Ledger {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.exec(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  const statements = prepareStatements(database);
  const stored = storedState(statements);
  const batches = createBatches((groups) => commitBatch(database, statements, stored, groups, now()));

  return {
    apply: batches.apply,
    balance: async (account) => stored.balance(account),
    async balances(prefix) {
      const rows = statements.balances.all(prefix, `${prefix}\u{10FFFF}`);
      return new Map(
        rows.map((row) => [text(row, "name"), micros(integer(row, "credits") - integer(row, "debits"))]),
      );
    },
    record: async (key) => recordValue(statements, key),
    async records(keys) {
      const found = new Map<string, string>();
      for (const key of keys) {
        const value = recordValue(statements, key);
        if (value !== undefined) found.set(key, value);
      }
      return found;
    },
    async group(id) {
      const row = statements.group.get(bytes(id));
      return row && { fingerprint: text(row, "fingerprint"), timestamp: Number(integer(row, "timestamp")) };
    },
    existing: async (ids) => new Set(ids.filter(stored.transferExists)),
    transfers: async (query) => queryTransfers(statements, query),
    sum: async (query) => sumTransfers(statements, query),
    audit: async () => audit(database),
    async close() {
      await batches.close();
      if (database.isOpen) database.close();
    },
  };
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync) {
  /** 64-bit integers come back as bigint everywhere: an amount is never a Number. */
  const prepare = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  /** A few questions have a few forms each. */
  const forms = new Map<string, StatementSync>();
  return {
    prepareOnce(sql: string): StatementSync {
      const statement = forms.get(sql) ?? prepare(sql);
      forms.set(sql, statement);
      return statement;
    },
    beginRead: prepare("BEGIN"),
    begin: prepare("BEGIN IMMEDIATE"),
    commit: prepare("COMMIT"),
    clock: prepare("SELECT timestamp FROM ledger_clock"),
    setClock: prepare("UPDATE ledger_clock SET timestamp = ?"),
    account: prepare("SELECT number, debits, credits FROM ledger_accounts WHERE name = ?"),
    balances: prepare(
      "SELECT name, debits, credits FROM ledger_accounts WHERE name >= ? AND name < ? ORDER BY name",
    ),
    insertAccount: prepare(
      "INSERT INTO ledger_accounts (name, debits, credits) VALUES (?, 0, 0) RETURNING number",
    ),
    addToAccount: prepare(
      "UPDATE ledger_accounts SET debits = debits + ?, credits = credits + ? WHERE number = ?",
    ),
    group: prepare("SELECT number, fingerprint, timestamp FROM ledger_groups WHERE id = ?"),
    insertGroup: prepare("INSERT INTO ledger_groups (id, fingerprint, timestamp) VALUES (?, ?, ?)"),
    groupRecords: prepare("SELECT key, value FROM ledger_records WHERE group_number = ? ORDER BY number"),
    transferExists: prepare("SELECT 1 AS found FROM ledger_transfers WHERE id = ?"),
    insertTransfer: prepare(
      "INSERT INTO ledger_transfers (id, group_number, debit, credit, amount, code, reference, timestamp, matures_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    record: prepare("SELECT value FROM ledger_records WHERE key = ?"),
    recordExists: prepare("SELECT 1 AS found FROM ledger_records WHERE key = ?"),
    insertRecord: prepare("INSERT INTO ledger_records (key, value, group_number) VALUES (?, ?, ?)"),
  };
}

/** Read only when asked for: inside the batch's transaction it cannot change. */
function storedState(statements: Statements): StoredState {
  return {
    group(id) {
      const row = statements.group.get(bytes(id));
      if (row === undefined) return undefined;
      const records = statements.groupRecords
        .all(integer(row, "number"))
        .map((record): LedgerRecord => ({ key: text(record, "key"), value: text(record, "value") }));
      return {
        fingerprint: text(row, "fingerprint"),
        timestamp: Number(integer(row, "timestamp")),
        records,
      };
    },
    transferExists: (id) => statements.transferExists.get(bytes(id)) !== undefined,
    recordExists: (key) => statements.recordExists.get(key) !== undefined,
    balance(account): Micros {
      const row = statements.account.get(account);
      return row === undefined ? ZERO : micros(integer(row, "credits") - integer(row, "debits"));
    },
  };
}

function commitBatch(
  database: DatabaseSync,
  statements: Statements,
  stored: StoredState,
  groups: readonly Group[],
  nowMilliseconds: number,
): GroupOutcome[] {
  statements.begin.run();
  try {
    const last = Number(integer(statements.clock.get(), "timestamp"));
    const timestamp = Math.max(last, Math.floor(nowMilliseconds));
    const judged = judgeBatch(stored, groups);
    if (judged.committed.length > 0) {
      write(statements, judged, timestamp);
      if (timestamp !== last) statements.setClock.run(timestamp);
    }
    statements.commit.run();
    return judged.verdicts.map((verdict) => outcomeOf(verdict, timestamp));
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function write(statements: Statements, { committed, movements }: JudgedBatch, timestamp: number): void {
  const numbers = new Map<AccountName, number | bigint>();
  for (const [account, { debits, credits }] of movements) {
    // Where a guard only looked at it.
    if (debits === 0n && credits === 0n) continue;
    const row = statements.account.get(account) ?? statements.insertAccount.get(account);
    const number = integer(row, "number");
    numbers.set(account, number);
    statements.addToAccount.run(debits, credits, number);
  }
  const numberOf = (account: AccountName) => {
    const number = numbers.get(account);
    if (number === undefined) throw new Error(`a transfer of ${account} without its movement`);
    return number;
  };
  for (const group of committed) {
    const groupNumber = statements.insertGroup.run(
      bytes(group.id),
      group.fingerprint,
      timestamp,
    ).lastInsertRowid;
    for (const { id, debit, credit, amount, code, reference, maturesAfterSeconds = 0 } of group.transfers) {
      statements.insertTransfer.run(
        bytes(id),
        groupNumber,
        numberOf(debit),
        numberOf(credit),
        amount,
        code,
        reference,
        timestamp,
        // Most are nobody's to wait for: a zero takes no room.
        maturesAfterSeconds === 0 ? 0 : timestamp + maturesAfterSeconds * 1_000,
      );
    }
    for (const { key, value } of group.records) statements.insertRecord.run(key, value, groupNumber);
  }
}

const bytes = (id: TransferId): Uint8Array => Buffer.from(id, "hex");

function queryTransfers(statements: Statements, query: TransferQuery): PostedTransfer[] {
  assertLimit(query);
  const { where, parameters } = filterOf(query);
  const rows = statements
    .prepareOnce(`
    SELECT t.sequence, lower(hex(t.id)) AS id, lower(hex(g.id)) AS group_id, d.name AS debit, c.name AS credit,
      t.amount, t.code, t.reference, t.timestamp, t.matures_at
    FROM ledger_transfers t JOIN ledger_groups g ON g.number = t.group_number
      JOIN ledger_accounts d ON d.number = t.debit JOIN ledger_accounts c ON c.number = t.credit
    WHERE ${where} ORDER BY t.sequence LIMIT ?`)
    .all(...parameters, query.limit);
  return rows.map(postedTransfer);
}

function filterOf({
  account,
  side,
  codes = [],
  afterSequence = 0,
  upToSequence,
}: Omit<TransferQuery, "limit">) {
  return {
    where: `t.${side === "debit" ? "debit" : "credit"} = (SELECT number FROM ledger_accounts WHERE name = ?)
      AND t.sequence > ? AND t.sequence <= ?
      ${codes.length === 0 ? "" : `AND t.code IN (${codes.map(() => "?").join(", ")})`}`,
    parameters: [account, afterSequence, upToSequence ?? Number.MAX_SAFE_INTEGER, ...codes],
  };
}

/** In one read transaction. What a sum of credits reads stands in the index over credits. */
function sumTransfers(statements: Statements, query: SumQuery): TransferSum {
  assertSumLimit(query);
  const { where, parameters } = filterOf(query);
  const from = `FROM ledger_transfers t WHERE ${where}`;
  const sums = `count(DISTINCT group_number) AS groups, coalesce(sum(amount), 0) AS amount, max(sequence) AS last_sequence`;
  statements.beginRead.run();
  try {
    const page = statements
      .prepareOnce(
        `SELECT ${sums}, count(*) AS seen, min(CASE WHEN matures_at > ? THEN sequence END) AS held
         FROM (SELECT t.sequence, t.group_number, t.amount, t.matures_at ${from} ORDER BY t.sequence LIMIT ?)`,
      )
      .get(query.maturedBy ?? Number.MAX_SAFE_INTEGER, ...parameters, query.limit);
    const { held } = page ?? {};
    const isHeld = typeof held === "bigint";
    if (!isHeld && integer(page, "seen") < BigInt(query.limit)) return transferSum(page, true);
    const end = Number(isHeld ? held : integer(page, "last_sequence"));
    // The group that ends it may have begun before. SQLite follows the index to one upper bound only, so there must not be two.
    const row = statements
      .prepareOnce(
        `WITH ending AS (SELECT group_number AS number FROM ledger_transfers WHERE sequence = ?)
         SELECT ${sums} ${from} AND t.group_number <> (SELECT number FROM ending)`,
      )
      .get(end, ...filterOf({ ...query, upToSequence: end }).parameters);
    return transferSum(row, isHeld);
  } finally {
    statements.commit.run();
  }
}

function recordValue(statements: Statements, key: string): string | undefined {
  const row = statements.record.get(key);
  return row && text(row, "value");
}

/** In one read transaction, so that a batch that commits meanwhile is seen whole or not at all. */
function audit(database: DatabaseSync): LedgerAudit {
  const all = (sql: string, ...parameters: string[]): Row[] => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...parameters);
  };
  database.exec("BEGIN");
  try {
    const accounts = all(`
      SELECT a.name, a.debits, a.credits,
        (SELECT coalesce(sum(amount), 0) FROM ledger_transfers WHERE debit = a.number) AS debited,
        (SELECT coalesce(sum(amount), 0) FROM ledger_transfers WHERE credit = a.number) AS credited,
        (SELECT count(*) FROM ledger_transfers WHERE debit = a.number AND code = 'chargeback') AS chargebacks
      FROM ledger_accounts a ORDER BY a.name`);
    const issued = all(
      `SELECT json_extract(value, '$.keysetId') AS keyset, sum(CAST(json_extract(value, '$.amount') AS INTEGER)) AS issued
       FROM ledger_records WHERE key >= ? AND key < ? GROUP BY 1`,
      OUTPUT_RECORD_PREFIX,
      `${OUTPUT_RECORD_PREFIX}\u{10FFFF}`,
    );
    const strays = all(`
      SELECT lower(hex(t.id)) AS id FROM ledger_transfers t LEFT JOIN ledger_groups g ON g.number = t.group_number
      WHERE g.number IS NULL OR g.timestamp <> t.timestamp LIMIT ${MAX_STRAYS}`);
    const [count] = all("SELECT count(*) AS transfers FROM ledger_transfers");
    return auditBooks({
      transfers: Number(integer(count, "transfers")),
      accounts: accounts.map((row) => ({
        account: text(row, "name"),
        debits: integer(row, "debits"),
        credits: integer(row, "credits"),
        debited: integer(row, "debited"),
        credited: integer(row, "credited"),
        wasChargedBack: integer(row, "chargebacks") > 0n,
      })),
      issued: new Map(issued.map((row) => [text(row, "keyset"), integer(row, "issued")])),
      strays: strays.map((row) => text(row, "id")),
    });
  } finally {
    database.exec("COMMIT");
  }
}
