import type { Config } from "../config.ts";
import type { Database } from "../database.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** What accounts, and whatever deals with them, need. The composition root hands it in. */
export interface AccountDeps {
  readonly config: Config;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly database: Database;
  readonly ledger: Ledger;
}
