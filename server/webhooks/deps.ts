import type { Logger } from "pino";
import type { AccessDeps } from "../access/index.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { OutboundRequest } from "../outbound/index.ts";

export interface WebhookDeps extends AccessDeps {
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly metrics: { readonly webhookAttempts: { inc(labels: { readonly outcome: string }): void } };
  readonly secrets: { readonly webhookSecret: Uint8Array };
  readonly config: AccessDeps["config"] & { readonly mayCallPrivateAddresses: boolean };
  /** For tests of names that change their address. */
  readonly resolve?: NonNullable<OutboundRequest["resolve"]>;
}
