import type { Bytes } from "../../shared/bytes.ts";
import type { Database } from "../database.ts";
import type { MerchantStore } from "../merchants/index.ts";

export interface AccessDeps {
  readonly database: Database;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (length: number) => Bytes;
  readonly merchants: MerchantStore;
  readonly config: {
    readonly accountsOrigin: string;
    readonly name: string;
    readonly rateLimitPerMinute: number;
  };
}
