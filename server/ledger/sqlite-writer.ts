/**
 * What writes to the ledger's SQLite file: a batch is one transaction (`BEGIN IMMEDIATE`: a second process may write to the
 * same file), so what was read while judging still holds while writing. Everything is written at once: a popular account
 * is one row update a batch. `synchronous=FULL`, so what was answered survives the power cut.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Micros, micros, ZERO } from "../../shared/money.ts";
import { type JudgedBatch, judgeBatch, outcomeOf, type StoredState } from "./judge.ts";
import type { AccountName, Group, GroupOutcome, LedgerRecord, TransferId } from "./ledger.ts";
import { integer, postedGroup, text } from "./rows.ts";

const BUSY_TIMEOUT_MILLISECONDS = 5_000;
/** A page that several batches changed is copied into the file once. 64 MiB of log, which the next start may have to read. */
const CHECKPOINT_PAGES = 16_384;
const CACHE_KIBIBYTES = 65_536;

export interface SqliteWriter {
  /** Judges and commits: an outcome for each group, in order. */
  commit(groups: readonly Group[], nowMilliseconds: number): GroupOutcome[];
  close(): void;
}

/** @param path its tables are there already: `server/database.ts` brings them up to date */
export function openSqliteWriter(path: string): SqliteWriter {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.exec(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  const statements = prepareStatements(database);
  const stored = storedState(statements);
  return {
    commit: (groups, nowMilliseconds) => commitBatch(database, statements, stored, groups, nowMilliseconds),
    close: () => {
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
  return {
    begin: prepare("BEGIN IMMEDIATE"),
    commit: prepare("COMMIT"),
    clock: prepare("SELECT timestamp FROM ledger_clock"),
    setClock: prepare("UPDATE ledger_clock SET timestamp = ?"),
    account: prepare("SELECT number, debits, credits FROM ledger_accounts WHERE name = ?"),
    insertAccount: prepare(
      "INSERT INTO ledger_accounts (name, debits, credits) VALUES (?, 0, 0) RETURNING number",
    ),
    addToAccount: prepare(
      "UPDATE ledger_accounts SET debits = debits + ?, credits = credits + ? WHERE number = ?",
    ),
    group: prepare("SELECT number, fingerprint, timestamp, memo FROM ledger_groups WHERE id = ?"),
    insertGroup: prepare("INSERT INTO ledger_groups (id, fingerprint, timestamp, memo) VALUES (?, ?, ?, ?)"),
    groupRecords: prepare("SELECT key, value FROM ledger_records WHERE group_number = ? ORDER BY number"),
    transferExists: prepare("SELECT 1 AS found FROM ledger_transfers WHERE id = ?"),
    insertTransfer: prepare(
      "INSERT INTO ledger_transfers (id, group_number, debit, credit, amount, code, reference, timestamp, matures_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
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
      return { ...postedGroup(row), records };
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
      group.memo ?? null,
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
