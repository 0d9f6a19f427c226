/** Limits and load: who is refused, who is not, and that everyone who is told "later" is told when. */
import * as v from "valibot";
import { afterEach, expect, it } from "vitest";
import { Problem } from "../../shared/protocol/provider.ts";
import { readyPayments, receiptOf, registerMerchant, settle } from "./payments.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

let test: TestProvider;
afterEach(() => test.close());

const LIMIT = 5;

async function limited(environment: Record<string, string> = {}): Promise<void> {
  test = await startTestProvider({ TUPPENCE_RATE_LIMIT_PER_MINUTE: String(LIMIT), ...environment });
  await registerMerchant(test);
}

const codeOf = async (answer: Response) => v.parse(Problem, await answer.json()).code;

it("says when to come again to whoever asks too often, and lets a wallet read it", async () => {
  await limited();
  for (let count = 0; count < LIMIT; count++) await fetch(`${test.origin}/v1/keysets`);
  const refused = await fetch(`${test.origin}/v1/keysets`, {
    headers: { origin: "https://lantern.example" },
  });
  expect([refused.status, await codeOf(refused)]).toEqual([429, "rate_limited"]);
  const seconds = Number(refused.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(refused.headers.get("access-control-expose-headers")).toContain("retry-after");
});

it("does not lock out a site whose readers all pay through its one address", async () => {
  await limited();
  for (const { body } of await readyPayments(test, 4 * LIMIT)) {
    const verified = await fetch(`${test.origin}/x402/verify`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(verified.status).toBe(200);
    expect(receiptOf(await (await settle(test, body)).json())).toBeDefined();
  }
});

it("counts what is no payment, and what was paid before, against the address", async () => {
  await limited();
  const [payment] = await readyPayments(test, 1);
  const statuses: number[] = [];
  for (let count = 0; count < 2 * LIMIT; count++)
    statuses.push((await settle(test, payment?.body ?? "")).status);
  expect(statuses.at(0)).toBe(200);
  expect(statuses.at(-1)).toBe(429);
});

it("counts each reader behind a trusted proxy alone", async () => {
  await limited({ TUPPENCE_TRUST_PROXY: "127.0.0.1" });
  for (let reader = 0; reader < 2 * LIMIT; reader++) expect(await statusFor(`203.0.113.${reader}`)).toBe(200);
  for (let count = 1; count < LIMIT; count++) expect(await statusFor("203.0.113.1")).toBe(200);
  expect(await statusFor("203.0.113.1")).toBe(429);
});

it("believes nobody who only says that they speak for others", async () => {
  await limited();
  for (let reader = 0; reader < LIMIT; reader++) expect(await statusFor(`203.0.113.${reader}`)).toBe(200);
  expect(await statusFor("203.0.113.99")).toBe(429);
});

async function statusFor(address: string): Promise<number> {
  const answer = await fetch(`${test.origin}/v1/keysets`, { headers: { "x-forwarded-for": address } });
  return answer.status;
}

it("refuses with a time when it cannot keep up, stays alive for probes, and takes requests again after that", async () => {
  test = await startTestProvider({ TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "5" });
  const refused = await untilStatus(503, () => keepLoopBusy(100));
  expect(await codeOf(refused)).toBe("overloaded");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  keepLoopBusy(100);
  expect((await fetch(`${test.origin}/healthz`)).status).toBe(200);
  expect((await fetch(`${test.origin}/readyz`)).status).toBe(200);
  await untilStatus(200, () => undefined);
});

/** Asks until it is answered so, with something in between. The test's own time limit ends it. */
async function untilStatus(status: number, between: () => void): Promise<Response> {
  for (;;) {
    between();
    const answer = await fetch(`${test.origin}/v1/keysets`);
    if (answer.status === status) return answer;
    await answer.arrayBuffer();
  }
}

function keepLoopBusy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
