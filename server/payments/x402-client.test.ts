/** The stock facilitator client of `@x402/core`, as an unmodified site uses it, against the provider on a socket. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toHex, utf8 } from "../../shared/bytes.ts";
import { paymentBinding, sealTo } from "../../shared/hpke.ts";
import { makeOffer } from "../../shared/offer.ts";
import { withdrawCoins } from "../../test/support/coins.ts";
import { acceptedOf } from "../../test/support/shop.ts";
import { type Provider, startProvider } from "../start.ts";

let provider: Provider;
let dataFolder: string;
beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), "tuppence-x402-"));
  const environment = {
    TUPPENCE_DATA: dataFolder,
    TUPPENCE_PORT: "0",
    TUPPENCE_MINT_THREADS: "0",
    TUPPENCE_SETTLE_EVERY_SECONDS: "0",
  };
  provider = await startProvider(environment, { logger: pino({ level: "silent" }) });
  await provider.deps.merchants.put({
    id: "the-lantern",
    name: "The Lantern",
    origins: ["https://lantern.example"],
  });
});
afterEach(async () => {
  expect((await provider.deps.ledger.audit()).differences).toEqual([]);
  await provider.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

/** What the wallet gives to the site. */
async function sealedPayment(coins: readonly number[]) {
  const offer = makeOffer({
    provider: provider.config.origin,
    merchant: "the-lantern",
    amount: 50_000n,
    currency: "USD",
    kind: "article",
    title: "Tides",
    resource: "https://lantern.example/api/tides",
  });
  const accepted = acceptedOf(offer);
  const payment = {
    paymentId: toHex(randomBytes(16)),
    proofs: await withdrawCoins(provider.deps, coins),
    holder: "h".repeat(43),
    refundHash: "00".repeat(32),
  };
  const expiresAt = Math.floor(Date.now() / 1_000) + 120;
  const binding = paymentBinding(accepted, offer.resource.url, expiresAt);
  const sealed = await sealTo(
    provider.deps.secrets.sealingPublicKey,
    "tuppence payment v1",
    binding,
    utf8(JSON.stringify(payment)),
  );
  const payload = {
    x402Version: 2,
    resource: offer.resource,
    accepted: { ...accepted, network: "tuppence:usd" as const },
    payload: { ...sealed, expiresAt },
  };
  return { payload, requirements: payload.accepted, paymentId: payment.paymentId };
}

test("asks what is supported, verifies, settles, and settles again without a second charge", async () => {
  const facilitator = new HTTPFacilitatorClient({ url: `${provider.config.origin}/x402` });
  expect((await facilitator.getSupported()).kinds).toMatchObject([
    { x402Version: 2, scheme: "exact", network: "tuppence:usd" },
  ]);
  const { payload, requirements, paymentId } = await sealedPayment([50_000]);
  expect(await facilitator.verify(payload, requirements)).toMatchObject({ isValid: true });
  const settled = await facilitator.settle(payload, requirements);
  expect(settled).toMatchObject({
    success: true,
    transaction: paymentId,
    network: "tuppence:usd",
    amount: "50000",
  });
  expect(await facilitator.settle(payload, requirements)).toEqual(settled);
  expect(await provider.deps.ledger.balance("merchant:the-lantern")).toBe(50_000n);
});

test("learns the reason of a refusal instead of failing over it", async () => {
  const facilitator = new HTTPFacilitatorClient({ url: `${provider.config.origin}/x402` });
  const { payload, requirements } = await sealedPayment([20_000]);
  expect(await facilitator.verify(payload, requirements)).toMatchObject({
    isValid: false,
    invalidReason: "coins_too_small",
  });
  expect(await facilitator.settle(payload, requirements)).toMatchObject({
    success: false,
    errorReason: "coins_too_small",
  });
});
