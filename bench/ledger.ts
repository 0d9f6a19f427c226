/**
 * Durable payments a second at the ledger, without HTTP and curve work: callers that each wait for their answer, in a
 * process of their own, on the databases of the tests. Afterwards the books have to balance.
 */
import * as v from "valibot";
import { openLedger } from "../server/ledger/open.ts";
import {
  migrate,
  postgresDatabases,
  sqliteDatabases,
  type TestDatabase,
  type TestDatabases,
} from "../test/support/database.ts";
import { runProgram } from "./process.ts";
import type { Part, Row } from "./row.ts";

const SECONDS = 5;
const PROCESSES = 3;

export const ledger: Part = {
  name: "ledger",
  measure: async () => [
    ...(await measureOn(sqliteDatabases(), 25_000)),
    ...(await measureOn(postgresDatabases(), 12_000)),
  ],
};

/** Payments a second of 64 callers on a database that has its tables. */
export function measureLedger(address: string): Promise<number> {
  return run("ledger-load.ts", { address }, 64);
}

async function measureOn(databases: TestDatabases, aim: number): Promise<Row[]> {
  const name = (figure: string) => `ledger.${databases.kind}.${figure}`;
  const row = (figure: string, value: number): Row => ({ name: name(figure), value, unit: "/s" });
  try {
    const single = await onFresh(databases, (database) => run("ledger-single.ts", database, 64));
    const few = await onFresh(databases, ledgerLoad(1, 64));
    const many = await onFresh(databases, ledgerLoad(1, 1_024));
    return [
      { ...row("transfers_per_s.c64", few), aim },
      row("transfers_per_s.c1024", many),
      ...(databases.kind === "postgres"
        ? [row("transfers_per_s.c64_three_processes", await onFresh(databases, ledgerLoad(PROCESSES, 64)))]
        : []),
      { ...row("single_tx_per_s", single), baseline: "a transaction for each payment, 64 callers" },
    ];
  } finally {
    await databases.stop();
  }
}

function ledgerLoad(processes: number, callers: number) {
  return async (database: TestDatabase): Promise<number> => {
    await migrate(database.place);
    const rates = await Promise.all(
      Array.from({ length: processes }, () => run("ledger-load.ts", database, callers)),
    );
    const opened = openLedger(database.place, Date.now);
    const { differences } = await opened.audit();
    await opened.close();
    if (differences.length > 0) throw new Error(`the books do not balance:\n${differences.join("\n")}`);
    return rates.reduce((sum, rate) => sum + rate, 0);
  };
}

async function onFresh<T>(databases: TestDatabases, use: (database: TestDatabase) => Promise<T>): Promise<T> {
  const database = await databases.make();
  try {
    return await use(database);
  } finally {
    await database.destroy();
  }
}

const Measured = v.object({ perSecond: v.number() });

/** @param callers of this process */
async function run(
  script: string,
  { address }: Pick<TestDatabase, "address">,
  callers: number,
): Promise<number> {
  const parameters = ["--address", address, "--callers", `${callers}`, "--seconds", `${SECONDS}`];
  return v.parse(Measured, await runProgram(script, parameters)).perSecond;
}
