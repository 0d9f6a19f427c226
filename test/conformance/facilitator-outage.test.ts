/** A site behind stock x402 middleware whose provider, a process of its own, dies while it is asked. */
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { registerNewspaper } from "../../demo/register.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { createPayingFetch } from "../../wallet/node/index.ts";
import { type BackEnd, FRAMEWORKS, type Handler, PRICE } from "../support/back-ends.ts";
import { type FundedProgram, openFundedProgram } from "../support/funded-program.ts";
import { type RunningProvider, readAdminToken, startProvider } from "../support/provider.ts";

const TOP_UP = 2_000_000n;
const MERCHANT = "the-weather";
const TIMEOUT_MS = 180_000;

let provider: RunningProvider;
let between: { readonly origin: string; readonly server: Server };
let funded: FundedProgram;
let site: BackEnd;
let served: string[];
let handle: Handler;
/** Before the provider's answer to this reaches the site; true loses the answer. */
let meet: (path: string) => Promise<boolean>;

beforeAll(async () => {
  // Busy or dead is the difference that is looked at here.
  const environment = { TUPPENCE_SETTLE_EVERY_SECONDS: "0", TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0" };
  provider = await startProvider({ environment });
  between = await startBetween();
}, TIMEOUT_MS);
afterAll(async () => {
  between.server.close();
  await provider.close();
}, TIMEOUT_MS);
beforeEach(async () => {
  served = [];
  handle = (path) => `Rain at ${path}.`;
  meet = async () => false;
  funded = await openFundedProgram(provider, TOP_UP);
}, TIMEOUT_MS);
afterEach(async () => {
  await site.close();
  await funded.close();
}, TIMEOUT_MS);

async function startBetween() {
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const method = request.method ?? "GET";
    const body = method === "POST" ? { body: await text(request) } : {};
    const headers = { "content-type": "application/json" };
    try {
      const answer = await fetch(provider.origin + path, {
        method,
        ...body,
        ...(method === "POST" ? { headers } : {}),
      });
      const answered = await answer.text();
      if (await meet(path)) response.destroy();
      else response.writeHead(answer.status, headers).end(answered);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

async function openSite(start: (typeof FRAMEWORKS)["express"]): Promise<void> {
  site = await start({
    provider: provider.origin,
    merchant: MERCHANT,
    facilitator: `${between.origin}/x402`,
    handle: (path) => {
      served.push(path);
      return handle(path);
    },
  });
  await registerNewspaper({
    accountsOrigin: provider.accountsOrigin,
    adminToken: readAdminToken(provider),
    merchantId: MERCHANT,
    origin: site.origin,
    sealKey: await signingKeyFromSeed(new Uint8Array(32).fill(7)),
  });
}

/** A payment for what is at the path, which somebody has to carry to the site. */
async function payFor(path: string): Promise<Record<string, string>> {
  const url = site.origin + path;
  const refused = await fetch(url);
  const offer = JSON.parse(Buffer.from(refused.headers.get("payment-required") ?? "", "base64").toString());
  const { paymentSignature = "" } = await funded.program.pay(offer, url, micros(PRICE));
  return { "payment-signature": paymentSignature };
}

it(
  "delivers nothing without its provider, and takes the same payment when it is back",
  async () => {
    await openSite(FRAMEWORKS.express);
    const asked = ["/forecast/monday", "/later/monday"];
    const headers = [];
    for (const path of asked) headers.push(await payFor(path));
    await provider.kill();
    for (const [index, path] of asked.entries()) {
      const answer = await fetch(site.origin + path, { headers: headers[index] ?? {} });
      expect(answer.status, path).toBeGreaterThanOrEqual(402);
      expect(await answer.text()).not.toContain("Rain");
    }
    // Who has not paid is told the price all the same.
    expect((await fetch(`${site.origin}/forecast/tuesday`)).status).toBe(402);
    expect(served).toEqual([]);
    await provider.restart();
    for (const [index, path] of asked.entries())
      expect(await (await fetch(site.origin + path, { headers: headers[index] ?? {} })).text()).toContain(
        "Rain",
      );
    await expect.poll(() => settledBalance(asked), { timeout: TIMEOUT_MS }).toBe(TOP_UP - 2n * PRICE);
  },
  TIMEOUT_MS,
);

it(
  "delivers nothing where the provider dies while it works, and is paid once for what it then delivers",
  async () => {
    await openSite(FRAMEWORKS.hono);
    let kills = 0;
    handle = async (path) => {
      kills += 1;
      if (kills === 1) await provider.kill();
      return `Rain at ${path}.`;
    };
    const headers = await payFor("/forecast/monday");
    const answer = await fetch(`${site.origin}/forecast/monday`, { headers });
    expect(answer.status).toBeGreaterThanOrEqual(402);
    expect(await answer.text()).not.toContain("Rain");
    await provider.restart();
    const again = await fetch(`${site.origin}/forecast/monday`, { headers });
    expect(await again.text()).toBe("Rain at /forecast/monday.");
    await expect
      .poll(() => settledBalance(["/forecast/monday"]), { timeout: TIMEOUT_MS })
      .toBe(TOP_UP - PRICE);
  },
  TIMEOUT_MS,
);

it(
  "is paid once where the provider takes the payment and dies before it has said so, in either flow",
  async () => {
    await openSite(FRAMEWORKS.express);
    for (const path of ["/forecast/monday", "/later/monday"]) {
      const headers = await payFor(path);
      meet = async (asked) => {
        if (!asked.endsWith("/settle")) return false;
        await provider.kill();
        return true;
      };
      const answer = await fetch(site.origin + path, { headers });
      expect(answer.status, path).toBeGreaterThanOrEqual(402);
      expect(await answer.text()).not.toContain("Rain");
      meet = async () => false;
      await provider.restart();
      // A program that tries again is delivered to by its receipt or by the payment that it has.
      const pay = createPayingFetch(funded.program, { max: micros(PRICE) });
      expect(await (await pay(site.origin + path)).text()).toBe(`Rain at ${path}.`);
    }
    await expect
      .poll(() => settledBalance(["/forecast/monday", "/later/monday"]), { timeout: TIMEOUT_MS })
      .toBe(TOP_UP - 2n * PRICE);
  },
  TIMEOUT_MS,
);

/** When the wallet knows how all of them ended; undefined before. */
async function settledBalance(paths: readonly string[]): Promise<bigint | undefined> {
  const { payments } = await funded.program.wallet.exportHistory({ kind: "ui", type: "exportHistory" });
  for (const { resource, id } of payments) await funded.program.outcome(id, resource).catch(() => undefined);
  const paid = payments
    .filter(({ state }) => state === "paid")
    .map(({ resource }) => new URL(resource).pathname);
  return paid.toSorted().join() === paths.toSorted().join() ? funded.balance() : undefined;
}
