/** One call over HTTP: a time limit, a size limit, no credentials, and an answer that fits its schema or an error of the closed set. */
import * as v from "valibot";
import { type ErrorDetails, TuppenceError } from "../../shared/errors.ts";
import { CashuError } from "../../shared/protocol/cashu.ts";
import { Problem } from "../../shared/protocol/provider.ts";
import { cashuErrorCode } from "./cashu-errors.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const CALL_TIMEOUT_MS = 15_000;
const MAX_ANSWER_LENGTH = 1_000_000;

export interface Call {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly body?: string;
  readonly token?: string;
}

/** @throws TuppenceError the provider's code, provider_unreachable or provider_answer_invalid */
export async function call<S extends v.GenericSchema>(
  fetch: Fetch,
  request: Call,
  schema: S,
): Promise<v.InferOutput<S>> {
  const { status, text, later } = await exchange(fetch, request);
  const answer = parseJson(text);
  if (status >= 200 && status < 300) {
    const decoded = v.safeParse(schema, answer);
    if (decoded.success) return decoded.output;
    throw new TuppenceError("provider_answer_invalid", { status, path: pathOf(request) });
  }
  const refusal = refusalOf(status, answer, request);
  throw new TuppenceError(refusal.code, { ...refusal.details, ...later });
}

async function exchange(
  fetch: Fetch,
  { method, url, body, token }: Call,
): Promise<{ status: number; text: string; later: ErrorDetails }> {
  const headers: Record<string, string> = {
    accept: "application/json",
    // The browser's own list of languages would help to tell readers apart.
    "accept-language": "en",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text(), later: retryAfterOf(response) };
  } catch (cause) {
    throw new TuppenceError("provider_unreachable", {}, cause);
  }
}

/** Seconds, which is what our provider and its proxies send; a date would need a clock that agrees with theirs. */
function retryAfterOf({ headers }: Response): ErrorDetails {
  const seconds = headers.get("retry-after") ?? "";
  return /^[0-9]{1,9}$/.test(seconds) ? { retryAfterSeconds: Number(seconds) } : {};
}

function parseJson(text: string): unknown {
  if (text.length > MAX_ANSWER_LENGTH) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusalOf(status: number, answer: unknown, request: Call): TuppenceError {
  const problem = v.safeParse(Problem, answer);
  if (problem.success) return new TuppenceError(problem.output.code, detailsOf(problem.output));
  const cashu = v.safeParse(CashuError, answer);
  if (cashu.success)
    return new TuppenceError(cashuErrorCode(cashu.output.code), { cashuCode: cashu.output.code });
  // A gateway in between that is up while the provider is not.
  if (status === 502 || status === 503 || status === 504)
    return new TuppenceError("provider_unreachable", { status });
  return new TuppenceError("provider_answer_invalid", { status, path: pathOf(request) });
}

function detailsOf(problem: v.InferOutput<typeof Problem>): ErrorDetails {
  const { type: _type, title: _title, detail: _detail, code: _code, ...rest } = problem;
  return Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, string | number | boolean] => isPlain(entry[1])),
  );
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function pathOf({ url }: Call): string {
  return new URL(url).pathname;
}
