/** The provider's HTTP interface: what holds for every request, and the list of the domains. */
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerFactory,
  fastify,
  LogController,
} from "fastify";
import * as v from "valibot";
import { registerAccounts } from "./accounts/index.ts";
import type { Deps } from "./deps.ts";
import { answer, answerErrors } from "./errors.ts";
import { registerGateways } from "./gateways/index.ts";
import { registerMerchants } from "./merchants/index.ts";
import { registerMint } from "./mint/index.ts";
import { describe } from "./openapi.ts";
import { separateOrigins, sideOf } from "./origins.ts";
import { registerPayments } from "./payments/index.ts";
import { registerSettlement } from "./settlement/index.ts";
import { registerTopUps } from "./topups/index.ts";
import { registerWellKnown } from "./well-known.ts";

/** 200 proofs with their outputs fit three times over. */
const MAX_BODY_BYTES = 262_144;
const MAX_PARAMETER_LENGTH = 200;
const RATE_WINDOW_MILLISECONDS = 60_000;
const PREFLIGHT_SECONDS = 3_600;

declare module "fastify" {
  interface FastifyRequest {
    /** The bytes of a JSON body as they came: an account's token signs their hash. */
    rawBody: Uint8Array | undefined;
  }
}

export interface AppOptions {
  /** For a server that was bound before the app was made. */
  readonly serverFactory?: FastifyServerFactory;
}

export async function createApp(deps: Deps, options: AppOptions = {}): Promise<FastifyInstance> {
  const { config } = deps;
  const logger: FastifyBaseLogger = deps.logger;
  const app = fastify({
    loggerInstance: logger,
    // The framework's own lines would name addresses and paths: who asked, for which payment.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => {
      answer(error, request, reply);
    },
    ...(options.serverFactory === undefined ? {} : { serverFactory: options.serverFactory }),
  });
  // Boundaries decode with their own schemas (`decode`); Fastify's only document.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  keepRawBodies(app);
  logAnswers(app);

  separateOrigins(app, config);
  await app.register(rateLimit, { max: config.rateLimitPerMinute, timeWindow: RATE_WINDOW_MILLISECONDS });
  answerErrors(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { "default-src": ["'none'"], "frame-ancestors": ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: "cross-origin" },
    referrerPolicy: { policy: "no-referrer" },
    strictTransportSecurity: config.origin.startsWith("https:"),
  });
  await app.register(cors, {
    delegator: (request, callback) => {
      const anonymous = sideOf(request, config) === "anonymous";
      callback(null, {
        origin: anonymous ? "*" : false,
        methods: ["GET", "POST"],
        allowedHeaders: ["content-type"],
        maxAge: PREFLIGHT_SECONDS,
      });
    },
  });
  await describeApi(app, deps);

  await app.register(async (domains) => {
    registerHealth(domains);
    registerWellKnown(domains, deps);
    registerMint(domains, deps);
    registerAccounts(domains, deps);
    registerTopUps(domains, deps);
    registerGateways(domains, deps);
    registerMerchants(domains, deps);
    registerPayments(domains, deps);
    registerSettlement(domains, deps);
  });
  return app;
}

function registerHealth(app: FastifyInstance): void {
  const schema = describe({
    summary: "Whether the provider is up",
    tags: ["provider"],
    response: { 200: v.object({ status: v.literal("ok") }) },
  });
  app.get("/healthz", { config: { side: "both", rateLimit: false }, schema }, async () => ({ status: "ok" }));
}

function keepRawBodies(app: FastifyInstance): void {
  app.decorateRequest("rawBody", undefined);
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser(["application/json", "text/plain"]);
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    request.rawBody = body;
    void parse(request, body.toString("utf8"), done);
  });
}

/** One line per answer, with the route's pattern in place of the address: no id, no host, no body. */
function logAnswers(app: FastifyInstance): void {
  app.addHook("onResponse", async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? "none",
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      "answered",
    );
  });
}

async function describeApi(app: FastifyInstance, deps: Deps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: deps.config.name,
        version: "1",
        description: `Tuppence provider. Anonymous origin: ${deps.config.origin}; accounts origin: ${deps.config.accountsOrigin}. Amounts are whole micros.`,
      },
    },
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true, logLevel: "silent" });
}
