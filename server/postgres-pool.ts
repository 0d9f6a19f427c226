/**
 * Connections to PostgreSQL. When one of them ends, all are given up for new ones: `postgres` can leave a statement that
 * was asked for at that moment without an answer, and can keep the half-written rest of it for the next connection, which
 * then never begins. What is given up may end what it has begun; what it has lost fails.
 */
import postgres from "postgres";

export type BigIntSql = postgres.Sql<{ bigint: bigint }>;

export interface PostgresPool {
  /** On the present connections. Whatever becomes of them, it settles. */
  run<T>(work: (sql: BigIntSql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface PostgresPoolOptions {
  readonly url: string;
  readonly connections: number;
  /** What the operator sees in PostgreSQL's list of connections. */
  readonly name: string;
}

/** A server that does not answer any more is not waited for. */
const CLOSE_SECONDS = 5;
/** Much longer than any statement takes, and soon enough for whoever waits for one that is lost. */
const GIVE_UP_SECONDS = 2;

interface Connections {
  readonly sql: BigIntSql;
  /** Ends one piece of work each, as failed. */
  readonly running: Set<(error: Error) => void>;
}

export function openPostgresPool({ url, connections, name }: PostgresPoolOptions): PostgresPool {
  const givenUp = new Set<Promise<void>>();
  let isClosed = false;
  let current = connect();

  function connect(): Connections {
    const sql: BigIntSql = postgres(url, {
      max: connections,
      types: { bigint: postgres.BigInt },
      onnotice: () => {},
      // No statement has a list in it. And a connection that ends while it asks for its types of lists ends the process.
      fetch_types: false,
      onclose: () => {
        if (!isClosed && current.sql === sql) giveUp();
      },
      connection: { application_name: name },
    });
    return { sql, running: new Set() };
  }

  function giveUp(): void {
    const old = current;
    current = connect();
    const ended = end(old, GIVE_UP_SECONDS).finally(() => givenUp.delete(ended));
    givenUp.add(ended);
  }

  return {
    async run<T>(work: (sql: BigIntSql) => Promise<T>): Promise<T> {
      const { sql, running } = current;
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      running.add(reject);
      work(sql).then(resolve, reject);
      try {
        return await promise;
      } finally {
        running.delete(reject);
      }
    },
    async close() {
      isClosed = true;
      await Promise.all([...givenUp, end(current, CLOSE_SECONDS)]);
    },
  };
}

/** @param timeout in seconds */
async function end({ sql, running }: Connections, timeout: number): Promise<void> {
  await sql.end({ timeout });
  for (const fail of running)
    fail(Object.assign(new Error("the connection to PostgreSQL ended"), { code: "CONNECTION_DESTROYED" }));
}
