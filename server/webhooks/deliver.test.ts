import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MERCHANT, openShop, REFUND_WINDOW_SECONDS, type Shop } from "../../test/support/shop.ts";
import {
  isGenuine,
  startWebhookReceiver,
  type WebhookReceiver,
} from "../../test/support/webhook-receiver.ts";
import { createApiKey } from "../access/api-keys.ts";
import { settleAll } from "../settlement/index.ts";
import type { WebhookDeps } from "./deps.ts";
import { createWebhook, findWebhook, rotateSecret, updateWebhook } from "./endpoints.ts";
import { findEvent, listEvents, prune, replayEvent, replayFailed, sendTest } from "./log.ts";
import { createWebhookWorker, type WebhookWorker } from "./worker.ts";

const ALL = ["payment.paid", "payment.refunded", "settlement.created"] as const;
const DAY = 86_400_000;

let shop: Shop;
let deps: WebhookDeps;
let receiver: WebhookReceiver;
let worker: WebhookWorker;
const faults: unknown[] = [];

beforeEach(async () => {
  shop = await openShop({ TUPPENCE_PRIVATE_ADDRESSES: "allow" });
  deps = shop.deps;
  receiver = await startWebhookReceiver();
  worker = createWebhookWorker(deps, { onError: (error) => faults.push(error) });
});
afterEach(async () => {
  await worker.close();
  await receiver.close();
  await shop.close();
  expect(faults.splice(0)).toEqual([]);
});

const make = (more: { url?: string; events?: (typeof ALL)[number][] } = {}) =>
  createWebhook(deps, MERCHANT, { url: receiver.url, events: [...ALL], ...more });

/** Everything that is there to be told now. */
async function run(): Promise<void> {
  while (await worker.look());
  while (await worker.begin()) await worker.settled();
}

async function later(milliseconds: number): Promise<void> {
  shop.clock.now += milliseconds;
  await run();
}

const types = () => receiver.deliveries.map(({ payload }) => payload.type);

test("a payment, its refund and a settlement are told, in words that a merchant may know, and nothing of the reader", async () => {
  await make();
  const kept = await shop.pay();
  const returned = await shop.pay();
  await shop.refund(returned);
  await run();
  shop.clock.now += (REFUND_WINDOW_SECONDS + 1) * 1_000;
  await settleAll(deps as Shop["deps"], { now: shop.clock.now });
  await run();
  expect(types()).toEqual(["payment.paid", "payment.paid", "payment.refunded", "settlement.created"]);
  const events = receiver.deliveries.map(({ body }) => JSON.parse(body));
  const paid = events.find(({ data }) => data.paymentId === kept.payment.paymentId);
  const [refunded, settled] = events.slice(2);
  expect(paid).toEqual({
    type: "payment.paid",
    timestamp: expect.any(String),
    data: {
      merchant: MERCHANT,
      paymentId: kept.payment.paymentId,
      amount: "50000",
      currency: "USD",
      resource: "https://lantern.example/tides.html",
      kind: "article",
      paidAt: paid.timestamp,
    },
  });
  expect(refunded.data).toMatchObject({ paymentId: returned.payment.paymentId, amount: "50000" });
  expect(settled.data).toMatchObject({
    settlementId: `${MERCHANT}-1`,
    payments: "100000",
    refunds: "50000",
    fee: "5000",
  });
  const told = receiver.deliveries.map(({ body }) => body).join();
  for (const { payment } of [kept, returned]) {
    expect(told).not.toContain(payment.holder);
    expect(told).not.toContain(payment.refundHash);
  }
});

test("what happened before the webhook was made is not told, what happens then is told once", async () => {
  await shop.pay();
  shop.clock.now += 1;
  await make();
  const { payment } = await shop.pay(shop.offer(), [20_000, 20_000, 10_000]);
  await run();
  await later(DAY);
  expect(receiver.deliveries.map(({ payload }) => payload.data)).toMatchObject([
    { paymentId: payment.paymentId },
  ]);
});

test("only what was asked for is told", async () => {
  await make({ events: ["payment.refunded"] });
  await shop.refund(await shop.pay());
  await run();
  expect(types()).toEqual(["payment.refunded"]);
});

