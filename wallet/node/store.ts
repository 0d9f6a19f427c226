/**
 * The wallet's store in a file, for programs: SQLite, one table for each of the wallet's. One process at a time has it; a
 * second is refused, because the wallet core counts on being alone. Rows lie in it in clear, the recovery phrase among them:
 * the file is for its owner only (0600), and is money.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parseRow, rowText } from "../../shared/row-text.ts";
import type { PaymentIndex, StoreTable, StoreTables, TimedStoreTable, WalletStore } from "../core/ports.ts";
import type { PaymentRow } from "../core/rows.ts";

const VERSION = 1;

/** Somebody else has the file, or it is none of ours. */
export class WalletFileError extends Error {
  override readonly name = "WalletFileError";
}

/** @throws WalletFileError */
export function openFileStore(path: string): WalletStore {
  const database = openDatabase(path);
  const tables = prepareTables(database);
  let last: Promise<unknown> = Promise.resolve();

  const transaction = <T>(body: (tables: StoreTables) => Promise<T>): Promise<T> => {
    const run = last.then(async () => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = await body(tables);
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
    last = run.catch(() => undefined);
    return run;
  };
  return {
    transaction,
    read: transaction,
    close: async () => {
      await last;
      if (database.isOpen) database.close();
    },
    protection: async () => ({ hasPassphrase: false, isLocked: false, lockAfterMinutes: 0 }),
  };
}

function openDatabase(path: string): DatabaseSync {
  try {
    // SQLite would make it readable for everyone.
    if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
    const database = new DatabaseSync(path);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    if (version > VERSION) throw new WalletFileError("The wallet file was written by a newer version.");
    // Takes the file, which a transaction that only reads would not.
    database.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${VERSION}; COMMIT`);
    return database;
  } catch (error) {
    if (error instanceof WalletFileError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (/locked/.test(reason)) throw new WalletFileError(`${path} is in use by another program.`);
    throw new WalletFileError(`${path} cannot be opened as a wallet: ${reason}.`);
  }
}

/** Makes those that there are not yet. */
function prepareTables(database: DatabaseSync): StoreTables {
  const payments = timedTable<PaymentRow, PaymentIndex>(database, "payments", "id", [
    "state",
    "change",
    "resourceKey",
    "origin",
    "requestKey",
  ]);
  return {
    wallet: table(database, "wallet", "key"),
    counters: table(database, "counters", "key"),
    pauses: table(database, "pauses", "key"),
    coins: table(database, "coins", "secret", ["state"]),
    payments,
    paymentSummaries: payments,
    withdrawals: table(database, "withdrawals", "id", ["state"]),
    deposits: table(database, "deposits", "id", ["state"]),
    swaps: table(database, "swaps", "id", ["state"]),
    topUps: timedTable(database, "topUps", "id", ["state"]),
    allowances: table(database, "allowances", "origin"),
    spending: table(database, "spending", "key", ["period", "origin", "series"]),
    settings: table(database, "settings", "key"),
    approvals: timedTable(database, "approvals", "id", ["state", "requestKey"]),
    merchants: table(database, "merchants", "id"),
    keysets: table(database, "keysets", "id"),
    backups: table(database, "backups", "key"),
  };
}

/** Not the bare names: some are words of SQL's. */
const tableOf = (name: string): string => `wallet_${name}`;
const columnOf = (index: PropertyKey): string => `by_${String(index)}`;

function table<Row extends object, Index extends keyof Row>(
  database: DatabaseSync,
  name: string,
  key: keyof Row,
  indexes: readonly Index[] = [],
  order: readonly (keyof Row)[] = [],
): StoreTable<Row, Index> {
  const columns = [...indexes, ...order];
  makeTable(database, name, columns);
  const select = selectFrom<Row>(database, name);
  const write = writeInto<Row>(database, name, key, columns);
  const remove = database.prepare(`DELETE FROM ${tableOf(name)} WHERE id = ?`);
  const count = database.prepare(`SELECT count(*) AS rows FROM ${tableOf(name)}`);
  const byKey = select("WHERE id = ?");
  const everything = select("ORDER BY id");
  const byIndex = new Map(
    indexes.map((index) => [index, select(`WHERE ${columnOf(index)} = ? ORDER BY id`)]),
  );
  const oneOfEach = new Map(
    indexes.map((index) => [index, select(`WHERE ${columnOf(index)} NOTNULL GROUP BY ${columnOf(index)}`)]),
  );
  return {
    get: async (id) => byKey(id)[0],
    put: async (row) => write(row),
    putAll: async (rows) => rows.forEach(write),
    remove: async (id) => void remove.run(id),
    removeAll: async (ids) => {
      for (const id of ids) remove.run(id);
    },
    where: async (index, value) => byIndex.get(index)?.(value) ?? [],
    find: async (index, value, matches) => byIndex.get(index)?.(value).find(matches),
    oneOfEach: async (index) => oneOfEach.get(index)?.() ?? [],
    all: async () => everything(),
    count: async () => Number(count.get()?.rows),
  };
}

function timedTable<Row extends { readonly at: number }, Index extends keyof Row>(
  database: DatabaseSync,
  name: string,
  key: keyof Row,
  indexes: readonly Index[],
): TimedStoreTable<Row, Index> {
  const timed = table<Row, Index>(database, name, key, indexes, ["at"]);
  const newest = selectFrom<Row>(
    database,
    name,
  )("WHERE by_at BETWEEN ? AND ? ORDER BY by_at DESC, id DESC LIMIT ? OFFSET ?");
  return {
    ...timed,
    newest: async (
      limit,
      { from = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER, skip = 0 } = {},
    ) => newest(from, until, limit, skip),
  };
}

/** Times are numbers, everything else is text. */
function makeTable(database: DatabaseSync, name: string, indexes: readonly PropertyKey[]): void {
  const columns = indexes.map((index) => `${columnOf(index)} ${index === "at" ? "INTEGER" : "TEXT"}`);
  const all = ["id TEXT PRIMARY KEY", ...columns, "row TEXT NOT NULL"];
  database.exec(`CREATE TABLE IF NOT EXISTS ${tableOf(name)} (${all.join(", ")}) STRICT`);
  for (const index of indexes)
    database.exec(
      `CREATE INDEX IF NOT EXISTS ${tableOf(name)}_${columnOf(index)} ON ${tableOf(name)} (${columnOf(index)})`,
    );
}

/** What lies in the file is ours: it is read as what it was written as. */
function selectFrom<Row extends object>(database: DatabaseSync, name: string) {
  return (rest: string) => {
    const statement = database.prepare(`SELECT row FROM ${tableOf(name)} ${rest}`);
    return (...values: SQLInputValue[]): Row[] =>
      statement.all(...values).map(({ row }) => parseRow(String(row)) as Row);
  };
}

function writeInto<Row extends object>(
  database: DatabaseSync,
  name: string,
  key: keyof Row,
  indexes: readonly (keyof Row)[],
): (row: Row) => void {
  const columns = ["id", ...indexes.map(columnOf), "row"];
  const places = columns.map(() => "?").join(", ");
  const put = database.prepare(
    `INSERT OR REPLACE INTO ${tableOf(name)} (${columns.join(", ")}) VALUES (${places})`,
  );
  return (row) =>
    void put.run(String(row[key]), ...indexes.map((index) => sqlValue(row[index])), rowText(row));
}

function sqlValue(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  return typeof value === "number" ? value : String(value);
}
