import { createServer, type Server } from "node:http";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { paymentMiddlewareFromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/express";
import express from "express";
import * as v from "valibot";
import { afterEach, expect, test } from "vitest";
import { micros } from "../../shared/money.ts";
import { FacilitatorRequest, PaymentRequired, PaymentRequirements } from "../../shared/protocol/x402.ts";
import type { ReceiptVerifier } from "./receipts.ts";
import { facilitatorUrl, letReturnIn, TuppenceScheme } from "./x402.ts";

const EXPIRES_AT = Math.floor(Date.now() / 1_000) + 120;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler ?? (() => undefined));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

/** A facilitator that takes any payment that decodes as ours, or refuses with a code. */
async function facilitator(refusal?: string) {
  const settled: unknown[] = [];
  const app = express().use(express.json());
  app.get(
    "/x402/supported",
    (_, response) =>
      void response.json({
        kinds: [{ x402Version: 2, scheme: "exact", network: "tuppence:usd" }],
        extensions: [],
        signers: {},
      }),
  );
  app.post("/x402/verify", (request, response) => {
    v.parse(FacilitatorRequest, request.body);
    response.json({ isValid: true, payer: "holder" });
  });
  app.post("/x402/settle", (request, response) => {
    settled.push(request.body);
    const common = { transaction: "a".repeat(32), network: "tuppence:usd", payer: "holder" };
    response.json(
      refusal
        ? { ...common, success: false, errorReason: refusal }
        : { ...common, success: true, extensions: { tuppence: { receipt: "a.b.c" } } },
    );
  });
  return { origin: await listen(app), settled };
}

async function site(
  provider: string,
  options: { readonly status?: number; readonly record?: () => Promise<string> } = {},
): Promise<string> {
  const scheme = new TuppenceScheme({ provider, ...(options.record && { merchantRecord: options.record }) });
  const server = new x402ResourceServer(
    new HTTPFacilitatorClient({ url: facilitatorUrl(provider) }),
  ).register(scheme.network, scheme);
  const accepts = {
    scheme: "exact",
    network: scheme.network,
    payTo: "lantern",
    price: "5¢",
    extra: { title: "A buried river" },
  };
  const claims = {
    iss: provider,
    aud: "lantern",
    jti: "a",
    sub: "s",
    cnf: { jkt: "s" },
    amount: micros(50_000),
    currency: "USD",
    resource: "r",
    kind: "article",
    iat: 0,
  } as const;
  const verifier: ReceiptVerifier = {
    verifyReceipt: async (header, { leastAmount }) =>
      header === "good" && leastAmount === 50_000n ? claims : undefined,
  };
  const http = new x402HTTPResourceServer(server, { "GET /api/river": { accepts } }).onProtectedRequest(
    letReturnIn(verifier),
  );
  const app = express().use(paymentMiddlewareFromHTTPServer(http));
  app.get("/api/river", (_, response) => void response.status(options.status ?? 200).send("<p>Water.</p>"));
  return listen(app);
}

const decode = (header: string | null): unknown =>
  JSON.parse(Buffer.from(header ?? "", "base64").toString("utf8"));

async function askFor(address: string) {
  const response = await fetch(address);
  expect(response.status).toBe(402);
  const offer = v.parse(PaymentRequired, decode(response.headers.get("payment-required")));
  return { offer, accepted: offer.accepts[0] };
}

function signatureFor(
  offer: v.InferOutput<typeof PaymentRequired>,
  accepted: unknown,
): Record<string, string> {
  const payload = { enc: "e", ct: "c", expiresAt: EXPIRES_AT };
  return {
    "PAYMENT-SIGNATURE": Buffer.from(
      JSON.stringify({ x402Version: 2, resource: offer.resource, accepted, payload }),
    ).toString("base64"),
  };
}

