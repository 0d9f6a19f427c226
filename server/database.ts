/**
 * What is not the ledger: accounts, top-ups, quotes, merchants, settlements. The same database as the ledger's, on
 * connections of its own, through Kysely: SQLite in the data folder, or PostgreSQL where an address is given. The tables
 * come from numbered migrations.
 *
 * Integer columns come back as `bigint`, always. Write with single statements that both databases understand: SQLite's
 * connection is shared, so a transaction that waits for something would take in the statements of others. What must be
 * all or none belongs into a group of the ledger.
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Kysely, SqliteDialect } from "kysely";
import type { DatabasePlace } from "./ledger/open.ts";
import { migratePostgres, migrateSqlite } from "./migrate.ts";
import { createPostgresDialect } from "./postgres-dialect.ts";
import { type BigIntSql, openPostgresPool } from "./postgres-pool.ts";

// biome-ignore lint/complexity/noBannedTypes: a database without tables; each domain adds its own with `$extendTables`
export type Database = Kysely<{}>;

const BUSY_TIMEOUT_MILLISECONDS = 5_000;
const MAX_POSTGRES_CONNECTIONS = 4;

export interface OpenDatabase {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/** Brings the tables up to date, the ledger's too. */
export function openDatabase(place: DatabasePlace): Promise<OpenDatabase> {
  return place.kind === "sqlite" ? openSqlite(place.path) : openPostgres(place.url);
}

async function openSqlite(path: string): Promise<OpenDatabase> {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA foreign_keys = ON");
  migrateSqlite(database);
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

async function openPostgres(url: string): Promise<OpenDatabase> {
  const pool = openPostgresPool({
    url,
    connections: MAX_POSTGRES_CONNECTIONS,
    name: "tuppence",
  });
  try {
    await pool.run(refuseForgetfulServer);
    await pool.run(migratePostgres);
  } catch (error) {
    await pool.close();
    throw error;
  }
  const kysely: Database = new Kysely({ dialect: createPostgresDialect(pool) });
  return {
    database: kysely,
    async close() {
      await kysely.destroy();
      await pool.close();
    },
  };
}

/** A payment that was answered must be there after a power cut. */
async function refuseForgetfulServer(sql: BigIntSql): Promise<void> {
  for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
    const [row] = await sql`SELECT current_setting(${name}) AS value`;
    if (row?.value === "off")
      throw new Error(`PostgreSQL runs with ${name} = off, which forgets payments when the power fails.`);
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
