/** What a wallet or a merchant has to know of a provider before anything else. */
import type { FastifyInstance } from "fastify";
import type * as v from "valibot";
import { Jwks, KeysetLog, ProviderInfo } from "../shared/protocol/provider.ts";
import { networkOf } from "../shared/protocol/x402.ts";
import type { Deps } from "./deps.ts";
import { describe } from "./openapi.ts";

const CACHE = "public, max-age=60";

export function registerWellKnown(app: FastifyInstance, deps: Deps): void {
  const { config, secrets } = deps;
  const route = (summary: string, response: v.GenericSchema) => ({
    config: { side: "anonymous" as const },
    schema: describe({ summary, tags: ["provider"], response: { 200: response } }),
  });

  app.get(
    "/.well-known/tuppence.json",
    route("The provider: names, origins, keys, limits", ProviderInfo),
    async (_, reply) => {
      reply.header("cache-control", CACHE);
      const info: v.InferInput<typeof ProviderInfo> = {
        name: config.name,
        origin: config.origin,
        accountsOrigin: config.accountsOrigin,
        currency: config.currency,
        unit: config.unit,
        network: networkOf(config.currency),
        sandbox: true,
        mode: config.mode,
        ...(config.counterpart && { counterpart: config.counterpart.origin }),
        sealingKey: secrets.sealingPublicKey,
        topUps: {
          gateways: ["sandbox"],
          least: config.topUpLeast.toString(),
          most: config.topUpMost.toString(),
        },
        largestPayment: config.largestPayment.toString(),
      };
      return info;
    },
  );

  app.get(
    "/.well-known/jwks.json",
    route("Keys of receipts and merchant records", Jwks),
    async (_, reply) => {
      reply.header("cache-control", CACHE);
      return { keys: [{ ...secrets.signingKey.publicJwk, kid: secrets.signingKeyId }] };
    },
  );

  app.get(
    "/.well-known/keysets.json",
    route("Every keyset there ever was, oldest first", KeysetLog),
    async (_, reply) => {
      // After a rotation a wallet must find the new one here as soon as it is told of it anywhere.
      reply.header("cache-control", "no-cache");
      return { keysets: deps.mint.keysetLog() };
    },
  );
}
