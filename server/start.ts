/** The provider as a whole: environment, secrets, database, socket. `main.ts` runs it; tests and the tour start it as well. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { FastifyInstance } from "fastify";
import { createApp } from "./app.ts";
import { type Config, ConfigError, type Environment, readConfig } from "./config.ts";
import { createDeps, type Deps, type DepsOptions } from "./deps.ts";
import { observeProvider } from "./metrics.ts";
import { type MetricsServer, startMetricsServer } from "./metrics-server.ts";
import { watchReadiness } from "./readiness.ts";
import { createCounting } from "./revenue/index.ts";
import { settleAll, startSettlementSchedule } from "./settlement/index.ts";
import { prepareShutdown } from "./shutdown.ts";
import { createSiteChecks } from "./sites/index.ts";
import { finalizeTopUps } from "./topups/index.ts";
import { startWebhooks } from "./webhooks/index.ts";

export interface Provider {
  readonly config: Config;
  readonly deps: Deps;
  readonly app: FastifyInstance;
  /** Where metrics are served, if they are: `http://127.0.0.1:9464`. */
  readonly metricsAddress: string | undefined;
  /** Answers what is under way, then closes everything (shutdown.ts). Safe to call twice. */
  readonly close: () => Promise<void>;
}

const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
const HEADERS_TIMEOUT_MILLISECONDS = 10_000;
const KEEP_ALIVE_MILLISECONDS = 65_000;
const STARTING_RETRY_SECONDS = 1;
/** How often top-ups whose time has come are made final. */
const FINALIZE_EVERY_MILLISECONDS = 5_000;
/** How often what was paid is added up. An answer adds up what came since. */
const COUNT_EVERY_MILLISECONDS = 20_000;
/** How often it is looked whether a site's daily check is due. */
const CHECK_SITES_EVERY_MILLISECONDS = 20_000;

/** @throws ConfigError with one sentence for whoever starts it */
export async function startProvider(environment: Environment, options: DepsOptions = {}): Promise<Provider> {
  const { host, port } = readConfig(environment);
  // Bound before anything else: the default origins follow the real port, and a port in use changes nothing on disk.
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
  });
  server.on("request", refuseForNow);
  const config = readConfig(environment, await listen(server, host, port));
  let deps: Deps | undefined;
  let metricsServer: MetricsServer | undefined;
  try {
    deps = await createDeps(config, options);
    const readiness = watchReadiness(deps);
    let handle: RequestListener = refuseForNow;
    const app = await createApp(deps, {
      readiness,
      serverFactory: (handler) => {
        handle = handler;
        return server;
      },
    });
    await app.ready();
    metricsServer = await startMetricsServer(config, deps.metrics, readiness);
    if (metricsServer) observeProvider(deps.metrics, deps);
    const stopJobs = startJobs(deps);
    server.off("request", refuseForNow);
    server.on("request", handle);
    const close = prepareShutdown({
      server,
      readiness,
      delaySeconds: config.shutdownDelaySeconds,
      stopJobs,
      closeAll: async () => {
        await app.close();
        await metricsServer?.close();
        await deps?.close();
      },
    });
    return { config, deps, app, metricsAddress: metricsServer?.address, close };
  } catch (error) {
    server.close();
    await metricsServer?.close();
    await deps?.close();
    throw error;
  }
}

/** Between the port's opening and the last preparation. A request that nobody listened to would never be answered. */
function refuseForNow(...[, response]: Parameters<RequestListener>): void {
  response.writeHead(503, {
    "retry-after": `${STARTING_RETRY_SECONDS}`,
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "retry-after",
    connection: "close",
  });
  response.end();
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
  const { jobs } = deps.metrics;
  const onErrorOf = (job: string) => (error: unknown) => {
    jobs.inc({ job, result: "failed" });
    deps.logger.error({ err: error, job }, "a job failed");
  };
  const onDoneOf = (job: string) => () => jobs.inc({ job, result: "done" });
  const startJob = (job: string, run: () => Promise<void>, everyMilliseconds: number) =>
    repeat(() => run().then(onDoneOf(job), onErrorOf(job)), everyMilliseconds);

  const stops = [
    startSettlementSchedule({
      settle: () => settleAll(deps, { now: deps.now() }).then(onDoneOf("settle")),
      intervalSeconds: deps.config.settleEverySeconds,
      onError: onErrorOf("settle"),
    }),
    startJob("finalize", () => finalizeTopUps(deps), FINALIZE_EVERY_MILLISECONDS),
    startJob("revenue", createCounting(deps), COUNT_EVERY_MILLISECONDS),
    startJob("check sites", createSiteChecks(deps), CHECK_SITES_EVERY_MILLISECONDS),
    startWebhooks(deps, { onDone: onDoneOf("webhooks"), onError: onErrorOf("webhooks") }),
  ];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** One run at a time. The answer stops it, and waits for the run that is under way. */
function repeat(run: () => Promise<void>, everyMilliseconds: number): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = undefined;
    });
  }, everyMilliseconds);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
