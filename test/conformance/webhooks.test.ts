/**
 * A merchant's endpoint, told by a provider that dies at any moment, by two providers on one database, and beside endpoints
 * that are slow or dead: every event arrives, genuine by the stock library, a refund never before its payment.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApiKey } from "../../server/access/api-keys.ts";
import type { Deps } from "../../server/deps.ts";
import {
  Webhook,
  WebhookEventDetail,
  WebhookEventList,
  WebhookMade,
} from "../../shared/protocol/webhooks.ts";
import { makeBlankCoins, withdrawCoins } from "../support/coins.ts";
import { allDatabases, type TestDatabase } from "../support/database.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { isGenuine, startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";
import {
  isPaid,
  openBooks,
  type PreparedPayment,
  pause,
  postUntilAnswered,
  preparePayment,
} from "./paying.ts";

const MERCHANT = "the-lantern";
const SITE = "https://lantern.example";
const PRICE = 50_000;
const KILLS = 5;
const PAYMENTS_PER_LIFE = 6;
/** From the first delivery of a life to its end. */
const LAST_BREATH_MS = 12;
/** A lease, with room. */
const ARRIVAL_MS = 120_000;
const TIMEOUT_MS = 600_000;

describe.each(allDatabases())("webhooks on $kind", (databases) => {
  let database: TestDatabase;
  let environment: Readonly<Record<string, string>>;
  let receiver: WebhookReceiver;
  const closing: (() => Promise<unknown>)[] = [];
  /** It starts often. */
  const codeCache = mkdtempSync(join(tmpdir(), "tuppence-code-"));

  beforeEach(async () => {
    database = await databases.make();
    environment = {
      ...database.environment,
      TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
      TUPPENCE_SETTLE_EVERY_SECONDS: "0",
      TUPPENCE_PRIVATE_ADDRESSES: "allow",
      // What the test asks of it is answered, however busy the machine is.
      TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
      TUPPENCE_LOG_LEVEL: "warn",
      NODE_COMPILE_CACHE: codeCache,
    };
    receiver = await startWebhookReceiver();
    closing.push(receiver.close);
  });
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
    await database.destroy();
  });
  afterAll(async () => {
    rmSync(codeCache, { recursive: true });
    await databases.stop();
  });

  async function start(): Promise<RunningProvider> {
    const dataFolder = database.environment.TUPPENCE_DATA ?? "";
    const provider = await startProvider({ dataFolder, environment });
    closing.push(provider.close);
    return provider;
  }

  async function open(provider: RunningProvider): Promise<Merchant> {
    const deps = await openBooks(environment, provider);
    closing.push(deps.close);
    return openMerchant(deps, provider);
  }

  it(
    `tell every payment and refund, though the provider is killed ${KILLS} times while they come in`,
    async () => {
      const provider = await start();
      const merchant = await open(provider);
      const secret = await merchant.makeWebhook(receiver.url);
      receiver.answer = (_delivery, response) => {
        setTimeout(() => response.writeHead(204).end(), Math.random() * LAST_BREATH_MS);
      };
      const payments = await merchant.prepare(KILLS * PAYMENTS_PER_LIFE);
      for (let life = 0; life < KILLS; life++) {
        const before = receiver.deliveries.length;
        const asked = payments.slice(life * PAYMENTS_PER_LIFE, (life + 1) * PAYMENTS_PER_LIFE);
        const paying = Promise.all(asked.map(merchant.payAndTakeBack));
        while (receiver.deliveries.length === before) await pause(1);
        await pause(Math.random() * LAST_BREATH_MS);
        await provider.kill();
        await provider.restart();
        await paying;
      }
      await expectAll(payments);
      for (const delivery of receiver.deliveries) expect(isGenuine(delivery, secret)).toBe(true);
      expect(provider.log()).not.toMatch(/part-of-the-address|whsec_|"level":50/);
    },
    TIMEOUT_MS,
  );

  it(
    "tell everything though the provider that took the payments is dead, where another shares the database",
    async () => {
      const [one, _other] = [await start(), await start()];
      const merchant = await open(one);
      await merchant.makeWebhook(receiver.url);
      const payments = await merchant.prepare(30);
      await Promise.all(payments.map(merchant.payAndTakeBack));
      await one.kill();
      await expectAll(payments);
    },
    TIMEOUT_MS,
  );

  it(
    "reach one endpoint while another never answers and a third is not there, and the log says how each fared",
    async () => {
      const slow = await startWebhookReceiver();
      closing.push(slow.close);
      slow.answer = () => {};
      const provider = await start();
      const merchant = await open(provider);
      await merchant.makeWebhook(slow.url);
      await merchant.makeWebhook("http://127.0.0.1:1/");
      await merchant.makeWebhook(receiver.url);
      const payments = await merchant.prepare(30);
      await Promise.all(payments.map(merchant.payAndTakeBack));
      await expectAll(payments);
      await expect
        .poll(() => merchant.outcomes("http://127.0.0.1:1/"), { timeout: ARRIVAL_MS })
        .toContain("unreachable");
      await expect.poll(() => merchant.outcomes(slow.url), { timeout: ARRIVAL_MS }).toContain("timeout");
      expect(new Set(await merchant.outcomes(receiver.url))).toEqual(new Set(["delivered"]));
    },
    TIMEOUT_MS,
  );

  async function expectAll(payments: readonly PreparedPayment[]): Promise<void> {
    const missing = () => {
      const told = new Set(receiver.deliveries.map(({ payload }) => nameOf(payload)));
      return payments.flatMap(({ paymentId }, index) =>
        [
          `payment.paid ${paymentId}`,
          ...(isTakenBack(index) ? [`payment.refunded ${paymentId}`] : []),
        ].filter((name) => !told.has(name)),
      );
    };
    await expect.poll(missing, { timeout: ARRIVAL_MS, interval: 200 }).toEqual([]);
    const names = receiver.deliveries.map(({ payload }) => nameOf(payload));
    for (const { paymentId } of payments.filter((_, index) => isTakenBack(index)))
      expect(names.indexOf(`payment.paid ${paymentId}`)).toBeLessThan(
        names.indexOf(`payment.refunded ${paymentId}`),
      );
    const ids = new Map(receiver.deliveries.map(({ id, payload }) => [nameOf(payload), id]));
    for (const { id, payload } of receiver.deliveries) expect(id).toBe(ids.get(nameOf(payload)));
    expect(new Set(ids.values()).size).toBe(ids.size);
  }
});

