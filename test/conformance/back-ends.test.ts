/** Sites behind stock x402 middleware, paid through the provider as its facilitator by a program's wallet. */
import { request as rawRequest } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import { micros } from "../../shared/money.ts";
import { createPayingFetch, type ProgramWallet } from "../../wallet/node/index.ts";
import { type BackEnd, FRAMEWORKS, type Handler, PRICE } from "../support/back-ends.ts";
import { withdrawCoins } from "../support/coins.ts";
import { type FundedProgram, openFundedProgram } from "../support/funded-program.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

const TOP_UP = 2_000_000n;
const MERCHANT = "the-weather";
const OTHER_MERCHANT = "the-tides";
/** More than Node takes in headers. */
const HUGE = "a".repeat(40_000);
const NO_PAYMENTS = [
  "",
  "nonsense",
  "e30=",
  "bnVsbA==",
  "WzFd",
  Buffer.from('{"x402Version":2}').toString("base64"),
  Buffer.from('{"x402Version":1,"scheme":"exact","network":"tuppence:usd","payload":{}}').toString("base64"),
  Buffer.from(JSON.stringify({ x402Version: 2, accepted: {}, payload: null })).toString("base64"),
  Buffer.from(`${"[".repeat(3_000)}${"]".repeat(3_000)}`).toString("base64"),
];

let provider: TestProvider;
let funded: FundedProgram;
let program: ProgramWallet;
beforeAll(async () => {
  provider = await startTestProvider();
});
afterAll(() => provider.close());
beforeEach(async () => {
  funded = await openFundedProgram(provider, TOP_UP);
  program = funded.program;
});
afterEach(async () => {
  await funded.close();
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
});

const earned = (merchant = MERCHANT) => provider.provider.deps.ledger.balance(merchantAccount(merchant));
const balance = () => funded.balance();

