/** Registers the paper with its provider, as the provider's operator does for any merchant. */
import type { SigningKey } from "../shared/jws.ts";

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
    payoutMinimum,
  } = registration;
  const { kty, crv, x } = sealKey.publicJwk;
  const body = {
    id: merchantId,
    name,
    origins: [origin],
    refundWindowSeconds,
    payoutMinimum,
    sealKeys: [{ kty, crv, x }],
  };
  const response = await fetch(`${accountsOrigin}/admin/merchants`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${adminToken}` },
    body: JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`the provider did not register the paper: ${response.status} ${await response.text()}`);
}
