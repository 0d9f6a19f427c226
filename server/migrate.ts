/**
 * The tables of the database, by numbered files in `migrations/`, one folder for each kind of database. A file is applied
 * once, in the order of the numbers, whole or not at all, and never edited after that.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Sql } from "postgres";

interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Another process may do the same at the same time: each file's transaction looks for itself whether it is still missing. */
export function migrateSqlite(database: DatabaseSync): void {
  database.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT");
  for (const { name, sql } of readMigrations("sqlite")) {
    database.exec("BEGIN IMMEDIATE");
    try {
      if (database.prepare("SELECT 1 FROM migrations WHERE name = ?").get(name) === undefined) {
        database.exec(sql);
        database.prepare("INSERT INTO migrations (name) VALUES (?)").run(name);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}

export async function migratePostgres(postgres: Sql<{ bigint: bigint }>): Promise<void> {
  for (const { name, sql } of readMigrations("postgres")) {
    await postgres.begin(async (transaction) => {
      // Held until the transaction ends, so that one process migrates and the others find it done.
      await transaction`SELECT pg_advisory_xact_lock(1, 3)`;
      await transaction`CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)`;
      const [applied] = await transaction`SELECT 1 FROM migrations WHERE name = ${name}`;
      if (applied) return;
      await transaction.unsafe(sql);
      await transaction`INSERT INTO migrations (name) VALUES (${name})`;
    });
  }
}

function readMigrations(kind: "sqlite" | "postgres"): Migration[] {
  const folder = join(import.meta.dirname, "migrations", kind);
  return readdirSync(folder)
    .filter((name) => /^[0-9]{4}-.+\.sql$/.test(name))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
}
