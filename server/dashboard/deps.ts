import type { AccessDeps } from "../access/index.ts";
import type { Config } from "../config.ts";

export interface DashboardDeps extends AccessDeps {
  readonly config: Pick<Config, "accountsOrigin" | "name" | "origin" | "currency" | "feeBasisPoints">;
}
