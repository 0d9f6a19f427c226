/** The provider as a whole: environment, secrets, database, socket. `main.ts` runs it; tests and the tour start it as well. */
import { createServer, type Server } from "node:http";
import type { FastifyInstance } from "fastify";
import { createApp } from "./app.ts";
import { type Config, ConfigError, type Environment, readConfig } from "./config.ts";
import { createDeps, type Deps, type DepsOptions } from "./deps.ts";
import { settleAll, startSettlementSchedule } from "./settlement/index.ts";
import { finalizeTopUps } from "./topups/index.ts";

export interface Provider {
  readonly config: Config;
  readonly deps: Deps;
  readonly app: FastifyInstance;
  /** Answers what is under way, then closes everything. Safe to call twice. */
  readonly close: () => Promise<void>;
}

const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
const HEADERS_TIMEOUT_MILLISECONDS = 10_000;
const KEEP_ALIVE_MILLISECONDS = 65_000;
/** How often top-ups whose time has come are made final. */
const FINALIZE_EVERY_MILLISECONDS = 5_000;

/** @throws ConfigError with one sentence for whoever starts it */
export async function startProvider(environment: Environment, options: DepsOptions = {}): Promise<Provider> {
  const { host, port } = readConfig(environment);
  // Bound before anything else: the default origins follow the real port, and a port in use changes nothing on disk.
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
  });
  const config = readConfig(environment, await listen(server, host, port));
  let deps: Deps | undefined;
  try {
    deps = await createDeps(config, options);
    const app = await createApp(deps, {
      serverFactory: (handler) => {
        server.on("request", handler);
        return server;
      },
    });
    await app.ready();
    return { config, deps, app, close: once(closing(server, app, deps, startJobs(deps))) };
  } catch (error) {
    server.close();
    await deps?.close();
    throw error;
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const busy = "code" in error && error.code === "EADDRINUSE";
      reject(
        busy
          ? new ConfigError(
              `TUPPENCE_PORT is ${port}, which another program uses on ${host}; a value that would do: 0, for any free one.`,
            )
          : error,
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
      resolve(address.port);
    });
  });
}

/** What happens by itself. A run that fails is logged; the next one finishes what it left. */
function startJobs(deps: Deps): () => Promise<void> {
  const onError = (error: unknown) => deps.logger.error({ err: error }, "a job failed");
  const stopSettling = startSettlementSchedule({
    settle: () => settleAll(deps, { now: deps.now() }),
    intervalSeconds: deps.config.settleEverySeconds,
    onError,
  });
  let finalizing: Promise<void> | undefined;
  const timer = setInterval(() => {
    finalizing ??= finalizeTopUps(deps)
      .catch(onError)
      .finally(() => {
        finalizing = undefined;
      });
  }, FINALIZE_EVERY_MILLISECONDS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await Promise.all([finalizing, stopSettling()]);
  };
}

function closing(
  server: Server,
  app: FastifyInstance,
  deps: Deps,
  stopJobs: () => Promise<void>,
): () => Promise<void> {
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await stopJobs();
    await app.close();
    // Whoever keeps a connection open after the last answer has had it.
    const impatience = setTimeout(() => server.closeAllConnections(), CLOSE_MILLISECONDS);
    await closed;
    clearTimeout(impatience);
    await deps.close();
  };
}

const CLOSE_MILLISECONDS = 2_000;

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= action();
    return done;
  };
}
