/** What an operator's tools see of a provider, and its end: metrics, liveness, readiness, shutdown. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import * as v from "valibot";
import { afterEach, expect, it } from "vitest";
import { floatAccount } from "../../server/ledger/accounts.ts";
import { watchReadiness } from "../../server/readiness.ts";
import { freePort } from "../support/free-port.ts";
import { type ReadyPayment, readyPayments, receiptOf, registerMerchant, settle } from "./payments.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { untilTrue } from "./reader.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

it("tells the monitoring what was paid, refused, issued and how long it took", async () => {
  const test = await startTestProvider({ TUPPENCE_METRICS_PORT: "0" });
  await registerMerchant(test);
  const [first, second] = await readyPayments(test, 2);
  await settle(test, first?.body ?? "");
  await settle(test, first?.body ?? "");
  await settle(test, "{");
  await settle(test, second?.body.replace('"amount":"50000"', '"amount":"50001"') ?? "");
  await fetch(`${test.origin}/v1/keys/unknown`);

  const metrics = await (await fetch(`${test.provider.metricsAddress}/metrics`)).text();
  expect(metrics).toContain('tuppence_payments_total{outcome="paid"} 1');
  expect(metrics).toContain('tuppence_payments_total{outcome="replayed"} 1');
  expect(metrics).toContain('tuppence_payments_total{outcome="offer_invalid"} 1');
  expect(metrics).toContain('tuppence_refusals_total{code="request_invalid"} 1');
  expect(metrics).toContain('tuppence_refusals_total{code="cashu_12001"} 1');
  expect(metrics).toContain('tuppence_ledger_transfers_total{code="payment"} 1');
  expect(metrics).toContain(
    'tuppence_http_request_duration_seconds_count{method="POST",route="/x402/settle",status="200"} 3',
  );
  const keyset = test.provider.deps.mint.activeKeysetId();
  const float = await test.provider.deps.ledger.balance(floatAccount(keyset));
  expect(metrics).toContain(`tuppence_float_micros{keyset="${keyset}"} ${float}`);
  for (const name of [
    "tuppence_build_info",
    "tuppence_ledger_waiting_groups 0",
    "tuppence_ledger_batch_groups_count",
    "tuppence_curve_queue_tasks",
    "nodejs_eventloop_lag_p99_seconds",
  ])
    expect(metrics).toContain(name);
  await test.close();
});

it("counts groups that become durable together as one batch, and none as waiting afterwards", async () => {
  const test = await startTestProvider({ TUPPENCE_METRICS_PORT: "0" });
  await Promise.all(
    Array.from({ length: 30 }, () =>
      test.provider.deps.ledger.apply({
        id: randomBytes(16).toString("hex"),
        fingerprint: "",
        transfers: [],
        records: [],
      }),
    ),
  );
  await setImmediate();
  const metrics = await (await fetch(`${test.provider.metricsAddress}/metrics`)).text();
  expect(metrics).toContain("tuppence_ledger_batch_groups_sum 30");
  expect(metrics).toContain("tuppence_ledger_batch_groups_count 1");
  expect(metrics).toContain("tuppence_ledger_waiting_groups 0");
  await test.close();
});

it("names no payment, resource, merchant, account or address in its metrics, whatever is asked for", async () => {
  const test = await startTestProvider({ TUPPENCE_METRICS_PORT: "0" });
  await registerMerchant(test);
  const [payment] = await readyPayments(test, 1);
  await settle(test, payment?.body ?? "");
  await fetch(`${test.origin}/payments/${payment?.paymentId}`, { method: "POST" });
  await fetch(`${test.origin}/made-up/${payment?.paymentId}`, { method: "PROPFIND" });
  await fetch(`${test.origin}/merchants/the-lantern`);
  const metrics = await (await fetch(`${test.provider.metricsAddress}/metrics`)).text();
  for (const secret of [payment?.paymentId ?? "", "lantern", "made-up", "PROPFIND", "127.0.0.1"])
    expect(metrics).not.toContain(secret);
  await test.close();
});

it("serves metrics to nobody on the public origins, and nowhere unless it was told to", async () => {
  const test = await startTestProvider();
  expect(test.provider.metricsAddress).toBeUndefined();
  for (const origin of [test.origin, test.accountsOrigin])
    expect((await fetch(`${origin}/metrics`)).status).toBe(404);
  await test.close();
});

it("answers probes on any host, and no other request", async () => {
  const test = await startTestProvider();
  const statusOf = async (path: string) => {
    const asked = request(test.origin + path, { headers: { host: "10.1.2.3" } }).end();
    const [response] = v.parse(
      v.tuple([v.looseObject({ statusCode: v.number() })]),
      await once(asked, "response"),
    );
    asked.destroy();
    return response.statusCode;
  };
  expect(await statusOf("/healthz")).toBe(200);
  expect(await statusOf("/readyz")).toBe(200);
  expect(await statusOf("/v1/keysets")).toBe(421);
  await test.close();
});

it("is alive and not ready while its database does not answer", async () => {
  const test = await startTestProvider({ TUPPENCE_METRICS_PORT: "0" });
  await test.provider.deps.ledger.close();
  for (const address of [test.origin, test.provider.metricsAddress]) {
    const ready = await fetch(`${address}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: "not_ready", failed: ["database"] }]);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
  }
  await test.close();
});

it("is not ready where its threads for curve work fail or never answer", async () => {
  const test = await startTestProvider();
  const { deps } = test.provider;
  for (const ping of [() => Promise.reject(new Error("no thread")), () => new Promise<void>(() => undefined)])
    expect(await watchReadiness({ ...deps, mint: { ...deps.mint, ping } }).check()).toEqual(["curve_pool"]);
  expect(await watchReadiness(deps).check()).toEqual([]);
  await test.close();
});

it("answers whoever comes while it starts, and tells them when to come again", async () => {
  const port = await freePort();
  const starting = startTestProvider({ TUPPENCE_PORT: String(port) });
  const refusals: (string | null)[] = [];
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/keysets`).catch(() => undefined);
    if (answer?.ok) break;
    if (answer) refusals.push(`${answer.status} after ${answer.headers.get("retry-after")}`);
    else await setImmediate();
  }
  expect(new Set(refusals)).toEqual(new Set(["503 after 1"]));
  await (await starting).close();
});

it("says that it is not ready before it stops answering", async () => {
  const test = await startTestProvider({ TUPPENCE_SHUTDOWN_DELAY_SECONDS: "1" });
  const closing = test.close();
  const ready = await fetch(`${test.origin}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([503, { status: "not_ready", failed: ["shutdown"] }]);
  expect((await fetch(`${test.origin}/v1/keysets`)).status).toBe(200);
  await closing;
  await expect(fetch(`${test.origin}/v1/keysets`)).rejects.toThrow();
});

it("answers every payment that it accepted before it was told to end, and each answer is durable", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-shutdown-"));
  folders.push(folder);
  const test = await startTestProvider({ TUPPENCE_DATA: folder });
  await registerMerchant(test);
  const payments = await readyPayments(test, 40);
  let arrived = 0;
  test.provider.app.server.on("request", () => {
    arrived += 1;
  });
  const requests = payments.map((payment) => beginSettling(test, payment));
  // All have arrived, none is complete: the second half of each body comes after the end has begun.
  await untilTrue(async () => arrived === payments.length);
  const closing = test.close();
  await expect(connectAgain(test)).rejects.toThrow();
  const answers = await Promise.all(requests.map(({ finish }) => finish()));
  const receipts = answers.map((answer) => receiptOf(JSON.parse(answer)));
  expect(receipts.filter((receipt) => receipt !== undefined)).toHaveLength(payments.length);
  await closing;

  const after = await startTestProvider({
    TUPPENCE_DATA: folder,
    TUPPENCE_PORT: new URL(test.origin).port,
  });
  const replays = await Promise.all(
    payments.map(async ({ body }) => receiptOf(await (await settle(after, body)).json())),
  );
  expect(replays).toEqual(receipts);
  expect((await after.provider.deps.ledger.audit()).differences).toEqual([]);
  await after.close();
});

/** A new connection, which a provider that ends does not take. */
async function connectAgain({ origin }: TestProvider): Promise<unknown> {
  for (;;) {
    const asked = request(`${origin}/healthz`, { agent: false }).end();
    await once(asked, "response");
    asked.destroy();
  }
}

/** The head and half of the body now, the rest when the test says so. */
function beginSettling({ origin }: TestProvider, { body }: ReadyPayment) {
  const asked = request(`${origin}/x402/settle`, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
  });
  const answered = once(asked, "response");
  answered.catch(() => undefined);
  const half = Math.floor(body.length / 2);
  asked.write(body.slice(0, half));
  return {
    finish: async (): Promise<string> => {
      asked.end(body.slice(half));
      const [response] = await answered;
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}
