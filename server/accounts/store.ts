/** The accounts that there are. What they hold stands in the ledger alone. */
import type { Database } from "../database.ts";

type AccountTables = {
  accounts: { id: string; created_at: bigint | number };
};

export async function createAccount(database: Database, id: string, nowMilliseconds: number): Promise<void> {
  const tables = database.$extendTables<AccountTables>();
  await tables
    .insertInto("accounts")
    .values({ id, created_at: nowMilliseconds })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

export async function accountExists(database: Database, id: string): Promise<boolean> {
  const tables = database.$extendTables<AccountTables>();
  return (
    (await tables.selectFrom("accounts").select("id").where("id", "=", id).executeTakeFirst()) !== undefined
  );
}
