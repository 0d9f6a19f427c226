import type { AccessDeps } from "../access/index.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { SettlementDeps } from "../settlement/index.ts";

export interface RevenueDeps extends AccessDeps {
  readonly ledger: Ledger;
  readonly config: AccessDeps["config"] & SettlementDeps["config"] & { readonly settleEverySeconds: number };
}

/** What adding up needs. */
export type CountingDeps = Pick<RevenueDeps, "ledger" | "database">;