test("the stock library takes a delivery, with the new secret and for a day with the old one", async () => {
  shop.clock.now = Date.now();
  const { webhook, secret } = await make();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  await shop.pay();
  await run();
  const [first] = receiver.deliveries;
  if (!first) throw new Error("nothing came");
  expect(isGenuine(first, secret)).toBe(true);
  expect(isGenuine({ ...first, body: first.body.replace("50000", "50001") }, secret)).toBe(false);

  const rotated = await rotateSecret(deps, MERCHANT, webhook.id);
  expect(rotated.secret).not.toBe(secret);
  await shop.pay();
  await run();
  const [, second] = receiver.deliveries;
  if (!second) throw new Error("nothing came");
  expect([isGenuine(second, secret), isGenuine(second, rotated.secret)]).toEqual([true, true]);

  shop.clock.now += DAY;
  await shop.pay();
  await run();
  vi.useFakeTimers({ now: shop.clock.now, toFake: ["Date"] });
  const [, , third] = receiver.deliveries;
  if (!third) throw new Error("nothing came");
  const taken = [isGenuine(third, secret), isGenuine(third, rotated.secret)];
  vi.useRealTimers();
  expect(taken).toEqual([false, true]);
});

test("what failed comes again by the schedule, under the same id and with the same words, and is given up in the end", async () => {
  const { webhook } = await make();
  receiver.answer = 500;
  await shop.pay();
  await run();
  await later(4_000);
  expect(receiver.deliveries).toHaveLength(1);
  await later(2_000);
  expect(receiver.deliveries).toHaveLength(2);
  for (const minutes of [6, 33, 132, 330, 660, 924, 1_320, 1_584]) await later(minutes * 60_000);
  expect(receiver.deliveries).toHaveLength(10);
  await later(3 * DAY);
  expect(receiver.deliveries).toHaveLength(10);
  expect(new Set(receiver.deliveries.map(({ id, body }) => id + body)).size).toBe(1);
  const { events } = await listEvents(deps, webhook.id, { state: "failed" });
  expect(events).toMatchObject([{ id: receiver.deliveries[0]?.id, attempts: 10, nextAttemptAt: null }]);
});

test("a refund waits until its payment was delivered, while other payments go on", async () => {
  const { webhook } = await make();
  const returned = await shop.pay();
  receiver.answer = (delivery, response) => {
    const isFirst = delivery.body.includes(returned.payment.paymentId);
    response.writeHead(isFirst ? 503 : 200).end();
  };
  await run();
  await shop.refund(returned);
  const other = await shop.pay();
  await later(1);
  expect(receiver.deliveries.map(({ payload }) => payload.data)).toMatchObject([
    { paymentId: returned.payment.paymentId },
    { paymentId: other.payment.paymentId },
  ]);
  receiver.answer = 200;
  await later(10_000);
  expect(types()).toEqual(["payment.paid", "payment.paid", "payment.paid", "payment.refunded"]);
  expect((await findWebhook(deps, MERCHANT, webhook.id)).pendingEvents).toBe(0);
});

test.each([
  ["seconds", () => "7200"],
  ["a date", () => new Date(shop.clock.now + 7_200_000).toUTCString()],
])(
  "an endpoint that is busy is left in peace for as long as it says in %s, and told everything then",
  async (_, wish) => {
    await make();
    receiver.answer = (_delivery, response) => void response.writeHead(429, { "retry-after": wish() }).end();
    await shop.pay();
    await run();
    expect(receiver.deliveries).toHaveLength(1);
    receiver.answer = 200;
    await shop.pay();
    for (let quarters = 0; quarters < 7; quarters++) await later(15 * 60_000);
    expect(receiver.deliveries).toHaveLength(1);
    await later(16 * 60_000);
    expect(receiver.deliveries).toHaveLength(3);
  },
);

test("an endpoint that asked to be left in peace is told at once what its owner replays or tests", async () => {
  const { webhook } = await make();
  receiver.answer = (_delivery, response) => void response.writeHead(503, { "retry-after": "86400" }).end();
  await shop.pay();
  await run();
  receiver.answer = 200;
  const [event] = (await listEvents(deps, webhook.id, {})).events;
  await replayEvent(deps, MERCHANT, webhook.id, event?.id ?? "");
  await run();
  expect(receiver.deliveries).toHaveLength(2);
});

test.each([["an hour"], ["-5"], ["99999999999"], [""]])(
  "an endpoint that says %o of when to come back is asked by the schedule",
  async (wish) => {
    await make();
    receiver.answer = (_delivery, response) => void response.writeHead(503, { "retry-after": wish }).end();
    await shop.pay();
    await run();
    receiver.answer = 200;
    await later(6_000);
    expect(receiver.deliveries).toHaveLength(2);
  },
);

