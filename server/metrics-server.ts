/**
 * What the operator's monitoring asks for, on a port of its own: metrics, liveness, readiness. Prometheus expects a port
 * inside the network without a password; the public origins never serve metrics.
 */
import { type FastifyInstance, fastify } from "fastify";
import type { Config } from "./config.ts";
import { ConfigError } from "./config.ts";
import { registerHealth } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

export interface MetricsServer {
  readonly address: string;
  readonly close: () => Promise<void>;
}

export async function startMetricsServer(
  { metricsHost: host, metricsPort: port }: Config,
  { registry }: Metrics,
  readiness: Readiness,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined;
  const app: FastifyInstance = fastify({ forceCloseConnections: true });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  registerHealth(app, readiness);
  app.get("/metrics", async (_, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
  try {
    return { address: await app.listen({ host, port }), close: () => app.close() };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    throw new ConfigError(
      `TUPPENCE_METRICS_PORT is ${port}, which another program uses on ${host}; a value that would do: 9464.`,
    );
  }
}