type Merchant = Awaited<ReturnType<typeof openMerchant>>;

const isTakenBack = (index: number): boolean => index % 2 === 0;

function nameOf({ type, data }: WebhookReceiver["deliveries"][number]["payload"]): string {
  return "paymentId" in data ? `${type} ${data.paymentId}` : type;
}

/** With a key to the API, as a merchant's programs have it. */
async function openMerchant(deps: Deps, provider: RunningProvider) {
  await deps.merchants.put({
    id: MERCHANT,
    name: "The Lantern",
    origins: [SITE],
    refundWindowSeconds: 3_600,
  });
  const { token } = await createApiKey(deps, MERCHANT, {
    name: "Webhooks",
    scopes: ["webhooks:read", "webhooks:write"],
  });
  const webhooks = `${provider.accountsOrigin}/api/merchants/${MERCHANT}/webhooks`;
  const made = new Map<string, string>();

  async function call(path: string, body?: object): Promise<unknown> {
    const response = await fetch(webhooks + path, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }

  return {
    async makeWebhook(url: string): Promise<string> {
      const { webhook, secret } = v.parse(
        WebhookMade,
        await call("", { url, events: ["payment.paid", "payment.refunded"] }),
      );
      made.set(url, v.parse(Webhook, await call(`/${webhook.id}`)).id);
      return secret;
    },
    async prepare(count: number): Promise<PreparedPayment[]> {
      const coins = await withdrawCoins(
        deps,
        Array.from({ length: count }, () => PRICE),
      );
      return Promise.all(
        coins.map((coin) =>
          preparePayment({ origin: provider.origin, merchant: MERCHANT, site: SITE }, coin),
        ),
      );
    },
    /** Every second payment is refunded. */
    async payAndTakeBack({ paymentId, preimage, body }: PreparedPayment, index: number): Promise<void> {
      expect(isPaid(await postUntilAnswered(`${provider.origin}/x402/settle`, body))).toBe(true);
      if (!isTakenBack(index)) return;
      const outputs = makeBlankCoins(deps.mint.activeKeysetId(), [PRICE]).map(({ output }) => output);
      await postUntilAnswered(
        `${provider.origin}/payments/${paymentId}/refund`,
        JSON.stringify({ preimage, outputs }),
      );
    },
    /** Of all attempts at an endpoint. */
    async outcomes(url: string): Promise<string[]> {
      const { events } = v.parse(WebhookEventList, await call(`/${made.get(url)}/events`));
      const details = await Promise.all(
        events.map(async ({ id }) =>
          v.parse(WebhookEventDetail, await call(`/${made.get(url)}/events/${id}`)),
        ),
      );
      return details.flatMap(({ attempts }) => attempts.map(({ outcome }) => outcome));
    },
  };
}
