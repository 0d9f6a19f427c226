/** What holds for every request, whichever domain answers it: bad input gets its own answer, and never a fault of ours. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Problem } from "../../shared/protocol/provider.ts";
import { makeAccount, startTestProvider, type TestProvider } from "./provider.ts";

let test: TestProvider;
beforeAll(async () => {
  test = await startTestProvider();
});
afterAll(() => test.close());

const JSON_BODY = { "content-type": "application/json" };

it.each([
  ["an address that there is not", "GET", "/nope", {}, undefined, 404, "not_found"],
  [
    "a method that the address does not take",
    "DELETE",
    "/x402/settle",
    {},
    undefined,
    405,
    "method_not_allowed",
  ],
  [
    "a method that an address with an id does not take",
    "PUT",
    "/payments/abc",
    {},
    undefined,
    405,
    "method_not_allowed",
  ],
  ["a body that is no JSON", "POST", "/x402/settle", JSON_BODY, "{", 400, "request_invalid"],
  ["an empty body", "POST", "/x402/settle", JSON_BODY, "", 400, "request_invalid"],
  [
    "a body that tries to reach a prototype",
    "POST",
    "/x402/settle",
    JSON_BODY,
    '{"__proto__": {"x": 1}}',
    400,
    "request_invalid",
  ],
  [
    "a body of another type",
    "POST",
    "/x402/settle",
    { "content-type": "text/plain" },
    "hello",
    415,
    "unsupported_media_type",
  ],
  [
    "a body that is too large",
    "POST",
    "/x402/settle",
    JSON_BODY,
    `"${"x".repeat(300_000)}"`,
    413,
    "body_too_large",
  ],
  ["a body that is another message", "POST", "/x402/settle", JSON_BODY, "[]", 400, "request_invalid"],
  ["an address that does not decode", "GET", "/v1/keys/%E0%A4%A", {}, undefined, 400, "request_invalid"],
  [
    "a token on the anonymous side",
    "GET",
    "/v1/keys",
    { authorization: "Bearer x" },
    undefined,
    400,
    "account_token_not_allowed",
  ],
  ["an endpoint of the accounts' side", "POST", "/topups", JSON_BODY, "{}", 404, "wrong_origin"],
  ["a swap that is no swap", "POST", "/v1/swap", JSON_BODY, '{"inputs": []}', 400, "request_invalid"],
])("answers %s by its name", async (_, method, path, headers, body, status, code) => {
  const response = await fetch(test.origin + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const problem = v.parse(Problem, await response.json());
  expect(problem).toMatchObject({ status, code, type: `urn:tuppence:error:${code}` });
  expect(response.status).toBe(status);
  if (status === 405) expect(response.headers.get("allow")).toContain("POST");
});

it("never tells what was sent in what it refuses: a coin's secret stays out of the answer", async () => {
  const body = JSON.stringify({
    inputs: [{ amount: "much", id: "x", secret: "the-secret", C: "the-signature" }],
    outputs: [],
  });
  const text = await (
    await fetch(`${test.origin}/v1/swap`, { method: "POST", headers: JSON_BODY, body })
  ).text();
  expect(text).toContain("inputs.0");
  expect(text).not.toContain("the-s");
});

it("answers an unknown host with 421, and the anonymous side's endpoints nowhere else", async () => {
  expect(await statusWithHost("evil.example")).toBe(421);
  expect((await fetch(`${test.accountsOrigin}/x402/supported`)).status).toBe(404);
  expect((await fetch(`${test.accountsOrigin}/v1/keys`)).status).toBe(200);
});

it("opens the anonymous side to every page, without credentials, and the accounts' side to none", async () => {
  const preflight = {
    method: "OPTIONS",
    headers: {
      origin: "https://news.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  };
  const open = await fetch(`${test.origin}/x402/settle`, preflight);
  expect(open.headers.get("access-control-allow-origin")).toBe("*");
  expect(open.headers.get("access-control-allow-credentials")).toBeNull();
  const closed = await fetch(`${test.accountsOrigin}/topups`, preflight);
  expect(closed.headers.get("access-control-allow-origin")).toBeNull();
  expect(
    (
      await fetch(`${test.accountsOrigin}/healthz`, { headers: { origin: "https://news.example" } })
    ).headers.get("access-control-allow-origin"),
  ).toBeNull();
});

it("describes every endpoint of the two origins", async () => {
  const { paths } = v.parse(
    v.looseObject({ paths: v.record(v.string(), v.unknown()) }),
    await (await fetch(`${test.origin}/docs/json`)).json(),
  );
  for (const path of [
    "/v1/swap",
    "/x402/settle",
    "/accounts/me",
    "/topups",
    "/payments/{id}/refund",
    "/v1/mint/account",
  ])
    expect(Object.keys(paths)).toContain(path);
  expect((await fetch(`${test.origin}/docs`)).status).toBe(200);
});

it("limits how often one address may ask", async () => {
  const strict = await startTestProvider({ TUPPENCE_RATE_LIMIT_PER_MINUTE: "5" });
  const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(`${strict.origin}/v1/keysets`)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  const refused = answers.find(({ status }) => status === 429);
  expect(v.parse(Problem, await refused?.json()).code).toBe("rate_limited");
  expect((await fetch(`${strict.origin}/healthz`)).status).toBe(200);
  await strict.close();
});

it("knows an account by its signature over this very request, and by nothing else", async () => {
  const account = await makeAccount(test);
  const ask = async (token: string) => {
    const response = await fetch(`${test.accountsOrigin}/accounts/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const body = v.parse(v.looseObject({}), await response.json());
    return { status: response.status, ...body };
  };
  expect(await ask(await account.token("GET", "/accounts/me"))).toMatchObject({
    status: 200,
    id: account.id,
    balance: "0",
    frozen: false,
    withdrawable: "0",
  });
  expect(await ask(await account.token("POST", "/accounts/me"))).toMatchObject({
    code: "account_token_invalid",
  });
  expect(await ask(await account.token("GET", "/accounts/me?x"))).toMatchObject({
    code: "account_token_invalid",
  });
  expect(await ask(await account.token("GET", "/accounts/me", "a body"))).toMatchObject({
    code: "account_token_invalid",
  });
  expect(await ask("a.b.c")).toMatchObject({ code: "account_token_invalid", status: 401 });
  expect(await ask("")).toMatchObject({ code: "account_token_invalid" });
  const stranger = await makeAccount({ ...test, provider: test.provider });
  expect(stranger.id).not.toBe(account.id);
});

it("tells a wrong clock the time", async () => {
  const account = await makeAccount(test);
  const nowSeconds = Math.floor(Date.now() / 1_000);
  for (const iat of [nowSeconds - 120, nowSeconds + 120]) {
    const response = await fetch(`${test.accountsOrigin}/accounts/me`, {
      headers: { authorization: `Bearer ${await account.token("GET", "/accounts/me", "", iat)}` },
    });
    const problem = v.parse(Problem, await response.json());
    expect(problem.code).toBe("clock_skew");
    expect(Math.abs(Number(problem.serverTime) - nowSeconds)).toBeLessThan(30);
  }
});

it("refuses a top-up whose body was changed on its way", async () => {
  const account = await makeAccount(test);
  const body = JSON.stringify({ id: randomBytes(16).toString("hex"), amount: "5000000", gateway: "sandbox" });
  const authorization = `Bearer ${await account.token("POST", "/topups", body)}`;
  const response = await fetch(`${test.accountsOrigin}/topups`, {
    method: "POST",
    headers: { ...JSON_BODY, authorization },
    body: body.replace("5000000", "9000000"),
  });
  expect(v.parse(Problem, await response.json()).code).toBe("account_token_invalid");
});

/** `fetch` does not let one choose the host. */
function statusWithHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(test.origin);
    request({ host: "127.0.0.1", port, path: "/v1/keysets", headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}
