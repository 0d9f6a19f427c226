/** The one place that knows which adapters there are. */
import type { Ledger } from "./ledger.ts";
import { openPostgresLedger } from "./postgres.ts";
import { openSqliteLedger } from "./sqlite.ts";

/** Where everything is kept. */
export type DatabasePlace =
  /** A file's path. */
  | { readonly kind: "sqlite"; readonly path: string }
  /** `postgres://…` */
  | { readonly kind: "postgres"; readonly url: string };

/**
 * The tables are there already: `server/database.ts` brings them up to date.
 * @param now milliseconds since 1970
 * @param inThread whether what waits for the disk waits beside the event loop
 */
export function openLedger(place: DatabasePlace, now: () => number, inThread = false): Ledger {
  return place.kind === "sqlite"
    ? openSqliteLedger({ ...place, now, inThread })
    : openPostgresLedger({ ...place, now });
}
