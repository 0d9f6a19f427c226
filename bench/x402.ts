/**
 * Paid requests a second at a site behind unmodified `@x402/express`: each with a payment of its own, sealed by its reader, that
 * the site has verified and settled by a real provider. Beside it the same site, whose facilitator says yes to everything.
 *
 * The two take turns, so that both meet whatever else the machine does.
 */
import { randomBytes } from "node:crypto";
import { toHex, utf8 } from "../shared/bytes.ts";
import { paymentBinding, sealTo } from "../shared/hpke.ts";
import type { ProofJson } from "../shared/protocol/cashu.ts";
import { networkOf } from "../shared/protocol/x402.ts";
import type { Load } from "./load.ts";
import { MERCHANT, type PreparedProvider, prepareProvider } from "./payments.ts";
import { type Running, sendLoad, startServer } from "./process.ts";
import { type Part, percentile } from "./row.ts";

const CONNECTIONS = 64;
const ROUNDS = 5;
const REQUESTS_PER_ROUND = 600;
/** Those of the first round only warm up. */
const COUNT = (ROUNDS + 1) * REQUESTS_PER_ROUND;
const SITE = "bench/servers/express.ts";

export const x402: Part = {
  name: "x402",
  async measure() {
    const prepared = await prepareProvider();
    const running: Running[] = [];
    const start = async (...of: Parameters<typeof startServer>) => {
      const server = await startServer(...of);
      running.push(server);
      return server;
    };
    try {
      await prepared.deps.merchants.put({
        id: MERCHANT,
        name: "The Lantern",
        origins: ["https://lantern.example"],
      });
      const coins = await prepared.coins(COUNT);
      const provider = await start("server/main.ts", [], {
        ...prepared.environment,
        // What it refuses while the machine is busy with others is no part of what is compared.
        TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
      });
      const stub = await start("bench/servers/facilitator.ts", [networkOf("USD")]);
      const paid = await start(SITE, [`${provider.address}/x402`, MERCHANT, prepared.origin]);
      const stubbed = await start(SITE, [stub.address, MERCHANT, prepared.origin]);
      const [signatures, likeThem] = await Promise.all(
        [paid, stubbed].map((site) => signaturesFor(prepared, site, coins)),
      );
      const rates: { readonly paid: number; readonly stubbed: number }[] = [];
      for (let round = 0; round <= ROUNDS; round++) {
        const measured = {
          paid: (await sendLoad(loadOf(paid, signatures ?? [], round))).perSecond,
          stubbed: (await sendLoad(loadOf(stubbed, likeThem ?? [], round))).perSecond,
        };
        if (round > 0) rates.push(measured);
      }
      await provider.end();
      const { differences } = await prepared.deps.ledger.audit();
      if (differences.length > 0) throw new Error(`the books do not balance:\n${differences.join("\n")}`);
      const middle = (values: readonly number[]) => percentile(values, 0.5);
      const stubRate = Math.round(middle(rates.map(({ stubbed: rate }) => rate))).toLocaleString("en-US");
      return [
        {
          name: "x402.paid_requests_per_s",
          value: middle(rates.map(({ paid: rate }) => rate)),
          unit: "/s",
          baseline: `@x402/express, ${CONNECTIONS} connections; its facilitator always says yes: ${stubRate}`,
        },
        {
          name: "x402.vs_stub",
          value: middle(rates.map((rate) => rate.paid / rate.stubbed)),
          unit: "×",
          aim: 0.8,
          baseline: `p50 of ${ROUNDS} turns`,
        },
      ];
    } finally {
      for (const server of running) await server.end();
      await prepared.remove();
    }
  },
};

/** As readers' wallets make them, one coin each, for what the site offers. */
async function signaturesFor(
  { deps }: PreparedProvider,
  { address }: Running,
  coins: readonly ProofJson[],
): Promise<string[]> {
  const offered = (await fetch(`${address}/tides`)).headers.get("payment-required") ?? "";
  const { accepts, resource } = JSON.parse(Buffer.from(offered, "base64").toString("utf8"));
  const [accepted] = accepts;
  const expiresAt = Math.floor(Date.now() / 1_000) + 3_600;
  const binding = paymentBinding(accepted, resource.url, expiresAt);
  return Promise.all(
    coins.map(async (proof) => {
      const payment = {
        paymentId: toHex(randomBytes(16)),
        proofs: [proof],
        holder: "h".repeat(43),
        refundHash: "0".repeat(64),
      };
      const content = utf8(JSON.stringify(payment));
      const sealed = await sealTo(deps.secrets.sealingPublicKey, "tuppence payment v1", binding, content);
      const payload = { x402Version: 2, resource, accepted, payload: { ...sealed, expiresAt } };
      return Buffer.from(JSON.stringify(payload)).toString("base64");
    }),
  );
}

function loadOf({ address }: Running, signatures: readonly string[], round: number): Load {
  const turn = signatures.slice(round * REQUESTS_PER_ROUND, (round + 1) * REQUESTS_PER_ROUND);
  return {
    url: `${address}/tides`,
    method: "GET",
    headers: {},
    bodies: turn.map(() => ""),
    ownHeaders: turn.map((signature) => ({ "payment-signature": signature })),
    connections: CONNECTIONS,
    expected: "All of it.",
  };
}