test("a redirect, a silent server and nobody there are failures that the log tells apart", async () => {
  const { webhook } = await make();
  receiver.answer = (_delivery, response) =>
    void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end("moved\0away");
  await shop.pay();
  await run();
  await updateWebhook(deps, MERCHANT, webhook.id, { url: "http://127.0.0.1:1/" });
  await later(6_000);
  const [event] = (await listEvents(deps, webhook.id, {})).events;
  const { attempts } = await findEvent(deps, webhook.id, event?.id ?? "");
  expect(attempts.map(({ outcome, status, answer }) => [outcome, status, answer])).toEqual([
    ["unreachable", null, ""],
    ["refused", 302, "moved away"],
  ]);
});

test("an endpoint that is gone is asked no more, and told the rest when it is enabled again", async () => {
  const { webhook } = await make();
  receiver.answer = 410;
  await shop.pay();
  await run();
  expect((await findWebhook(deps, MERCHANT, webhook.id)).disabled).toMatchObject({ reason: "gone" });
  await shop.pay();
  await later(DAY);
  expect(receiver.deliveries).toHaveLength(1);
  receiver.answer = 200;
  await updateWebhook(deps, MERCHANT, webhook.id, { enabled: true });
  await run();
  expect(receiver.deliveries).toHaveLength(3);
});

test("where nothing went through for days the endpoint is disabled, and one event that fails disables nothing", async () => {
  const { webhook } = await make();
  receiver.answer = 500;
  await shop.pay();
  await run();
  for (let hour = 0; hour < 100; hour++) await later(3_600_000);
  const after = await findWebhook(deps, MERCHANT, webhook.id);
  expect(after).toMatchObject({ disabled: null, failingSince: expect.any(Number), pendingEvents: 0 });
  await shop.pay();
  for (let hour = 0; hour < 30; hour++) await later(3_600_000);
  expect((await findWebhook(deps, MERCHANT, webhook.id)).disabled).toMatchObject({ reason: "failing" });
});

test("a failing endpoint is asked one thing at a time, and with pauses", async () => {
  await make();
  receiver.answer = 500;
  for (let payment = 0; payment < 12; payment++) await shop.pay();
  await worker.look();
  await worker.begin();
  await worker.settled();
  expect(receiver.deliveries).toHaveLength(8);
  await worker.begin();
  expect(receiver.deliveries).toHaveLength(8);
  shop.clock.now += 6 * 60_000;
  await worker.begin();
  await worker.settled();
  expect(receiver.deliveries).toHaveLength(9);
});

test("a slow endpoint holds up no other", async () => {
  const slow = await startWebhookReceiver();
  slow.answer = () => {};
  try {
    await make({ url: slow.url });
    await make();
    for (let payment = 0; payment < 10; payment++) await shop.pay();
    await worker.look();
    while (await worker.begin());
    while (receiver.deliveries.length < 10) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await worker.begin();
    }
    expect(slow.deliveries.length).toBeLessThanOrEqual(8);
  } finally {
    await worker.close();
    await slow.close();
  }
});

