/**
 * Kysely on `postgres`, for single statements. None of them reserves a connection: `postgres` can forget who waits for a
 * reserved one when the server goes away, and can write to its socket when that is gone, which ends the process. So
 * there are no transactions and no streams here.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { BigIntSql, PostgresPool } from "./postgres-pool.ts";

/** @param pool stays open: whoever made it closes it */
export function createPostgresDialect(pool: PostgresPool): Dialect {
  const connection: DatabaseConnection = {
    executeQuery: (query) => pool.run((sql) => execute(sql, query)),
    streamQuery: refuse,
  };
  return {
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createDriver: () => ({
      async init() {},
      acquireConnection: async () => connection,
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse,
      async releaseConnection() {},
      async destroy() {},
    }),
  };
}

async function execute<R>(sql: BigIntSql, query: CompiledQuery): Promise<QueryResult<R>> {
  const rows = await sql.unsafe<R[]>(query.sql, query.parameters.map(parameter), { prepare: true });
  return CHANGING.has(rows.command)
    ? { rows: [...rows], numAffectedRows: BigInt(rows.count) }
    : { rows: [...rows] };
}

const CHANGING = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

function parameter(value: unknown): string | number | bigint | boolean | Uint8Array | null {
  if (
    value === null ||
    value instanceof Uint8Array ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    typeof value === "boolean"
  )
    return value;
  throw new TypeError(`not a value for SQL: ${typeof value}`);
}

function refuse(): never {
  throw new Error("the database takes single statements only");
}
