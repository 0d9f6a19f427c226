import { describe, expect, it } from "vitest";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { createProviderClient } from "./index.ts";

const ORIGIN = "https://pay.example";
const ACCOUNTS = "https://accounts.pay.example";
const NOW_MS = 1_790_000_000_000;
const INFO = {
  name: "Example",
  origin: ORIGIN,
  accountsOrigin: ACCOUNTS,
  currency: "USD",
  unit: "usd6",
  network: "tuppence:usd",
  sandbox: true,
  sealingKey: { kty: "OKP", crv: "X25519", x: "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo" },
  topUps: { gateways: ["sandbox"], least: "1000000", most: "50000000" },
  largestPayment: "20000000",
};
const ACCOUNT = { id: "a".repeat(43), currency: "USD", balance: "5", frozen: false, withdrawable: "5" };

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

function clientOver(answer: (sent: Sent, index: number) => Response | Promise<Response>) {
  const sent: Sent[] = [];
  const client = createProviderClient({
    anonymousOrigin: ORIGIN,
    clock: { nowMs: () => NOW_MS },
    fetch: async (url, init) => {
      sent.push({ url, init });
      return answer({ url, init }, sent.length - 1);
    },
  });
  return { client, sent };
}

const json = (content: unknown, status = 200) => new Response(JSON.stringify(content), { status });
const problem = (code: string, status: number, details: object = {}) =>
  json({ type: `urn:tuppence:error:${code}`, title: "x", status, code, ...details }, status);
const authorization = ({ init }: Sent) => new Headers(init.headers).get("authorization");

describe("the client", () => {
  it("sends no account token to the anonymous origin, and no credentials anywhere", async () => {
    const { client, sent } = clientOver(({ url }) =>
      url.endsWith("tuppence.json") ? json(INFO) : json(url.startsWith(ACCOUNTS) ? ACCOUNT : { keys: [] }),
    );
    const key = await signingKeyFromSeed(new Uint8Array(32));
    await client.account(key);
    await client.jwks();
    for (const request of sent) {
      expect(request.init).toMatchObject({
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
      expect(authorization(request) !== null).toBe(request.url.startsWith(ACCOUNTS));
    }
    expect(sent.map(({ url }) => url)).toEqual([
      `${ORIGIN}/.well-known/tuppence.json`,
      `${ACCOUNTS}/accounts/me`,
      `${ORIGIN}/.well-known/jwks.json`,
    ]);
  });
  it("makes a token for each attempt and corrects a wrong clock", async () => {
    const { client, sent } = clientOver(({ url }, index) => {
      if (url.endsWith("tuppence.json")) return json(INFO);
      return index === 1 ? problem("clock_skew", 401, { serverTime: NOW_MS / 1_000 + 3_600 }) : json(ACCOUNT);
    });
    expect(await client.account(await signingKeyFromSeed(new Uint8Array(32)))).toMatchObject({
      id: ACCOUNT.id,
    });
    const times = sent
      .slice(1)
      .map((request) => JSON.parse(atob(authorization(request)?.split(".")[1] ?? "")).iat);
    expect(times).toEqual([NOW_MS / 1_000, NOW_MS / 1_000 + 3_600]);
  });
  it.each<[string, object]>([
    ["is the same as the anonymous one", { accountsOrigin: ORIGIN }],
    ["is not encrypted", { accountsOrigin: "http://accounts.pay.example" }],
    ["stands beside another provider's name", { origin: "https://other.example" }],
  ])("takes no accounts origin that %s", async (_, changes) => {
    const { client } = clientOver(() => json({ ...INFO, ...changes }));
    await expect(client.info()).rejects.toMatchObject({ code: "provider_answer_invalid" });
  });
  it("takes an unencrypted accounts origin on this machine only", async () => {
    const { client } = clientOver(() => json({ ...INFO, accountsOrigin: "http://localhost:4020" }));
    expect(await client.info()).toMatchObject({ accountsOrigin: "http://localhost:4020" });
  });
  it.each<[string, () => Response | Promise<Response>, string]>([
    ["nobody answers", () => Promise.reject(new TypeError("failed")), "provider_unreachable"],
    ["only a gateway answers", () => new Response("<h1>502</h1>", { status: 502 }), "provider_unreachable"],
    ["the answer is a web page", () => new Response("<h1>Welcome</h1>"), "provider_answer_invalid"],
    ["the answer lacks what it must have", () => json({ success: true }), "provider_answer_invalid"],
    ["the answer has no end", () => json({ pad: "x".repeat(1_000_001) }), "provider_answer_invalid"],
    ["the error is none that we know", () => problem("made_up", 400), "provider_answer_invalid"],
    ["it is refused with a code", () => problem("payment_expired", 410), "payment_expired"],
    ["it is refused with Cashu's number", () => json({ detail: "spent", code: 11_001 }, 400), "coin_spent"],
    [
      "it is refused with an unknown number",
      () => json({ detail: "?", code: 99_999 }, 400),
      "request_invalid",
    ],
  ])("says which error it is where %s", async (_, answer, code) => {
    const { client } = clientOver(answer);
    await expect(client.settle("{}")).rejects.toMatchObject({ code });
  });
  it.each<[string, Response, string]>([
    ["its own refusal", problem("rate_limited", 429), "rate_limited"],
    ["a gateway's", new Response("<h1>503</h1>", { status: 503 }), "provider_unreachable"],
  ])("passes on for how long the provider asks to be left alone, in %s", async (_, answer, code) => {
    answer.headers.set("retry-after", "17");
    const { client } = clientOver(() => answer);
    await expect(client.settle("{}")).rejects.toMatchObject({ code, details: { retryAfterSeconds: 17 } });
  });
  it("is not impressed by a Retry-After that is no number of seconds", async () => {
    const { client } = clientOver(() => {
      const answer = problem("overloaded", 503);
      answer.headers.set("retry-after", "Tue, 24 Nov 2099 00:00:00 GMT");
      return answer;
    });
    await expect(client.settle("{}")).rejects.toMatchObject({ code: "overloaded", details: {} });
  });
  it("sends a stored body as it is, byte for byte", async () => {
    const body = '{ "b": 1,  "a": 2 }';
    const { client, sent } = clientOver(() => json({}));
    await client.settle(body).catch(() => undefined);
    expect(sent[0]?.init.body).toBe(body);
  });
});