test("what a stopped process had under way is told again at once, not counted as a failure", async () => {
  const { webhook } = await make();
  receiver.answer = () => {};
  await shop.pay();
  await worker.look();
  await worker.begin();
  while (receiver.deliveries.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await worker.close();
  receiver.answer = 200;
  worker = createWebhookWorker(deps, { onError: (error) => faults.push(error) });
  await run();
  expect(receiver.deliveries).toHaveLength(2);
  const [event] = (await listEvents(deps, webhook.id, {})).events;
  expect(event).toMatchObject({ state: "delivered", attempts: 1 });
});

test("who died with an event under way loses it to another when the lease ends, and not before", async () => {
  await make();
  await shop.pay();
  await worker.look();
  const dead = createWebhookWorker(
    { ...deps, ledger: { ...deps.ledger, group: () => new Promise(() => {}) } },
    { onError: () => {} },
  );
  await dead.begin();
  await later(29_000);
  expect(receiver.deliveries).toHaveLength(0);
  await later(2_000);
  expect(receiver.deliveries).toHaveLength(1);
});

test("an outcome that comes after its lease ended changes nothing: another process has told it since", async () => {
  const { webhook } = await make();
  const held: (() => void)[] = [];
  receiver.answer = (_delivery, response) => void held.push(() => response.writeHead(500).end());
  await shop.pay();
  await worker.look();
  await worker.begin();
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  shop.clock.now += 31_000;
  receiver.answer = 500;
  const other = createWebhookWorker(deps, { onError: (error) => faults.push(error) });
  await other.begin();
  await other.settled();
  const stateOf = async () => (await listEvents(deps, webhook.id, {})).events;
  const before = await stateOf();
  expect(before).toMatchObject([{ state: "pending", attempts: 1 }]);
  shop.clock.now += 1_000;
  for (const release of held) release();
  await worker.settled();
  expect(await stateOf()).toEqual(before);
});

test.each([
  ["beside others", 1],
  ["where there was nothing", 0],
])(
  "a payment and its refund that come between two questions to the ledger are told, %s",
  async (_, before) => {
    await make();
    for (let payment = 0; payment < before; payment++) await shop.pay();
    let isFirst = true;
    const ledger: WebhookDeps["ledger"] = {
      ...deps.ledger,
      async transfers(query) {
        const page = await deps.ledger.transfers(query);
        if (isFirst && query.side === "credit") {
          isFirst = false;
          await shop.refund(await shop.pay());
        }
        return page;
      },
    };
    worker = createWebhookWorker({ ...deps, ledger }, { onError: (error) => faults.push(error) });
    await run();
    await run();
    expect(types().toSorted()).toEqual([
      ...Array.from({ length: before + 1 }, () => "payment.paid"),
      "payment.refunded",
    ]);
  },
);

test("a payment with many coins that is found several times at once is told once, and counted", async () => {
  await make();
  receiver.answer = 200;
  await shop.pay(shop.offer(), [20_000, 20_000, 10_000]);
  const reading = Array.from({ length: 3 }, () => worker.look());
  await Promise.all(reading);
  await run();
  expect(receiver.deliveries).toHaveLength(1);
  expect(await shop.deps.metrics.registry.metrics()).toContain(
    'tuppence_webhook_attempts_total{outcome="delivered"} 1',
  );
});

test("two processes that look at the same moment tell an event once", async () => {
  await make();
  for (let payment = 0; payment < 20; payment++) await shop.pay();
  const other = createWebhookWorker(deps, { onError: (error) => faults.push(error) });
  await Promise.all([worker.look(), other.look()]);
  for (let turn = 0; turn < 5; turn++) {
    await Promise.all([worker.begin(), other.begin()]);
    await Promise.all([worker.settled(), other.settled()]);
  }
  expect(receiver.deliveries).toHaveLength(20);
  expect(new Set(receiver.deliveries.map(({ id }) => id)).size).toBe(20);
});

test("a delivered event is replayed under its id; what failed is replayed from a moment on, payment before refund", async () => {
  const { webhook } = await make();
  const returned = await shop.pay();
  await shop.refund(returned);
  const isAbout = ({ body }: { body: string }) => body.includes(returned.payment.paymentId);
  receiver.answer = (delivery, response) => response.writeHead(isAbout(delivery) ? 500 : 200).end();
  for (let days = 0; days < 8; days++) {
    // What goes through meanwhile keeps the endpoint enabled.
    await shop.pay();
    for (let hour = 0; hour < 24; hour++) await later(3_600_000);
  }
  expect((await listEvents(deps, webhook.id, { state: "failed" })).events).toHaveLength(2);
  receiver.answer = 200;
  const before = receiver.deliveries.length;
  expect(await replayFailed(deps, MERCHANT, webhook.id, shop.clock.now)).toEqual({ replayed: 0, left: 0 });
  expect(await replayFailed(deps, MERCHANT, webhook.id, 0)).toEqual({ replayed: 2, left: 0 });
  await run();
  expect(types().slice(before)).toEqual(["payment.paid", "payment.refunded"]);
  const id = receiver.deliveries[before]?.id ?? "";
  await replayEvent(deps, MERCHANT, webhook.id, id);
  await run();
  expect(receiver.deliveries.slice(before).map((delivery) => delivery.id === id)).toEqual([
    true,
    false,
    true,
  ]);
});

test("a test is sent once and never again, and not more often than ten times a minute", async () => {
  const { webhook } = await make();
  receiver.answer = 500;
  await sendTest(deps, MERCHANT, webhook.id);
  await run();
  await later(DAY);
  expect(types()).toEqual(["test"]);
  for (let sent = 0; sent < 10; sent++) await sendTest(deps, MERCHANT, webhook.id);
  await expect(sendTest(deps, MERCHANT, webhook.id)).rejects.toMatchObject({ code: "rate_limited" });
});

test("a name that leads to this machine is refused when the webhook is made, and at a delivery, where it changed since", async () => {
  const addresses = { now: ["8.8.8.8"] };
  const strict: WebhookDeps = {
    ...deps,
    config: { ...deps.config, mayCallPrivateAddresses: false },
    resolve: async () => addresses.now,
  };
  const making = (url: string) => createWebhook(strict, MERCHANT, { url, events: [...ALL] });
  for (const url of ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://10.0.0.1/"])
    await expect(making(url)).rejects.toMatchObject({
      code: "webhook_address_refused",
      details: { reason: "address_private" },
    });
  await expect(making("http://paper.example/")).rejects.toMatchObject({ details: { reason: "not_https" } });
  const { webhook } = await making("https://paper.example/hooks");
  await expect(
    updateWebhook(strict, MERCHANT, webhook.id, { url: "https://192.168.0.1/" }),
  ).rejects.toMatchObject({
    code: "webhook_address_refused",
  });
  const port = new URL(receiver.url).port;
  await updateWebhook(strict, MERCHANT, webhook.id, { url: `https://paper.example:${port}/` });
  addresses.now = ["127.0.0.1"];
  await shop.pay();
  const strictWorker = createWebhookWorker(strict, { onError: (error) => faults.push(error) });
  await strictWorker.look();
  await strictWorker.begin();
  await strictWorker.settled();
  expect(receiver.deliveries).toHaveLength(0);
  const [event] = (await listEvents(deps, webhook.id, {})).events;
  const { attempts } = await findEvent(deps, webhook.id, event?.id ?? "");
  expect(attempts).toMatchObject([{ outcome: "address_private", status: null }]);
});

test("the log is kept for a month, and what still waits is kept", async () => {
  const { webhook } = await make();
  await shop.pay();
  await run();
  await later(31 * DAY);
  receiver.answer = 500;
  await shop.pay();
  await run();
  await prune(deps);
  expect((await listEvents(deps, webhook.id, {})).events).toMatchObject([{ state: "pending" }]);
});

test("another merchant's key and a key without the scope open no route", async () => {
  await shop.registerMerchant("the-other", ["https://other.example"], shop.sealKey);
  const { webhook } = await make();
  await shop.pay();
  await run();
  const event = receiver.deliveries[0]?.id ?? "";
  const scopes = ["webhooks:read", "webhooks:write"] as const;
  const strangers = await createApiKey(shop.deps, "the-other", { name: "Another", scopes: [...scopes] });
  const reader = await createApiKey(shop.deps, MERCHANT, { name: "Reads", scopes: ["webhooks:read"] });
  const other = await createApiKey(shop.deps, MERCHANT, { name: "Sites", scopes: ["sites:read"] });
  const own = await createApiKey(shop.deps, MERCHANT, { name: "All", scopes: [...scopes] });
  const path = `/webhooks/${webhook.id}`;
  const routes: [method: "GET" | "POST" | "DELETE", path: string, body?: object][] = [
    ["GET", "/webhooks"],
    ["GET", path],
    ["GET", `${path}/events`],
    ["GET", `${path}/events/${event}`],
    ["POST", "/webhooks", { url: receiver.url, events: ["payment.paid"] }],
    ["POST", path, { enabled: true }],
    ["POST", `${path}/secret`],
    ["POST", `${path}/test`],
    ["POST", `${path}/replay`, { since: 0 }],
    ["POST", `${path}/events/${event}/replay`],
    ["DELETE", path],
  ];
  const described = Object.entries(shop.app.swagger().paths ?? {})
    .filter(([path]) => path.startsWith("/api/merchants/{merchant}/webhooks"))
    .flatMap(([, operations]) => Object.keys(operations ?? {}));
  expect(routes).toHaveLength(described.length);
  const ask = async (token: string, merchant: string, [method, path, body]: (typeof routes)[number]) => {
    const answer = await shop.app.inject({
      method,
      url: `/api/merchants/${merchant}${path}`,
      headers: { host: "localhost:4020", ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body }),
    });
    return answer.statusCode < 300 ? "ok" : answer.json().code;
  };
  for (const route of routes) {
    expect([route, await ask("", MERCHANT, route)]).toEqual([route, "access_required"]);
    expect([route, await ask(strangers.token, MERCHANT, route)]).toEqual([route, "merchant_unknown"]);
    expect([route, await ask(other.token, MERCHANT, route)]).toEqual([route, "scope_missing"]);
    // By a merchant's own address the webhook of another is none.
    if (route[1] !== "/webhooks")
      expect([route, await ask(strangers.token, "the-other", route)]).toEqual([route, "webhook_unknown"]);
    if (route[0] !== "GET")
      expect([route, await ask(reader.token, MERCHANT, route)]).toEqual([route, "scope_missing"]);
    expect([route, await ask(own.token, MERCHANT, route)]).toEqual([route, "ok"]);
  }
});
