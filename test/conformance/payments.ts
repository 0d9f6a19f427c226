/** Payments ready to be posted, without a wallet: what stands on the wire, and whether it was answered. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { sha256, toHex } from "../../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import type { PaymentJson } from "../../shared/protocol/x402.ts";
import { SettleResponse } from "../../shared/protocol/x402.ts";
import { withdrawCoins } from "../support/coins.ts";
import { acceptedOf } from "../support/shop.ts";
import type { TestProvider } from "./provider.ts";
import { offerOf, SITE } from "./reader.ts";

export const MERCHANT = "the-lantern";
const PRICE_MICROS = 50_000;

export interface ReadyPayment {
  readonly paymentId: string;
  /** Of `POST /x402/settle`. */
  readonly body: string;
}

export async function registerMerchant({ provider }: TestProvider): Promise<void> {
  await provider.deps.merchants.put({
    id: MERCHANT,
    name: "The Lantern",
    origins: [SITE],
    sealKeys: [],
    refundWindowSeconds: 3_600,
  });
}

/** Each with one coin that fits. */
export async function readyPayments(test: TestProvider, count: number): Promise<ReadyPayment[]> {
  const coins = await withdrawCoins(
    test.provider.deps,
    Array.from({ length: count }, () => PRICE_MICROS),
  );
  const holder = await thumbprintOf((await signingKeyFromSeed(randomBytes(32))).publicJwk);
  const refundHash = toHex(await sha256(randomBytes(32)));
  return coins.map((coin, index) => {
    const offer = offerOf(test, { resource: `${SITE}/${index}` });
    const accepted = acceptedOf(offer);
    const payload: PaymentJson = {
      paymentId: randomBytes(16).toString("hex"),
      proofs: [coin],
      holder,
      refundHash,
    };
    const body = {
      x402Version: 2,
      paymentPayload: { x402Version: 2, resource: offer.resource, accepted, payload },
      paymentRequirements: accepted,
    };
    return { paymentId: payload.paymentId, body: JSON.stringify(body) };
  });
}

export function settle({ origin }: Pick<TestProvider, "origin">, body: string): Promise<Response> {
  return fetch(`${origin}/x402/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
}

/** The receipt, if it was paid. */
export function receiptOf(answer: unknown): string | undefined {
  const response = v.parse(SettleResponse, answer);
  return response.success ? response.extensions.tuppence.receipt : undefined;
}
