/** What PostgreSQL takes in no text (the character of number zero) is refused before it gets there. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { postgresDatabases } from "../support/database.ts";
import { runOn, startTestProvider, type TestProvider } from "./provider.ts";

runOn(postgresDatabases());

let test: TestProvider;
beforeAll(async () => {
  test = await startTestProvider();
});
afterAll(() => test.close());

const POINT = `02${"1".repeat(64)}`;
const OUTPUTS = [{ amount: 1_000, id: "00ffffffffffffff", B_: POINT }];
const INPUTS = [{ amount: 1_000, id: "00ffffffffffffff", secret: "\0", C: POINT }];

it.each([
  ["a quote for a withdraw", "/v1/mint/quote/account/%00", undefined, 404, "not_found"],
  ["a quote for a deposit", "/v1/melt/quote/account/%00", undefined, 404, "not_found"],
  ["a withdraw's quote", "/v1/mint/account", { quote: "\0", outputs: OUTPUTS }, 400, "request_invalid"],
  ["a deposit's quote", "/v1/melt/account", { quote: "\0", inputs: INPUTS }, 400, "request_invalid"],
  [
    "a deposit's account",
    "/v1/melt/quote/account",
    { request: "\0", unit: "usd6", amount: 1_000 },
    400,
    "request_invalid",
  ],
  ["a checkout", "/checkout/sandbox/%00", undefined, 404, undefined],
])("refuses it as %s", async (_, path, content, status, code) => {
  const response = await fetch(test.accountsOrigin + path, {
    ...(content && { method: "POST", body: JSON.stringify(content) }),
    headers: { "content-type": "application/json" },
  });
  expect(response.status).toBe(status);
  if (code !== undefined) expect(await response.json()).toMatchObject({ code });
});

it("refuses it, and half of a pair of surrogates, as the name of a merchant", async () => {
  for (const name of ["The\0Mirror", "The \ud83d Mirror"]) {
    const response = await fetch(`${test.accountsOrigin}/admin/merchants`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${test.provider.deps.secrets.adminToken}`,
      },
      body: JSON.stringify({ id: "the-mirror", name, origins: ["https://mirror.example"] }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "merchant_invalid" });
  }
});