test("an unmodified express site makes an offer that a wallet can decode, for its own address", async () => {
  const { origin: provider } = await facilitator();
  const address = `${await site(provider)}/api/river`;
  const { offer, accepted } = await askFor(address);
  expect(offer.resource.url).toBe(address);
  expect(v.parse(PaymentRequirements, accepted)).toMatchObject({
    amount: 50_000n,
    asset: "USD",
    payTo: "lantern",
    network: "tuppence:usd",
    extra: { provider, kind: "article", title: "A buried river" },
  });
});

test("a sealed payment is carried to the provider as it came, and the article follows it", async () => {
  const { origin: provider, settled } = await facilitator();
  const address = `${await site(provider)}/api/river`;
  const { offer, accepted } = await askFor(address);
  const response = await fetch(address, { headers: signatureFor(offer, accepted) });
  expect([response.status, await response.text()]).toEqual([200, "<p>Water.</p>"]);
  expect(decode(response.headers.get("payment-response"))).toMatchObject({
    success: true,
    transaction: "a".repeat(32),
  });
  expect(settled).toEqual([
    expect.objectContaining({
      paymentRequirements: accepted,
      paymentPayload: expect.objectContaining({ payload: { enc: "e", ct: "c", expiresAt: EXPIRES_AT } }),
    }),
  ]);
});

test("a payment that the provider refuses delivers nothing, and says why", async () => {
  const { origin: provider } = await facilitator("coin_spent");
  const address = `${await site(provider)}/api/river`;
  const { offer, accepted } = await askFor(address);
  const response = await fetch(address, { headers: signatureFor(offer, accepted) });
  expect(response.status).toBe(402);
  expect(await response.text()).not.toContain("Water");
  expect(decode(response.headers.get("payment-response"))).toMatchObject({
    success: false,
    errorReason: "coin_spent",
  });
});

test("an article that the site fails to make is not charged", async () => {
  const { origin: provider, settled } = await facilitator();
  const address = `${await site(provider, { status: 500 })}/api/river`;
  const { offer, accepted } = await askFor(address);
  expect((await fetch(address, { headers: signatureFor(offer, accepted) })).status).toBe(500);
  expect(settled).toEqual([]);
});

test("a cheaper price than the offer's is not taken", async () => {
  const { origin: provider, settled } = await facilitator();
  const address = `${await site(provider)}/api/river`;
  const { offer, accepted } = await askFor(address);
  const cheaper = { ...v.parse(v.looseObject({}), accepted), amount: "1000" };
  expect((await fetch(address, { headers: signatureFor(offer, cheaper) })).status).toBe(402);
  expect(settled).toEqual([]);
});

test("a merchant record that was renewed between offer and payment does not void the offer", async () => {
  const { origin: provider } = await facilitator();
  let issued = 0;
  const address = `${await site(provider, { record: async () => `a.b.c${issued++}` })}/api/river`;
  const { offer, accepted } = await askFor(address);
  expect((await fetch(address, { headers: signatureFor(offer, accepted) })).status).toBe(200);
  expect(issued).toBeGreaterThan(1);
});

test("who comes back with a good receipt reads without paying; who brings a bad one meets the price", async () => {
  const { origin: provider, settled } = await facilitator();
  const address = `${await site(provider)}/api/river`;
  expect(await (await fetch(address, { headers: { "PAYMENT-RECEIPT": "good" } })).text()).toBe(
    "<p>Water.</p>",
  );
  expect((await fetch(address, { headers: { "PAYMENT-RECEIPT": "bad" } })).status).toBe(402);
  expect(settled).toEqual([]);
});

test.each(["0.05¢", "-1", "free", "0", { amount: "0.5", asset: "USD" }, { amount: "50000", asset: "EUR" }])(
  "a price that coins cannot pay is refused when the site starts to ask: %j",
  async (price) => {
    await expect(new TuppenceScheme({ provider: "https://p.example" }).parsePrice(price)).rejects.toThrow(
      RangeError,
    );
  },
);

test.each(["5¢", "$0.05", 0.05, { amount: "50000", asset: "USD" }])(
  "a price is read as it is written: %j",
  async (price) => {
    expect(await new TuppenceScheme({ provider: "https://p.example" }).parsePrice(price)).toEqual({
      amount: "50000",
      asset: "USD",
    });
  },
);
