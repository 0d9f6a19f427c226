/** Whether the ledger is still quick when years of payments are in it: payments a second of 64 callers, with and without. */
import { DatabaseSync } from "node:sqlite";
import { migrate, sqliteDatabases } from "../test/support/database.ts";
import { filledProvider } from "./filled.ts";
import { measureLedger } from "./ledger.ts";
import type { Part } from "./row.ts";

export const growth: Part = {
  name: "growth",
  async measure() {
    const { path, transfers } = await filledProvider();
    const empty = await measureEmpty();
    readIndexes(path);
    const full = await measureLedger(path);
    return [
      { name: "growth.empty_per_s", value: empty, unit: "/s" },
      {
        name: "growth.filled_per_s",
        value: full,
        unit: "/s",
        baseline: `${transfers.toLocaleString("en-US")} payments before`,
      },
      { name: "growth.ratio", value: full / empty, unit: "×", aim: 0.6 },
    ];
  },
};

async function measureEmpty(): Promise<number> {
  const database = await sqliteDatabases().make();
  try {
    await migrate(database.place);
    return await measureLedger(database.address);
  } finally {
    await database.destroy();
  }
}

/** A provider that has made so many payments has its indexes in the system's memory; one that was just filled has not. */
function readIndexes(path: string): void {
  const database = new DatabaseSync(path);
  for (const [table, column] of [
    ["ledger_groups", "id"],
    ["ledger_transfers", "id"],
  ])
    database.prepare(`SELECT count(${column}) FROM ${table}`).get();
  database.close();
}
