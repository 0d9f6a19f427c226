/** The unmodified client of `@x402/fetch`, paying out of a program's wallet for a site behind the unmodified middleware. */
import { createServer } from "node:http";
import { wrapFetchWithPayment, x402Client, x402HTTPClient } from "@x402/fetch";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import { micros } from "../../shared/money.ts";
import { createX402Payer, type X402PayerOptions } from "../../wallet/node/index.ts";
import { type BackEnd, FRAMEWORKS, type Handler, PRICE } from "../support/back-ends.ts";
import { type FundedProgram, openFundedProgram } from "../support/funded-program.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

const TOP_UP = 2_000_000n;
const MERCHANT = "the-weather";

let provider: TestProvider;
let site: BackEnd;
let funded: FundedProgram;
let served: string[];
let handle: Handler;
beforeAll(async () => {
  provider = await startTestProvider();
  site = await FRAMEWORKS.hono({
    provider: provider.origin,
    merchant: MERCHANT,
    handle: (path) => {
      served.push(path);
      return handle(path);
    },
  });
  await provider.provider.deps.merchants.put({ id: MERCHANT, name: "The Weather", origins: [site.origin] });
});
afterAll(async () => {
  await site.close();
  await provider.close();
});
beforeEach(async () => {
  served = [];
  handle = (path) => `Rain at ${path}.`;
  funded = await openFundedProgram(provider, TOP_UP);
});
afterEach(async () => {
  await funded.close();
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
});

const earned = () => provider.provider.deps.ledger.balance(merchantAccount(MERCHANT));

function stockFetch(options: Partial<X402PayerOptions> = {}) {
  const payer = createX402Payer(funded.program, { max: micros(PRICE), ...options });
  const client = new x402Client().register(payer.network, payer);
  const http = new x402HTTPClient(client).onPaymentRequired(payer.onPaymentRequired);
  return { payer, client, pay: wrapFetchWithPayment(payer.fetch, http) };
}

it("pays, after the work and before it, and fetches what was bought again for nothing", async () => {
  const before = await earned();
  const { pay } = stockFetch();
  for (const path of ["/forecast/monday", "/later/monday", "/forecast/monday", "/later/monday"]) {
    const response = await pay(site.origin + path);
    expect([response.status, await response.text()]).toEqual([200, `Rain at ${path}.`]);
  }
  expect(await earned()).toBe(before + 2n * PRICE);
  expect(await funded.balance()).toBe(TOP_UP - 2n * PRICE);
});

it("pays nothing that costs more than was allowed, by our limit or by x402's own", async () => {
  await expect(stockFetch().pay(`${site.origin}/gold`)).rejects.toThrow(
    "It costs 50¢; at most 5¢ was allowed.",
  );
  const { pay, client } = stockFetch({ max: micros(500_000n) });
  client.setSpendControls({ maxAmountPerPayment: "$0.10" });
  await expect(pay(`${site.origin}/gold`)).rejects.toThrow("spendControls.maxAmountPerPayment");
  expect([served, await funded.balance()]).toEqual([[], TOP_UP]);
});

it("sends the same payment again where the answer was lost, though the offer reads differently by then", async () => {
  const before = await earned();
  let lost = 0;
  const losing: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request);
    if (!request.headers.has("payment-signature") || lost > 0) return response;
    lost += 1;
    throw new TypeError("fetch failed");
  };
  /** The middleware does not mind what it did not ask for, as a record that was renewed in between. */
  let offers = 0;
  const renewing: typeof fetch = async (input, init) => {
    const response = await losing(input, init);
    if (response.status !== 402) return response;
    const offer = JSON.parse(
      Buffer.from(response.headers.get("payment-required") ?? "", "base64").toString(),
    );
    offers += 1;
    offer.accepts[0].extra.note = `offer ${offers}`;
    const headers = { "payment-required": Buffer.from(JSON.stringify(offer)).toString("base64") };
    return new Response(null, { status: 402, headers });
  };
  handle = (path) => {
    if (served.length === 1) throw new Error("out of order");
    return `Rain at ${path}.`;
  };
  const { pay } = stockFetch({ fetch: renewing });
  await expect(pay(`${site.origin}/forecast/monday`)).rejects.toThrow("fetch failed");
  expect(await earned()).toBe(before);
  expect(await (await pay(`${site.origin}/forecast/monday`)).text()).toBe("Rain at /forecast/monday.");
  expect([lost, await earned(), await funded.balance()]).toEqual([1, before + PRICE, TOP_UP - PRICE]);
});

it("pays once for what is asked for many times at once", async () => {
  const before = await earned();
  const { pay } = stockFetch();
  const answers = await Promise.all(
    Array.from({ length: 4 }, async () => (await pay(`${site.origin}/forecast/monday`)).text()),
  );
  expect(new Set(answers)).toEqual(new Set(["Rain at /forecast/monday."]));
  expect([await earned(), await funded.balance()]).toEqual([before + PRICE, TOP_UP - PRICE]);
});

it("pays nobody who offers what another site sells, and nobody without knowing who asked", async () => {
  const posing = createServer(async (_request, response) => {
    const offer = (await fetch(`${site.origin}/forecast/monday`)).headers.get("payment-required") ?? "";
    response.writeHead(402, { "payment-required": offer }).end();
  });
  await new Promise<void>((resolve) => posing.listen(0, "127.0.0.1", resolve));
  const address = posing.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await expect(stockFetch().pay(`http://127.0.0.1:${port}/forecast/monday`)).rejects.toThrow(
    "resource_mismatch",
  );
  await new Promise((resolve) => posing.close(resolve));
  const { client } = stockFetch();
  const withoutHook = wrapFetchWithPayment(fetch, client);
  await expect(withoutHook(`${site.origin}/forecast/monday`)).rejects.toThrow("register onPaymentRequired");
  expect([served, await funded.balance()]).toEqual([[], TOP_UP]);
});

it("carries neither payment nor receipt to where a redirect leads", async () => {
  const seen: string[] = [];
  const thief = createServer((request, response) => {
    for (const name of ["payment-signature", "payment-receipt", "authorization"])
      if (request.headers[name] !== undefined) seen.push(name);
    response.writeHead(200).end("Thank you.");
  });
  await new Promise<void>((resolve) => thief.listen(0, "127.0.0.1", resolve));
  const address = thief.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const { pay } = stockFetch({
    // The site sells, and sends whoever pays to somebody else.
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const carriesMoney = ["payment-signature", "payment-receipt"].some((name) => request.headers.has(name));
      if (!carriesMoney) return fetch(request);
      if (request.redirect !== "manual")
        await fetch(`http://127.0.0.1:${port}/`, { headers: request.headers });
      return new Response(null, { status: 302, headers: { location: `http://127.0.0.1:${port}/` } });
    },
  });
  expect((await pay(`${site.origin}/forecast/monday`)).status).toBe(302);
  expect(seen).toEqual([]);
  await new Promise((resolve) => thief.close(resolve));
});
