/** Databases for tests, each with nothing in it but its tables: the same test runs on both kinds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import { openDatabase } from "../../server/database.ts";
import type { DatabasePlace } from "../../server/ledger/open.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";

export interface TestDatabases {
  readonly kind: DatabasePlace["kind"];
  /** The first one starts the server, where there has to be one. */
  make(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly place: DatabasePlace;
  /** A file's path, or `postgres://…`. */
  readonly address: string;
  /** What makes a provider use it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs statements behind the program's back. */
  execute(sql: string): Promise<void>;
  destroy(): Promise<void>;
}

export function placeAt(address: string): DatabasePlace {
  return address.startsWith("postgres:")
    ? { kind: "postgres", url: address }
    : { kind: "sqlite", path: address };
}

export function sqliteDatabases(): TestDatabases {
  return {
    kind: "sqlite",
    async make() {
      const folder = mkdtempSync(join(tmpdir(), "tuppence-database-"));
      const path = join(folder, "tuppence.sqlite");
      return {
        place: { kind: "sqlite", path },
        address: path,
        environment: { TUPPENCE_DATA: folder },
        async execute(sql) {
          const database = new DatabaseSync(path);
          try {
            database.exec(sql);
          } finally {
            database.close();
          }
        },
        destroy: async () => rmSync(folder, { recursive: true }),
      };
    },
    async stop() {},
  };
}

export function postgresDatabases(): TestDatabases {
  let server: Promise<TestPostgres> | undefined;
  return {
    kind: "postgres",
    async make() {
      server ??= startPostgres();
      const url = await (await server).createDatabase();
      const folder = mkdtempSync(join(tmpdir(), "tuppence-database-"));
      return {
        place: { kind: "postgres", url },
        address: url,
        environment: { TUPPENCE_DATA: folder, TUPPENCE_DATABASE_URL: url },
        async execute(sql) {
          const client = postgres(url, { max: 1, onnotice: () => {} });
          try {
            await client.unsafe(sql);
          } finally {
            await client.end();
          }
        },
        destroy: async () => rmSync(folder, { recursive: true }),
      };
    },
    stop: async () => (await server)?.close(),
  };
}

export const allDatabases = (): TestDatabases[] => [sqliteDatabases(), postgresDatabases()];

/** Makes the tables, or brings them up to date. */
export async function migrate(place: DatabasePlace): Promise<void> {
  await (await openDatabase(place)).close();
}
