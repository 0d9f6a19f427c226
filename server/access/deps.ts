import type { Bytes } from "../../shared/bytes.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database.ts";
import type { MerchantStore } from "../merchants/index.ts";

export interface AccessDeps {
  readonly database: Database;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (length: number) => Bytes;
  readonly merchants: MerchantStore;
  readonly config: Pick<Config, "accountsOrigin" | "name" | "rateLimitPerMinute" | "mode" | "counterpart">;
}

/** Whether owners and merchants come from the live provider: then nobody signs up here, and no id is two people's. */
export function comesFromLive({ config }: Pick<AccessDeps, "config">): boolean {
  return config.mode === "test" && config.counterpart !== undefined;
}
