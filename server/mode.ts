/**
 * A database remembers the mode in which it was first used, as a data folder does (secrets.ts). Where the two are not in one
 * place, a test process with a folder of its own could otherwise be pointed at the books of the live one.
 */
import { ConfigError, type Mode } from "./config.ts";
import type { Database } from "./database.ts";

type Tables = { provider_mode: { id: number; mode: Mode } };

/** @throws ConfigError */
export async function refuseOtherMode(database: Database, mode: Mode): Promise<void> {
  const db = database.$extendTables<Tables>();
  await db
    .insertInto("provider_mode")
    .values({ id: 1, mode })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  const before = await db.selectFrom("provider_mode").select("mode").executeTakeFirstOrThrow();
  if (before.mode !== mode)
    throw new ConfigError(
      `The database belongs to a provider in ${before.mode} mode, and TUPPENCE_MODE is ${mode}; the two share nothing, so name another with TUPPENCE_DATABASE_URL, or another TUPPENCE_DATA.`,
    );
}
