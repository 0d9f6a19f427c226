/**
 * The wallet's store in a file, for programs: SQLite, one table for each of the wallet's. One process at a time has it; a
 * second is refused, because the wallet core counts on being alone. Rows lie in it in clear, the recovery phrase among them:
 * the file is for its owner only (0600), and is money.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parseRow, rowText } from "../../shared/row-text.ts";
import type { StoreTables, TimedStoreTable, WalletStore } from "../core/ports.ts";

interface TableForm {
  readonly key: string;
  readonly indexes: readonly string[];
}

const VERSION = 1;
/** A table that has an order of time has the index `at`. */
const TABLES: Readonly<Record<keyof StoreTables, TableForm>> = {
  wallet: { key: "key", indexes: [] },
  counters: { key: "key", indexes: [] },
  pauses: { key: "key", indexes: [] },
  coins: { key: "secret", indexes: ["state"] },
  payments: { key: "id", indexes: ["state", "change", "resourceKey", "origin", "requestKey", "at"] },
  withdrawals: { key: "id", indexes: ["state"] },
  deposits: { key: "id", indexes: ["state"] },
  swaps: { key: "id", indexes: ["state"] },
  topUps: { key: "id", indexes: ["state", "at"] },
  allowances: { key: "origin", indexes: [] },
  spending: { key: "key", indexes: ["period", "origin", "series"] },
  settings: { key: "key", indexes: [] },
  approvals: { key: "id", indexes: ["state", "requestKey", "at"] },
  merchants: { key: "id", indexes: [] },
  keysets: { key: "id", indexes: [] },
  backups: { key: "key", indexes: [] },
};

/** Somebody else has the file, or it is none of ours. */
export class WalletFileError extends Error {
  override readonly name = "WalletFileError";
}

/** @throws WalletFileError */
export function openFileStore(path: string): WalletStore {
  const database = openDatabase(path);
  const tables = Object.fromEntries(
    Object.entries(TABLES).map(([name, form]) => [name, table(database, name, form)]),
  ) as unknown as StoreTables;
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
    prepareTables(database);
    return database;
  } catch (error) {
    if (error instanceof WalletFileError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (/locked/.test(reason)) throw new WalletFileError(`${path} is in use by another program.`);
    throw new WalletFileError(`${path} cannot be opened as a wallet: ${reason}.`);
  }
}

function prepareTables(database: DatabaseSync): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version > VERSION) throw new WalletFileError("The wallet file was written by a newer version.");
  database.exec("BEGIN IMMEDIATE");
  for (const [name, { indexes }] of Object.entries(TABLES)) {
    const columns = indexes.map((index) => `${columnOf(index)} ${index === "at" ? "INTEGER" : "TEXT"}`);
    const all = ["id TEXT PRIMARY KEY", ...columns, "row TEXT NOT NULL"];
    database.exec(`CREATE TABLE IF NOT EXISTS ${tableOf(name)} (${all.join(", ")}) STRICT`);
    for (const index of indexes)
      database.exec(
        `CREATE INDEX IF NOT EXISTS ${tableOf(name)}_${columnOf(index)} ON ${tableOf(name)} (${columnOf(index)})`,
      );
  }
  database.exec(`PRAGMA user_version = ${VERSION}; COMMIT`);
}

/** Not the bare names: some are words of SQL's. */
const tableOf = (name: string): string => `wallet_${name}`;
const columnOf = (index: string): string => `by_${index}`;

/** A table whose rows have no time has the order of time as well; the port's type does not show it. */
function table(
  database: DatabaseSync,
  name: string,
  { key, indexes }: TableForm,
): TimedStoreTable<object, never> {
  const columns = ["id", ...indexes.map(columnOf), "row"];
  const put = database.prepare(
    `INSERT OR REPLACE INTO ${tableOf(name)} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const remove = database.prepare(`DELETE FROM ${tableOf(name)} WHERE id = ?`);
  const select = (rest: string) => {
    const statement = database.prepare(`SELECT row FROM ${tableOf(name)} ${rest}`);
    return (...values: SQLInputValue[]) =>
      statement.all(...values).map(({ row }) => parseRow(String(row)) as object);
  };
  const byKey = select("WHERE id = ?");
  const everything = select("ORDER BY id");
  const byIndex = new Map(
    indexes.map((index) => [index, select(`WHERE ${columnOf(index)} = ? ORDER BY id`)]),
  );
  const one = new Map(
    indexes.map((index) => [index, select(`WHERE ${columnOf(index)} NOTNULL GROUP BY ${columnOf(index)}`)]),
  );
  const count = database.prepare(`SELECT count(*) AS rows FROM ${tableOf(name)}`);
  const newest = indexes.includes("at")
    ? select("WHERE by_at BETWEEN ? AND ? ORDER BY by_at DESC, id DESC LIMIT ? OFFSET ?")
    : undefined;
  const where = (index: string, value: unknown) => byIndex.get(index)?.(String(value)) ?? [];
  const write = (row: object): void => {
    const fields = row as Readonly<Record<string, unknown>>;
    const indexed = indexes.map((index) => sqlValue(fields[index]));
    put.run(String(fields[key]), ...indexed, rowText(row));
  };
  return {
    get: async (id) => byKey(id)[0],
    put: async (row) => write(row),
    putAll: async (rows) => rows.forEach(write),
    remove: async (id) => void remove.run(id),
    removeAll: async (ids) => {
      for (const id of ids) remove.run(id);
    },
    where: async (index: string, value: unknown) => where(index, value),
    find: async (index: string, value: unknown, matches) => where(index, value).find(matches),
    oneOfEach: async (index) => one.get(index)?.() ?? [],
    all: async () => everything(),
    count: async () => Number(count.get()?.rows),
    newest: async (
      limit,
      { from = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER, skip = 0 } = {},
    ) => newest?.(from, until, limit, skip) ?? [],
  };
}

function sqlValue(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  return typeof value === "number" ? value : String(value);
}
