/**
 * Secrets and signatures by the Standard Webhooks specification. A secret is derived from one of the provider's and the endpoint's
 * id and version, so that whoever reads the database can sign nothing. For a day after it was replaced, the one before signs as well:
 * the specification lets the header hold several signatures.
 */
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import type { WebhookDeps } from "./deps.ts";

const SECRET_OVERLAP_MILLISECONDS = 24 * 3_600_000;

export interface SecretVersion {
  readonly id: string;
  readonly secretVersion: number;
  /** Milliseconds since 1970. */
  readonly secretSince: number;
}

/** `whsec_…`, as the merchant keeps it. */
export function secretOf(
  { secrets }: Pick<WebhookDeps, "secrets">,
  { id, secretVersion }: Pick<SecretVersion, "id" | "secretVersion">,
): string {
  const key = createHmac("sha256", secrets.webhookSecret)
    .update(`tuppence webhook v1\0${id}\0${secretVersion}`)
    .digest("base64");
  return `whsec_${key}`;
}

/** @param now milliseconds since 1970: the moment of the attempt, not of the event */
export function signatureHeaders(
  deps: Pick<WebhookDeps, "secrets">,
  endpoint: SecretVersion,
  { eventId, body, now }: { readonly eventId: string; readonly body: string; readonly now: number },
): Record<string, string> {
  const isOldOneGood = endpoint.secretVersion > 1 && now < endpoint.secretSince + SECRET_OVERLAP_MILLISECONDS;
  const versions = isOldOneGood
    ? [endpoint.secretVersion, endpoint.secretVersion - 1]
    : [endpoint.secretVersion];
  return {
    "webhook-id": eventId,
    "webhook-timestamp": `${Math.floor(now / 1_000)}`,
    "webhook-signature": versions
      .map((secretVersion) =>
        new Webhook(secretOf(deps, { id: endpoint.id, secretVersion })).sign(eventId, new Date(now), body),
      )
      .join(" "),
  };
}
