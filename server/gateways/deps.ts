import type { AccountDeps } from "../accounts/index.ts";
import type { Secrets } from "../secrets.ts";

/** What the gateways need. The composition root hands it in. */
export interface GatewayDeps extends AccountDeps {
  readonly secrets: Pick<Secrets, "gatewaySecret">;
}
