/** A back end that is paid by MPP: found sound by `mppx validate`, understood by mppx's own code, paid by a program's wallet. */
import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { Challenge, Credential, Receipt } from "mppx";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createMppCharge, createRecordSource } from "../../merchant/server/index.ts";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import { micros } from "../../shared/money.ts";
import { createPayingFetch } from "../../wallet/node/index.ts";
import { type FundedProgram, openFundedProgram } from "../support/funded-program.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

const TOP_UP = 2_000_000n;
const PRICE = 50_000n;
const MERCHANT = "the-weather";
const SECRET = "a secret of this site's, which nobody else knows";

let provider: TestProvider;
let site: { readonly origin: string; readonly server: Server };
let funded: FundedProgram;
let served: string[];
let prices: Record<string, string>;
let aheadMs: number;
/** Whether the site reaches its provider. */
let isAway: boolean;
/** What becomes of an answer, after the site has made it. */
let loses: (path: string) => boolean;

beforeAll(async () => {
  provider = await startTestProvider();
  site = await startSite();
  await provider.provider.deps.merchants.put({ id: MERCHANT, name: "The Weather", origins: [site.origin] });
});
afterAll(async () => {
  await new Promise((resolve) => site.server.close(resolve));
  await provider.close();
});
beforeEach(async () => {
  served = [];
  prices = { "/gold": "50¢" };
  aheadMs = 0;
  isAway = false;
  loses = () => false;
  funded = await openFundedProgram(provider, TOP_UP);
});
afterEach(async () => {
  await funded.close();
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
});

