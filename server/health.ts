/** Liveness and readiness, on whatever host they are asked for: a probe knows an address, not the provider's name. */
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { describe } from "./openapi.ts";
import type { Readiness } from "./readiness.ts";

const NOT_READY_STATUS = 503;

/** Neither counted against an address nor refused under load: that would make a busy provider look like a dead one. */
const config = { side: "any", rateLimit: false, pressureHandler: () => undefined } as const;

export function registerHealth(app: FastifyInstance, readiness: Readiness): void {
  const aliveSchema = describe({
    summary: "Liveness: the process is up",
    tags: ["provider"],
    response: { 200: v.object({ status: v.literal("ok") }) },
  });
  app.get("/healthz", { config, schema: aliveSchema }, async () => ({ status: "ok" }));

  const readySchema = describe({
    summary: "Readiness: whether requests may be sent here",
    tags: ["provider"],
    response: {
      200: v.object({ status: v.literal("ready") }),
      [NOT_READY_STATUS]: v.object({ status: v.literal("not_ready"), failed: v.array(v.string()) }),
    },
  });
  app.get("/readyz", { config, schema: readySchema }, async (_, reply) => {
    const failed = await readiness.check();
    reply.header("cache-control", "no-store");
    if (failed.length === 0) return { status: "ready" };
    reply.code(NOT_READY_STATUS);
    return { status: "not_ready", failed };
  });
}
