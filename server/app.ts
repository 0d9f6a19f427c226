/** The provider's HTTP interface: what holds for every request, and the list of the domains. */
import cookie from "@fastify/cookie";
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerFactory,
  fastify,
  LogController,
} from "fastify";
import { registerAccess } from "./access/index.ts";
import { registerAccounts } from "./accounts/index.ts";
import { registerClosures } from "./closures/index.ts";
import { registerDashboard } from "./dashboard/index.ts";
import type { Deps } from "./deps.ts";
import { answer, answerClientError, answerErrors } from "./errors.ts";
import { registerGateways } from "./gateways/index.ts";
import { registerHealth } from "./health.ts";
import { limitRequests } from "./limits.ts";
import { registerMerchants } from "./merchants/index.ts";
import type { Metrics } from "./metrics.ts";
import { registerMint } from "./mint/index.ts";
import { separateOrigins, sideOf } from "./origins.ts";
import { registerMerchantPayments, registerPayments } from "./payments/index.ts";
import { type Readiness, watchReadiness } from "./readiness.ts";
import { registerRevenue } from "./revenue/index.ts";
import { registerSettlement } from "./settlement/index.ts";
import { registerSites } from "./sites/index.ts";
import { registerTestMode } from "./test-mode/index.ts";
import { registerTopUps } from "./topups/index.ts";
import { registerWalletBackups } from "./wallet-backups/index.ts";
import { registerWebhooks } from "./webhooks/index.ts";
import { registerWellKnown } from "./well-known.ts";

/** 200 proofs with their outputs fit three times over. */
const MAX_BODY_BYTES = 262_144;
/** The longest is the id of a passkey: 1,023 bytes in base64url. */
const MAX_PARAMETER_LENGTH = 1_400;
const PREFLIGHT_SECONDS = 3_600;
const MILLISECONDS_PER_SECOND = 1_000;
const SETTLE_ROUTE = "/x402/settle";

declare module "fastify" {
  interface FastifyRequest {
    /** The bytes of a JSON body as they came: an account's token signs their hash. */
    rawBody: Uint8Array | undefined;
  }
}

export interface AppOptions {
  /** For a server that was bound before the app was made. */
  readonly serverFactory?: FastifyServerFactory;
  /** Where it is served elsewhere, too. */
  readonly readiness?: Readiness;
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
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    frameworkErrors: (error, request, reply) => {
      answer(error, request, reply);
    },
    clientErrorHandler: answerClientError,
    ...(options.serverFactory === undefined ? {} : { serverFactory: options.serverFactory }),
  });
  // Boundaries decode with their own schemas (`decode`); Fastify's only document.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  keepRawBodies(app);
  observeAnswers(app, deps.metrics);

  separateOrigins(app, config);
  await limitRequests(app, config, deps.now);
  answerErrors(app, deps.metrics);
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
        exposedHeaders: ["retry-after"],
        maxAge: PREFLIGHT_SECONDS,
        // The plugin's own refusal of an incomplete preflight would be no problem details.
        strictPreflight: false,
      });
    },
  });
  await describeApi(app, deps);
  await app.register(cookie);

  await app.register(async (domains) => {
    registerHealth(domains, options.readiness ?? watchReadiness(deps));
    registerWellKnown(domains, deps);
    registerMint(domains, deps);
    registerAccounts(domains, deps);
    registerWalletBackups(domains, deps);
    registerTopUps(domains, deps);
    registerClosures(domains, deps);
    registerGateways(domains, deps);
    registerMerchants(domains, deps);
    registerPayments(domains, deps);
    registerMerchantPayments(domains, deps);
    registerSettlement(domains, deps);
    registerRevenue(domains, deps);
    registerAccess(domains, deps);
    registerSites(domains, deps);
    registerTestMode(domains, deps);
    registerDashboard(domains, deps);
    registerWebhooks(domains, deps);
  });
  return app;
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

/** One line and one observation per answer, with the route's pattern in place of the address: no id, no host, no body. */
function observeAnswers(app: FastifyInstance, { requestSeconds, payments }: Metrics): void {
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    // Whoever asks for what there is not may choose any method.
    const method = route === "none" ? "any" : request.method;
    const { statusCode: status, elapsedTime } = reply;
    requestSeconds.observe({ method, route, status }, elapsedTime / MILLISECONDS_PER_SECOND);
    if (route === SETTLE_ROUTE) payments.inc({ outcome: request.paymentOutcome ?? "failed" });
    request.log.info({ method, route, status, ms: Math.round(elapsedTime) }, "answered");
  });
}

async function describeApi(app: FastifyInstance, deps: Deps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: deps.config.name,
        version: "1",
        description: `Tuppence provider. Anonymous origin: ${deps.config.origin}; accounts origin: ${deps.config.accountsOrigin}. Amounts are whole micros. Routes under accounts, top-ups and operator stand on the accounts origin and take a token; those of the dashboard take a session's cookie or an API key; the others take none. Refusals are problem details (RFC 9457), under /v1/ Cashu's.`,
      },
    },
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true, logLevel: "silent" });
}
