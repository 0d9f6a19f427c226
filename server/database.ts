/**
 * What is not the ledger: accounts, top-ups, quotes, merchants, settlements. The same SQLite file as the ledger's, on
 * a connection of its own, through Kysely. The tables come from numbered migrations in `migrations/`.
 *
 * Integer columns come back as `bigint`, always. Write with single statements: the connection is shared, so a
 * transaction that waits for something would take in the statements of others. What must be all or none belongs into
 * a group of the ledger.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Kysely, SqliteDialect } from "kysely";

// biome-ignore lint/complexity/noBannedTypes: a database without tables; each domain adds its own with `$extendTables`
export type Database = Kysely<{}>;

const BUSY_TIMEOUT_MILLISECONDS = 5_000;
const MIGRATIONS_FOLDER = join(import.meta.dirname, "migrations");

export interface OpenDatabase {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/** Opens the file and brings its tables up to date. */
export function openDatabase(path: string): OpenDatabase {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA foreign_keys = ON");
  migrate(database);
  const kysely: Database = new Kysely({ dialect: new SqliteDialect({ database: adapt(database) }) });
  return {
    database: kysely,
    async close() {
      await kysely.destroy();
      // Kysely leaves a connection open that it never used.
      if (database.isOpen) database.close();
    },
  };
}

/** All missing migrations in one transaction each, in the order of their numbers; a number is applied once. */
function migrate(database: DatabaseSync): void {
  database.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT");
  const names = readdirSync(MIGRATIONS_FOLDER).filter((name) => /^[0-9]{4}-.+\.sql$/.test(name));
  for (const name of names.sort()) {
    database.exec("BEGIN IMMEDIATE");
    try {
      if (database.prepare("SELECT 1 FROM migrations WHERE name = ?").get(name) === undefined) {
        database.exec(readFileSync(join(MIGRATIONS_FOLDER, name), "utf8"));
        database.prepare("INSERT INTO migrations (name) VALUES (?)").run(name);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Kysely speaks to an object of the shape that better-sqlite3 has. */
function adapt(database: DatabaseSync) {
  return {
    close: () => database.close(),
    prepare(sql: string) {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...parameters.map(sqlValue)),
        run: (parameters: readonly unknown[]) => statement.run(...parameters.map(sqlValue)),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...parameters.map(sqlValue)),
      };
    },
  };
}

function sqlValue(value: unknown): SQLInputValue {
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "bigint" ||
    typeof value === "number" ||
    value instanceof Uint8Array
  )
    return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (value === undefined) return null;
  throw new TypeError(`not a value for SQL: ${typeof value}`);
}
