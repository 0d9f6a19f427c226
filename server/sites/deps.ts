import type { Bytes } from "../../shared/bytes.ts";
import type { AccessDeps } from "../access/index.ts";

export interface SiteDeps extends AccessDeps {
  readonly secrets: { readonly siteProofSecret: Bytes };
  readonly config: AccessDeps["config"] & {
    /** In a sandbox, where sites are on the same machine. */
    readonly mayCallPrivateAddresses: boolean;
    readonly nameServers: readonly string[];
  };
}
