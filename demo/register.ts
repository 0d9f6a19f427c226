/** Registers the paper with its provider, as the provider's operator does for any merchant. */
import { setTimeout } from "node:timers/promises";
import type { SigningKey } from "../shared/jws.ts";

const MAX_TRIES = 10;

export interface Registration {
  /** Where the operator's requests go, and the token that stands in the provider's data folder. */
  readonly accountsOrigin: string;
  readonly adminToken: string;
  readonly merchantId: string;
  readonly name?: string;
  /** Where the paper is read. */
  readonly origin: string;
  readonly sealKey: SigningKey;
  readonly refundWindowSeconds?: number;
  readonly refundPolicy?: string;
  /** Micros, as a decimal string. */
  readonly refundsPerDay?: string;
  /** Micros, as a decimal string. */
  readonly payoutMinimum?: string;
}

/** Registers or updates. @throws Error with what the provider answered */
export async function registerNewspaper(registration: Registration): Promise<void> {
  const {
    accountsOrigin,
    adminToken,
    merchantId,
    name = "The Lantern",
    origin,
    sealKey,
    refundWindowSeconds,
    refundPolicy,
    refundsPerDay,
    payoutMinimum,
  } = registration;
  const { kty, crv, x } = sealKey.publicJwk;
  const body = {
    id: merchantId,
    name,
    origins: [origin],
    refundWindowSeconds,
    refundPolicy,
    refundsPerDay,
    payoutMinimum,
    sealKeys: [{ kty, crv, x }],
  };
  const response = await sendUntilTaken(`${accountsOrigin}/admin/merchants`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${adminToken}` },
    body: JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`the provider did not register the paper: ${response.status} ${await response.text()}`);
}

/** A provider that was started a moment ago, on a busy machine, says that it is busy, and when to come again. */
async function sendUntilTaken(url: string, request: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, request);
    if (response.status !== 503 || tries === MAX_TRIES) return response;
    await setTimeout(Number(response.headers.get("retry-after") ?? 1) * 1_000);
  }
}
