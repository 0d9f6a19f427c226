/**
 * Every refusal as problem details (RFC 9457), under `/v1/` with Cashu's numbers where it has one. What the framework throws for bad input
 * becomes one of our codes; what is left is a bug, logged, and told to nobody in detail.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ERRORS, type ErrorCode, TuppenceError } from "../shared/errors.ts";
import { OVERLOADED_RETRY_SECONDS } from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import { CashuRefusal, cashuAnswer } from "./mint/index.ts";
import { MisdirectedRequest } from "./origins.ts";

const PROBLEM_TYPE = "application/problem+json";
const CASHU_PREFIX = "/v1/";
/** Whatever it is, as stock Cashu wallets expect it. */
const CASHU_STATUS = 400;
const MISDIRECTED_STATUS = 421;
/** Where a rule of ours, not the limit by address, was broken: top-ups an hour, open quotes. */
const RATE_LIMITED_RETRY_SECONDS = 60;

declare module "fastify" {
  interface FastifyRequest {
    /** For the metrics: of the closed set of codes. */
    refusalCode?: string;
  }
}

export function answerErrors(app: FastifyInstance, { refusals }: Pick<Metrics, "refusals">): void {
  app.addHook("onResponse", async ({ refusalCode }) => {
    if (refusalCode !== undefined) refusals.inc({ code: refusalCode });
  });
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook("onRoute", ({ url, method }) => {
    if (url === "*") return;
    const known = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const one of [method].flat()) known.methods.add(one);
    routes.set(url, known);
  });

  app.setErrorHandler((error, request, reply) => answer(error, request, reply));
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const methods = [...routes.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((route) => [...route.methods]);
    if (methods.length === 0) return answer(new TuppenceError("not_found"), request, reply);
    reply.header("allow", [...new Set(methods)].join(", "));
    return answer(new TuppenceError("method_not_allowed"), request, reply);
  });
}

/** Also for what Fastify refuses before there is a route. */
export function answer(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof MisdirectedRequest) {
    request.refusalCode = "misdirected";
    return reply
      .code(MISDIRECTED_STATUS)
      .type(PROBLEM_TYPE)
      .send(problem(new TuppenceError("wrong_origin"), MISDIRECTED_STATUS));
  }
  const known = error instanceof CashuRefusal ? error : recognize(error);
  request.refusalCode = known instanceof CashuRefusal ? `cashu_${known.number}` : known.code;
  sayWhenToTryAgain(known, reply);
  if (known instanceof TuppenceError && known.code === "internal")
    request.log.error({ err: error }, "a request failed");
  // By the route, where there is one: an address can be written in many ways (`/%761/swap`, `http://…/v1/swap`).
  const path = request.routeOptions?.url ?? request.url;
  const cashu = path.startsWith(CASHU_PREFIX) ? cashuAnswer(known) : undefined;
  if (cashu) return reply.code(CASHU_STATUS).type("application/json").send(cashu);
  if (known instanceof CashuRefusal) throw new Error("a Cashu refusal outside of /v1/");
  const { status } = ERRORS[known.code];
  return reply.code(status).type(PROBLEM_TYPE).send(problem(known, status));
}

/**
 * For what is no HTTP, or does not end: there is no request yet, so the answer is written by hand. What did not arrive
 * whole was not judged, so it may be sent again.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code !== "ECONNRESET" && socket.writable) {
    const [status, code] = CLIENT_ERRORS[error.code ?? ""] ?? [400, "request_invalid"];
    const body = JSON.stringify(problem(new TuppenceError(code), status));
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, code: ErrorCode]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "provider_unreachable"],
  HPE_HEADER_OVERFLOW: [431, "request_invalid"],
};

/** A client that is told "later" is told when. Whoever refused may have said so; the limit by address does. */
function sayWhenToTryAgain(error: CashuRefusal | TuppenceError, reply: FastifyReply): void {
  if (error instanceof CashuRefusal || reply.hasHeader("retry-after")) return;
  const { retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds === "number") reply.header("retry-after", retryAfterSeconds);
  else if (error.code === "overloaded") reply.header("retry-after", OVERLOADED_RETRY_SECONDS);
  else if (error.code === "rate_limited") reply.header("retry-after", RATE_LIMITED_RETRY_SECONDS);
}

function problem(error: TuppenceError, status: number): object {
  return {
    ...error.details,
    type: `urn:tuppence:error:${error.code}`,
    title: ERRORS[error.code].title,
    status,
    code: error.code,
  };
}

const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_INVALID_TYPE: "unsupported_media_type",
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_NOT_FOUND: "not_found",
};

function recognize(error: unknown): TuppenceError {
  if (error instanceof TuppenceError) return error;
  if (!(error instanceof Error)) return new TuppenceError("internal", {}, error);
  const code = "code" in error && typeof error.code === "string" ? FRAMEWORK_CODES[error.code] : undefined;
  if (code !== undefined) return new TuppenceError(code, {}, error);
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status === 413) return new TuppenceError("body_too_large", {}, error);
  if (status === 415) return new TuppenceError("unsupported_media_type", {}, error);
  if (status === 503) return new TuppenceError("overloaded", {}, error);
  if (status === 429) return new TuppenceError("rate_limited", {}, error);
  return new TuppenceError(status >= 400 && status < 500 ? "request_invalid" : "internal", {}, error);
}

/** `/topups/:id` as an expression, to tell a wrong method from a wrong address. */
function patternOf(url: string): RegExp {
  const source = url
    .split("/")
    .map((part) =>
      part.startsWith(":") ? "[^/]+" : part === "*" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    )
    .join("/");
  return new RegExp(`^${source}$`);
}
