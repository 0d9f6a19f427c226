/** Where a webhook may go: `https` on the public internet; anything only where the provider's configuration says so. */
import { TuppenceError } from "../../shared/errors.ts";
import { checkOutbound, OutboundError } from "../outbound/index.ts";
import type { WebhookDeps } from "./deps.ts";

const LOOK_UP_MILLISECONDS = 5_000;

/**
 * The address as it is kept. Judged again at each delivery: a name may lead elsewhere by then.
 *
 * @throws TuppenceError webhook_address_refused
 */
export async function judgeAddress(deps: WebhookDeps, address: string): Promise<string> {
  const url = new URL(address);
  url.hash = "";
  if (!isEncrypted(deps, url)) throw new TuppenceError("webhook_address_refused", { reason: "not_https" });
  try {
    await checkOutbound({
      url,
      timeoutMilliseconds: LOOK_UP_MILLISECONDS,
      mayBePrivate: deps.config.mayCallPrivateAddresses,
      ...(deps.resolve ? { resolve: deps.resolve } : {}),
    });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new TuppenceError("webhook_address_refused", { reason: error.reason });
  }
  return url.href;
}

/** Or need not be. */
export function isEncrypted({ config }: Pick<WebhookDeps, "config">, { protocol }: URL): boolean {
  return protocol === "https:" || config.mayCallPrivateAddresses;
}
