/**
 * The ledger on SQLite (`node:sqlite`), WAL: questions are answered by a connection that only reads, while batches are
 * written by another, in a thread of its own where there may be threads, because each of them waits for the disk.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { micros, ZERO } from "../../shared/money.ts";
import { auditBooks, MAX_STRAYS } from "./audit.ts";
import { createBatches } from "./batches.ts";
import type {
  Ledger,
  LedgerAudit,
  PostedGroup,
  PostedTransfer,
  SumQuery,
  TransferId,
  TransferQuery,
  TransferSum,
} from "./ledger.ts";
import { assertLimit, assertSumLimit } from "./limits.ts";
import { OUTPUT_RECORD_PREFIX } from "./outputs.ts";
import { books, integer, postedGroup, postedTransfer, type Row, text, transferSum } from "./rows.ts";
import { openSqliteThread } from "./sqlite-thread.ts";
import { openSqliteWriter } from "./sqlite-writer.ts";

export interface SqliteLedgerOptions {
  /** A file's path. Its tables are there already: `server/database.ts` brings them up to date. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether batches are written beside the event loop. */
  readonly inThread?: boolean;
}

const BUSY_TIMEOUT_MILLISECONDS = 5_000;
/** The audit and the statements look for each payment by its random id: the upper pages of that index stay here. */
const CACHE_KIBIBYTES = 65_536;

export function openSqliteLedger({ path, now, inThread = false }: SqliteLedgerOptions): Ledger {
  const writer = inThread ? openSqliteThread(path) : openSqliteWriter(path);
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`);
  database.exec(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  const statements = prepareStatements(database);
  const batches = createBatches((groups) => writer.commit(groups, now()));

  return {
    apply: batches.apply,
    async balance(account) {
      const row = statements.account.get(account);
      return row === undefined ? ZERO : micros(integer(row, "credits") - integer(row, "debits"));
    },
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
    group: async (id) => findGroup(statements, id),
    async groups(ids) {
      const found = new Map<TransferId, PostedGroup>();
      for (const id of ids) {
        const group = findGroup(statements, id);
        if (group) found.set(id, group);
      }
      return found;
    },
    existing: async (ids) =>
      new Set(ids.filter((id) => statements.transferExists.get(bytes(id)) !== undefined)),
    transfers: async (query) => queryTransfers(statements, query),
    sum: async (query) => sumTransfers(statements, query),
    audit: async () => audit(database),
    async close() {
      await batches.close();
      await writer.close();
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
    commit: prepare("COMMIT"),
    account: prepare("SELECT debits, credits FROM ledger_accounts WHERE name = ?"),
    balances: prepare(
      "SELECT name, debits, credits FROM ledger_accounts WHERE name >= ? AND name < ? ORDER BY name",
    ),
    group: prepare("SELECT fingerprint, timestamp, memo FROM ledger_groups WHERE id = ?"),
    transferExists: prepare("SELECT 1 AS found FROM ledger_transfers WHERE id = ?"),
    record: prepare("SELECT value FROM ledger_records WHERE key = ?"),
  };
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
    WHERE ${where} ORDER BY t.sequence ${query.order === "newest_first" ? "DESC" : ""} LIMIT ?`)
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

function findGroup(statements: Statements, id: TransferId): PostedGroup | undefined {
  const row = statements.group.get(bytes(id));
  return row && postedGroup(row);
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
    return auditBooks(books({ accounts, issued, strays, count }));
  } finally {
    database.exec("COMMIT");
  }
}