describe.each(Object.entries(FRAMEWORKS))("a site built with %s", (_name, start) => {
  let site: BackEnd;
  let served: string[];
  let handle: Handler;
  const forecast: Handler = (path) => `Rain at ${path}.`;
  beforeEach(async () => {
    served = [];
    handle = forecast;
    site = await start({
      provider: provider.origin,
      merchant: MERCHANT,
      handle: (path) => {
        served.push(path);
        return handle(path);
      },
    });
    await register(MERCHANT, site.origin);
  });
  afterEach(() => site.close());

  const register = (id: string, origin: string) =>
    provider.provider.deps.merchants.put({ id, name: id, origins: [origin] });
  const buy = (path: string, origin = site.origin) =>
    createPayingFetch(program, { max: micros(500_000n) })(origin + path);

  /** The header of a payment that nobody has delivered yet. */
  async function payFor(path: string): Promise<Record<string, string>> {
    const { offer, url } = await offerOf(path);
    const { paymentSignature = "" } = await program.pay(offer, url, micros(500_000n));
    return { "payment-signature": paymentSignature };
  }
  async function offerOf(path: string) {
    const url = site.origin + path;
    const response = await fetch(url);
    expect(response.status).toBe(402);
    return { url, offer: decode(response.headers.get("payment-required")) };
  }
  const send = (path: string, headers: Record<string, string>) =>
    fetch(site.origin + path, { headers, redirect: "manual" });

  it("is paid, delivers, and lets who has paid come back for nothing", async () => {
    const before = await earned();
    expect(await (await buy("/forecast/monday")).text()).toBe("Rain at /forecast/monday.");
    expect(await (await buy("/forecast/monday")).text()).toBe("Rain at /forecast/monday.");
    expect([await earned(), await balance()]).toEqual([before + PRICE, TOP_UP - PRICE]);
    expect(served).toEqual(["/forecast/monday", "/forecast/monday"]);
  });

  it("is paid after its work by default, and before it where the route says upfront", async () => {
    const seen: bigint[] = [];
    const before = await earned();
    handle = async (path) => {
      seen.push((await earned()) - before);
      return forecast(path);
    };
    await buy("/forecast/monday");
    expect([seen, (await earned()) - before]).toEqual([[0n], PRICE]);
    expect(await (await buy("/later/monday")).text()).toBe("Rain at /later/monday.");
    expect([seen, (await earned()) - before]).toEqual([[0n, 2n * PRICE], 2n * PRICE]);
  });

  it("charges nothing for work that failed, where it is paid after it", async () => {
    handle = () => {
      throw new Error("out of order");
    };
    const before = await earned();
    const headers = await payFor("/forecast/monday");
    expect((await send("/forecast/monday", headers)).status).toBe(500);
    expect(await earned()).toBe(before);
    handle = forecast;
    expect((await send("/forecast/monday", headers)).status).toBe(200);
    expect(await earned()).toBe(before + PRICE);
  });

  it("was paid once for work that failed, where it is paid before it, and delivers when asked again", async () => {
    let attempts = 0;
    handle = (path) => {
      attempts += 1;
      if (attempts < 3) throw new Error("out of order");
      return forecast(path);
    };
    const before = await earned();
    expect(await (await buy("/later/monday")).text()).toBe("Rain at /later/monday.");
    expect([attempts, (await earned()) - before, await balance()]).toEqual([3, PRICE, TOP_UP - PRICE]);
  });

  it("does no work for a payment that fails, where it is paid before it", async () => {
    const headers = await payFor("/later/monday");
    const { payload, ...rest } = decode(headers["payment-signature"] ?? null);
    const altered = { ...rest, payload: { ...payload, ct: payload.ct.replace(/^.{8}/, "AAAAAAAA") } };
    const answer = await send("/later/monday", { "payment-signature": encode(altered) });
    expect([answer.status, served]).toEqual([402, []]);
    expect(decode(answer.headers.get("payment-response"))).toMatchObject({
      success: false,
      errorReason: "payment_sealed_invalid",
    });
  });

  it("opens no other article of the same price for a payment that was made, however often it is shown", async () => {
    const headers = await payFor("/forecast/monday");
    expect((await send("/forecast/monday", headers)).status).toBe(200);
    for (const other of ["/forecast/tuesday", "/forecast/monday?day=2", "/later/monday"])
      expect((await send(other, headers)).status, other).toBe(402);
    // Nor does it where the payment says that it is for the other one: the provider sees what it was sealed for.
    const { offer } = await offerOf("/forecast/tuesday");
    const posed = { ...decode(headers["payment-signature"] ?? null), accepted: offer.accepts[0] };
    for (const resource of [posed.resource, offer.resource])
      expect(
        (await send("/forecast/tuesday", { "payment-signature": encode({ ...posed, resource }) })).status,
      ).toBe(402);
    expect(served).toEqual(["/forecast/monday"]);
  });

  it("takes a payment again only as long as its offer stands: later the receipt says who has paid", async () => {
    const headers = await payFor("/forecast/monday");
    const upfront = await payFor("/later/monday");
    for (let time = 1; time <= 2; time++) {
      expect((await send("/forecast/monday", headers)).status).toBe(200);
      expect((await send("/later/monday", upfront)).status).toBe(200);
    }
    expect(served).toHaveLength(4);
    const before = provider.clock.ahead;
    provider.clock.ahead += 181_000;
    expect((await send("/forecast/monday", headers)).status).toBe(402);
    expect((await send("/later/monday", upfront)).status).toBe(402);
    expect(served).toHaveLength(4);
    provider.clock.ahead = before;
    expect((await buy("/forecast/monday")).status).toBe(200);
  });

  it("takes no coins in clear, and none for another price than its own", async () => {
    const { offer } = await offerOf("/forecast/monday");
    const [terms] = offer.accepts;
    const clear = {
      paymentId: "a".repeat(32),
      proofs: await withdrawCoins(provider.provider.deps, [Number(PRICE)]),
      holder: "h".repeat(43),
      refundHash: "0".repeat(64),
    };
    const signed = (accepted: unknown, payload: unknown) => ({
      "payment-signature": encode({ x402Version: 2, resource: offer.resource, accepted, payload }),
    });
    expect((await send("/forecast/monday", signed(terms, clear))).status).toBe(402);
    const paid = decode((await payFor("/forecast/monday"))["payment-signature"] ?? null);
    const cheaper = signed({ ...terms, amount: "1000" }, paid.payload);
    expect((await send("/forecast/monday", cheaper)).status).toBe(402);
    // A payment of 5¢ at what costs 50¢.
    expect((await send("/gold", signed(terms, paid.payload))).status).toBe(402);
    const gold = (await offerOf("/gold")).offer.accepts[0];
    expect((await send("/gold", signed(gold, paid.payload))).status).toBe(402);
    expect(served).toEqual([]);
  });

  it("opens for no receipt of another article, of another merchant, or of less than the price", async () => {
    await buy("/forecast/monday");
    const other = await start({ provider: provider.origin, merchant: OTHER_MERCHANT, handle: forecast });
    await register(OTHER_MERCHANT, other.origin);
    await buy("/forecast/monday", other.origin);
    const receiptFor = async (origin: string, merchant: string) => {
      const resource = `${origin}/forecast/monday`;
      const held = await program.bought(resource, { merchant, resource });
      return { "payment-receipt": `${held?.receipt}~${held?.holderProof}` };
    };
    const own = await receiptFor(site.origin, MERCHANT);
    const others = await receiptFor(other.origin, OTHER_MERCHANT);
    expect((await send("/forecast/monday", own)).status).toBe(200);
    expect((await send("/forecast/monday", others)).status).toBe(402);
    for (const path of ["/forecast/tuesday", "/gold"]) expect((await send(path, own)).status).toBe(402);
    await other.close();
  });

  it("neither fails nor delivers where the payment is none", async () => {
    for (const value of NO_PAYMENTS)
      for (const name of ["payment-signature", "payment-receipt", "x-payment"]) {
        const { status } = await send("/forecast/monday", { [name]: value });
        expect(status, `${name}: ${value.slice(0, 30)}`).toBe(402);
      }
    expect(served).toEqual([]);
  });

  it("survives headers of any size, and delivers nothing for them", async () => {
    for (const name of ["payment-signature", "payment-receipt"])
      expect(await statusOf(`${site.origin}/forecast/monday`, { [name]: HUGE })).toBe(431);
    expect(served).toEqual([]);
    expect((await buy("/forecast/monday")).status).toBe(200);
  });
});

/** Without `fetch`, which may refuse to send what is too large. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = rawRequest(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject);
    sent.end();
  });
}

const decode = (header: string | null) => JSON.parse(Buffer.from(header ?? "", "base64").toString("utf8"));
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
