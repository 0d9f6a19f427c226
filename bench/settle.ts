/**
 * Payments a second over HTTP: the provider as an operator runs it, one coin and one request a payment, fully verified,
 * durable, receipt signed. Beside it, in the same run and driven the same way: the same requests at a Fastify route
 * that only parses and answers, and an Express site with stock x402 middleware whose facilitator always says yes.
 */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { networkOf } from "../shared/protocol/x402.ts";
import type { Load } from "./load.ts";
import { MERCHANT, paymentBodies, prepareProvider, swapBodies } from "./payments.ts";
import { type Running, sendLoad, startServer } from "./process.ts";
import type { Part } from "./row.ts";
import { measureWithdraws } from "./withdraw.ts";

const CONNECTIONS = 64;
const WARM_UP = 4_000;
const PAYMENTS = 20_000;
const SWAPS = 200;
const COINS_PER_SWAP = 20;
const EXPRESS_WARM_UP = 200;
const EXPRESS_REQUESTS = 2_000;
const IDLE_MS = 2_000;

export const settle: Part = {
  name: "settle",
  async measure() {
    const prepared = await prepareProvider();
    const running: Running[] = [];
    const start = async (...of: Parameters<typeof startServer>) => {
      const server = await startServer(...of);
      running.push(server);
      return server;
    };
    try {
      const payments = await paymentBodies(prepared, WARM_UP + PAYMENTS);
      const swaps = await swapBodies(prepared, 2 * SWAPS, COINS_PER_SWAP);
      const sample = JSON.stringify(answerLike());

      const provider = await start("server/main.ts", [], prepared.environment);
      await pause(IDLE_MS);
      const idleMb = residentMb(provider.pid);
      const paid = await measure(settleLoad(provider, payments, '"success":true'), WARM_UP);
      const swapped = await measure(
        { ...settleLoad(provider, swaps, '"signatures"'), url: `${provider.address}/v1/swap` },
        SWAPS,
      );
      const withdrawn = await measureWithdraws(prepared, provider);
      await provider.end();
      const { differences } = await prepared.deps.ledger.audit();
      if (differences.length > 0) throw new Error(`the books do not balance:\n${differences.join("\n")}`);

      const bare = await start("bench/servers/bare.ts", [sample]);
      const posted = await measure(settleLoad(bare, payments, '"success":true'), WARM_UP);
      await bare.end();

      const express = await measureExpress(start, prepared.origin);
      return [
        {
          name: "settle.payments_per_s",
          value: paid.perSecond,
          unit: "/s",
          baseline: `${CONNECTIONS} connections`,
        },
        { name: "settle.p99_ms", value: paid.p99Ms, unit: "ms", aim: 100 },
        {
          name: "settle.bare_post_per_s",
          value: posted.perSecond,
          unit: "/s",
          baseline: "Fastify, parses and answers",
        },
        { name: "settle.ratio", value: paid.perSecond / posted.perSecond, unit: "×", aim: 0.35 },
        {
          name: "x402_express.payments_per_s",
          value: express.perSecond,
          unit: "/s",
          baseline: "@x402/express, its facilitator always says yes",
        },
        { name: "settle.vs_x402_express", value: paid.perSecond / express.perSecond, unit: "×", aim: 10 },
        {
          name: "swap.coins_per_s",
          value: swapped.perSecond * COINS_PER_SWAP,
          unit: "/s",
          baseline: `${COINS_PER_SWAP} coins a request`,
        },
        {
          name: "withdraw.coins_per_s",
          value: withdrawn.coinsPerSecond,
          unit: "/s",
          baseline: `${withdrawn.coinsEach} coins, a quote and a request for them`,
        },
        { name: "memory.idle_mb", value: idleMb, unit: "MB" },
      ];
    } finally {
      for (const server of running) await server.end();
      await prepared.remove();
    }
  },
};

/** The first of the bodies only warm up. */
async function measure(load: Load, warmUp: number) {
  await sendLoad({ ...load, bodies: load.bodies.slice(0, warmUp) });
  return sendLoad({ ...load, bodies: load.bodies.slice(warmUp) });
}

export function settleLoad({ address }: Running, bodies: readonly string[], expected: string): Load {
  return {
    url: `${address}/x402/settle`,
    method: "POST",
    headers: { "content-type": "application/json" },
    bodies: [...bodies],
    connections: CONNECTIONS,
    expected,
  };
}

async function measureExpress(start: typeof startServer, origin: string) {
  const network = networkOf("USD");
  const facilitator = await start("bench/servers/facilitator.ts", [network]);
  const site = await start("bench/servers/express.ts", [facilitator.address, MERCHANT, origin]);
  const url = `${site.address}/tides`;
  const offered = (await fetch(url)).headers.get("payment-required") ?? "";
  const { accepts, resource } = JSON.parse(Buffer.from(offered, "base64").toString("utf8"));
  const payment = {
    x402Version: 2,
    resource,
    accepted: accepts[0],
    payload: { enc: "e", ct: "c", expiresAt: Math.floor(Date.now() / 1_000) + 3_600 },
  };
  const count = EXPRESS_WARM_UP + EXPRESS_REQUESTS;
  const result = await measure(
    {
      url,
      method: "GET",
      headers: { "payment-signature": Buffer.from(JSON.stringify(payment)).toString("base64") },
      bodies: Array.from({ length: count }, () => ""),
      connections: CONNECTIONS,
      expected: "All of it.",
    },
    EXPRESS_WARM_UP,
  );
  await site.end();
  await facilitator.end();
  return result;
}

/** As long as a real answer: a receipt of some 700 characters. */
function answerLike() {
  return {
    success: true,
    transaction: "0".repeat(32),
    network: networkOf("USD"),
    payer: "p".repeat(43),
    amount: "50000",
    extensions: { tuppence: { receipt: "r".repeat(700), contentKey: "k".repeat(43) } },
  };
}

/** What the operating system counts as the process's own memory. Linux only. */
function residentMb(pid: number): number {
  const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}