async function startSite() {
  const deps = {
    provider: provider.origin,
    merchant: MERCHANT,
    realm: "127.0.0.1",
    secret: SECRET,
    now: () => Date.now() + aheadMs,
    fetch: async (...request: Parameters<typeof fetch>) => {
      if (isAway) throw new TypeError("fetch failed");
      return fetch(...request);
    },
  };
  const charge = createMppCharge({ ...deps, merchantRecord: createRecordSource(deps) });
  const server = createServer(async (request, response) => {
    const { pathname, href } = new URL(request.url ?? "", `http://${request.headers.host}`);
    if (pathname === "/openapi.json") return void response.end(JSON.stringify(DISCOVERY));
    const receipt = request.headers["payment-receipt"];
    const outcome = await charge(
      {
        resource: href,
        authorization: request.headers.authorization,
        receipt: typeof receipt === "string" ? receipt : undefined,
      },
      { price: prices[pathname] ?? "5¢", title: "Forecast" },
    );
    if (!outcome.isPaid) return void response.writeHead(outcome.status, outcome.headers).end(outcome.body);
    served.push(pathname);
    if (loses(pathname)) return void response.destroy();
    response.writeHead(200, outcome.headers).end(`Rain at ${pathname}.`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

const DISCOVERY = {
  openapi: "3.1.0",
  info: { title: "The Weather", version: "1" },
  paths: {
    "/forecast/monday": {
      get: {
        summary: "Monday's weather",
        "x-payment-info": { method: "tuppence", intent: "charge", amount: "50000", currency: "usd6" },
        responses: { 200: { description: "The weather" }, 402: { description: "Payment Required" } },
      },
    },
  },
};

const earned = () => provider.provider.deps.ledger.balance(merchantAccount(MERCHANT));
const buy = (path: string, init?: RequestInit, max = PRICE) =>
  createPayingFetch(funded.program, { max: micros(max) })(site.origin + path, init);
const send = (path: string, authorization: string) =>
  fetch(site.origin + path, { headers: { authorization } });

/** What mppx makes of the challenge, and of our wallet's payment a credential. */
async function credentialFor(path: string) {
  const challenge = Challenge.fromResponse(await fetch(site.origin + path));
  const { methodDetails } = challenge.request;
  const offer = Object(methodDetails).offer;
  const { paymentSignature = "" } = await funded.program.pay(offer, site.origin + path, micros(500_000n));
  const payload = JSON.parse(Buffer.from(paymentSignature, "base64").toString("utf8"));
  return { challenge, payload, header: Credential.serialize({ challenge, payload }) };
}

it("is found sound by mppx validate", async () => {
  const child = spawn(
    process.execPath,
    ["node_modules/mppx/dist/bin.js", "validate", site.origin, "--outputJson"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const printed = await text(child.stdout);
  const result = JSON.parse(printed);
  expect(result.summary, printed).toMatchObject({ failed: 0, warnings: 0 });
  expect(JSON.stringify(result)).toContain("Error response includes fresh challenge");
  expect(JSON.stringify(result)).toContain("tuppence/charge");
}, 120_000);

it("is paid by a program's wallet, and knows who comes back", async () => {
  const before = await earned();
  const response = await buy("/forecast/monday");
  expect([response.status, await response.text()]).toEqual([200, "Rain at /forecast/monday."]);
  const { status, method, reference } = Receipt.fromResponse(response);
  expect([status, method, reference]).toEqual([
    "success",
    "tuppence",
    expect.stringMatching(/^[0-9a-f]{32}$/),
  ]);
  expect((await buy("/forecast/monday", {}, 0n)).status).toBe(200);
  expect([await earned(), await funded.balance()]).toEqual([before + PRICE, TOP_UP - PRICE]);
});

it("has challenges that mppx verifies, and takes credentials that mppx writes", async () => {
  const { challenge, header } = await credentialFor("/forecast/tuesday");
  expect(Challenge.verify(challenge, { secretKey: SECRET })).toBe(true);
  expect(challenge).toMatchObject({
    method: "tuppence",
    intent: "charge",
    realm: "127.0.0.1",
    request: { amount: "50000", currency: "usd6", recipient: MERCHANT },
  });
  expect((await send("/forecast/tuesday", header)).status).toBe(200);
});

it("takes a credential once, and no second challenge for the same payment", async () => {
  const before = await earned();
  const { payload, header } = await credentialFor("/forecast/wednesday");
  const both = await Promise.all([1, 2].map(() => send("/forecast/wednesday", header)));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 402]);
  const again = Challenge.fromResponse(await fetch(`${site.origin}/forecast/wednesday`));
  const answer = await send("/forecast/wednesday", Credential.serialize({ challenge: again, payload }));
  expect([answer.status, (await answer.json()).type]).toEqual([
    402,
    "https://paymentauth.org/problems/invalid-challenge",
  ]);
  expect([await earned(), served]).toEqual([before + PRICE, ["/forecast/wednesday"]]);
});

it("delivers for no payment of another address, price, challenge or time", async () => {
  const { challenge, payload, header } = await credentialFor("/forecast/thursday");
  const problemOf = async (answer: Response) => {
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      402,
      expect.stringMatching(/^Payment /),
    ]);
    return String((await answer.json()).type)
      .split("/")
      .at(-1);
  };
  expect(await problemOf(await send("/forecast/friday", header))).toBe("verification-failed");
  const posed = { ...payload, resource: { url: `${site.origin}/forecast/friday` } };
  expect(
    await problemOf(await send("/forecast/friday", Credential.serialize({ challenge, payload: posed }))),
  ).toBe("verification-failed");
  const forged = { ...challenge, id: "x".repeat(43) };
  expect(
    await problemOf(await send("/forecast/thursday", Credential.serialize({ challenge: forged, payload }))),
  ).toBe("invalid-challenge");
  const longer = { ...challenge, expires: "2099-01-01T00:00:00Z" };
  expect(
    await problemOf(await send("/forecast/thursday", Credential.serialize({ challenge: longer, payload }))),
  ).toBe("invalid-challenge");
  prices["/forecast/thursday"] = "6¢";
  expect(await problemOf(await send("/forecast/thursday", header))).toBe("payment-insufficient");
  delete prices["/forecast/thursday"];
  aheadMs = 121_000;
  expect(await problemOf(await send("/forecast/thursday", header))).toBe("payment-expired");
  aheadMs = 0;
  for (const nonsense of [
    "Payment",
    "Payment ",
    "Payment e30",
    "payment bnVsbA",
    `Payment ${"A".repeat(9_000)}`,
  ])
    expect(await problemOf(await send("/forecast/thursday", nonsense)), nonsense.slice(0, 20)).toBe(
      "malformed-credential",
    );
  expect(await problemOf(await send("/forecast/thursday", "Bearer somebody"))).toBe("payment-required");
  expect(served).toEqual([]);
  expect((await send("/forecast/thursday", header)).status).toBe(200);
});

it("says that its provider is away, and takes the same credential when it is back", async () => {
  const before = await earned();
  const { header } = await credentialFor("/forecast/saturday");
  isAway = true;
  const answer = await send("/forecast/saturday", header);
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  isAway = false;
  expect((await send("/forecast/saturday", header)).status).toBe(200);
  expect(await earned()).toBe(before + PRICE);
});

it("delivers by the receipt where its answer was lost, and is paid once", async () => {
  const before = await earned();
  loses = () => served.length === 1;
  expect(await (await buy("/forecast/sunday")).text()).toBe("Rain at /forecast/sunday.");
  expect([await earned(), await funded.balance()]).toEqual([before + PRICE, TOP_UP - PRICE]);
});

it("is not paid more than was allowed, and not where that would take another credential's place", async () => {
  await expect(buy("/gold")).rejects.toThrow("It costs 50¢; at most 5¢ was allowed.");
  const headers = { authorization: "Bearer of-mine" };
  expect((await buy("/forecast/may", { headers })).status).toBe(402);
  expect([served, await funded.balance()]).toEqual([[], TOP_UP]);
});
