/** A payment as a wallet posts it, sent until somebody answers; and the books, beside a provider that may be killed. */
import { randomBytes } from "node:crypto";
import { pino } from "pino";
import * as v from "valibot";
import { expect } from "vitest";
import { type Environment, readConfig } from "../../server/config.ts";
import { createDeps, type Deps } from "../../server/deps.ts";
import { sha256, toHex, utf8 } from "../../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import { makeOffer } from "../../shared/offer.ts";
import type { ProofJson } from "../../shared/protocol/cashu.ts";
import { SettleResponse } from "../../shared/protocol/x402.ts";
import type { RunningProvider } from "../support/provider.ts";

/** As a wallet that finds nobody there, only sooner. */
const RETRY_MS = 15;

export interface PreparedPayment {
  readonly paymentId: string;
  readonly preimage: string;
  readonly body: string;
}

export async function preparePayment(
  { origin, merchant, site }: { readonly origin: string; readonly merchant: string; readonly site: string },
  coin: ProofJson,
): Promise<PreparedPayment> {
  const offer = makeOffer({
    provider: origin,
    merchant,
    amount: BigInt(coin.amount),
    currency: "USD",
    kind: "article",
    title: "Tides",
    resource: `${site}/tides.html`,
  });
  const [accepted] = offer.accepts;
  const paymentId = toHex(randomBytes(16));
  const preimage = randomBytes(32);
  const payload = {
    paymentId,
    proofs: [coin],
    holder: await thumbprintOf((await signingKeyFromSeed(randomBytes(32))).publicJwk),
    refundHash: toHex(await sha256(preimage)),
  };
  const body = JSON.stringify({
    x402Version: 2,
    paymentPayload: { x402Version: 2, resource: offer.resource, accepted, payload },
    paymentRequirements: accepted,
  });
  return { paymentId, preimage: toHex(preimage), body };
}

/** The same bytes, until somebody answers. */
export async function postUntilAnswered(url: string, body: string): Promise<string> {
  for (;;) {
    try {
      const answer = await post(url, body);
      if (answer.status === 200) return answer.text;
      if (answer.status < 500) throw new RangeError(`${answer.status}: ${answer.text}`);
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
    await pause(RETRY_MS);
  }
}

export function isPaid(answer: string | undefined): boolean {
  const response = v.parse(SettleResponse, JSON.parse(answer ?? "null"));
  if (!response.success) expect(response.errorReason).toBe("coin_spent");
  return response.success;
}

export async function post(url: string, body: string): Promise<{ status: number; text: string }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: utf8(body) });
  return { status: response.status, text: await response.text() };
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The provider's own books, opened beside it. */
export function openBooks(
  environment: Environment,
  { origin, accountsOrigin }: Pick<RunningProvider, "origin" | "accountsOrigin">,
): Promise<Deps> {
  const config = readConfig({
    ...environment,
    TUPPENCE_ORIGIN: origin,
    TUPPENCE_ACCOUNTS_ORIGIN: accountsOrigin,
  });
  return createDeps(config, { logger: pino({ level: "silent" }) });
}
