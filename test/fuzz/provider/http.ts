/** One request, changed: its body as a tree and as bytes, its headers, its method, its address. And the answer, judged. */
import fc from "fast-check";
import * as v from "valibot";
import { CashuError } from "../../../shared/protocol/cashu.ts";
import { Problem } from "../../../shared/protocol/provider.ts";
import { expand, mutateJson, type TreeMutation, treeMutations } from "../mutate.ts";
import type { Genuine } from "./genuine.ts";
import type { World } from "./world.ts";

type BytesMutation =
  | { readonly do: "cut"; readonly at: number }
  | { readonly do: "insert"; readonly at: number; readonly bytes: readonly number[] }
  | { readonly do: "encode"; readonly as: "utf16le" | "latin1" | "base64" }
  | { readonly do: "mark" }
  | { readonly do: "twice" }
  | { readonly do: "none" };

type EnvelopeMutation =
  | { readonly do: "method"; readonly method: string }
  | { readonly do: "header"; readonly name: string; readonly value: string | typeof LONG }
  | { readonly do: "leave out"; readonly name: string }
  | { readonly do: "segment"; readonly at: number; readonly value: string }
  | { readonly do: "escape"; readonly at: number }
  | { readonly do: "append"; readonly value: string }
  /** Signed before it was changed on its way. */
  | { readonly do: "sign first" };

export interface HttpInput {
  readonly kind: number;
  readonly tree: readonly TreeMutation[];
  readonly bytes: readonly BytesMutation[];
  readonly envelope: readonly EnvelopeMutation[];
}

const LONG = { text: "x", times: 20_000 };
/** Those that an injected request may have; the sockets see others. */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"];
const CONTENT_TYPES = [
  ...[
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-16",
    "APPLICATION/JSON",
  ],
  ...[
    "text/plain",
    "text/html",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/xml",
  ],
  ...[
    "application/problem+json",
    "application/json, text/plain",
    "json",
    "",
    "/",
    ";;;",
    "application/json\u0000",
  ],
];
const HEADERS: Readonly<Record<string, readonly (string | typeof LONG)[]>> = {
  "content-type": CONTENT_TYPES,
  "content-length": ["0", "1", "-1", "1e3", "99999999999", "abc"],
  "content-encoding": ["gzip", "br", "identity", "nope"],
  "transfer-encoding": ["chunked", "gzip", "nope"],
  authorization: [
    "Bearer",
    "Bearer ",
    "Bearer x",
    "bearer a.b.c",
    "Basic YTpi",
    "Bearer e30.e30.e30",
    "",
    LONG,
  ],
  "tuppence-signature": ["", "t=0,v1=0", `t=1,v1=${"0".repeat(64)}`, `t=999999999999,v1=${"f".repeat(64)}`],
  host: [
    "",
    "evil.example",
    "127.0.0.1",
    "LOCALHOST:4020",
    "localhost:4020.",
    "[::1]:4020",
    "localhost:99999",
    LONG,
  ],
  origin: ["null", "https://evil.example", "", "\u0000", LONG],
  "x-forwarded-for": ["1.2.3.4", "::", "not an address", "1.2.3.4, 5.6.7.8", LONG],
  "x-forwarded-host": ["localhost:4020", "evil.example"],
  accept: ["text/html", "*/*;q=0", "", LONG],
  "accept-encoding": ["gzip", "identity;q=0"],
  "access-control-request-method": ["POST", "NOPE", ""],
  "access-control-request-headers": ["content-type", "x-a, x-b", LONG],
  connection: ["close", "upgrade", "keep-alive, x"],
  upgrade: ["websocket", "h2c"],
  expect: ["100-continue", "nope"],
  range: ["bytes=0-0", "bytes=-1", "lines=1"],
  "if-none-match": ["*", '"x"'],
  cookie: ["a=b", "__proto__=1", LONG],
  __proto__x: ["1"],
  constructor: ["1"],
};
const APPENDED = [
  ...[
    "/",
    "//",
    "/..",
    "/%2e%2e",
    "?",
    "?a=b&a=c",
    "?__proto__=1",
    "?format=csv",
    "?format=xml",
    "?format=csv&format=json",
  ],
  ...[
    "#x",
    ";a=b",
    "%",
    "%00",
    "%zz",
    "%E0%A4%A",
    "%F0%9F%92%A9",
    "\\",
    "?%",
    "?x=%E0%A4%A",
    "/refund",
    "/x".repeat(100),
  ],
];
const SEGMENTS = [
  ...[
    "",
    ".",
    "..",
    "%2e",
    "%2F",
    "%00",
    "__proto__",
    "constructor",
    "toString",
    "*",
    ":id",
    "0",
    "-1",
    "null",
    "me",
  ],
  ...[
    "0".repeat(32),
    "F".repeat(32),
    "f".repeat(200),
    "f".repeat(201),
    "x".repeat(5_000),
    "%F0%9F%92%A9",
    "%ff",
    "é",
    " ",
  ],
  ...[
    "the-lantern",
    "the-lantern-0",
    "the-lantern-1",
    "the-lantern-9999999",
    "a--1",
    "-1",
    "%27%3B--",
    "00ffffffffffffff",
  ],
];

const at = fc.nat({ max: 5_000 });
const bytesMutation = fc.oneof(
  fc.record({ do: fc.constant("cut"), at }),
  fc.record({
    do: fc.constant("insert"),
    at,
    bytes: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ do: fc.constant("encode"), as: fc.constantFrom("utf16le", "latin1", "base64") }),
  fc.record({ do: fc.constantFrom("mark", "twice", "none") }),
) as fc.Arbitrary<BytesMutation>;

const header = fc.constantFrom(...Object.keys(HEADERS)).chain((name) =>
  fc.record({
    do: fc.constant("header"),
    name: fc.constant(name),
    value: fc.constantFrom(...(HEADERS[name] ?? [])),
  }),
);
const envelopeMutation = fc.oneof(
  { weight: 4, arbitrary: header },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("header"),
      name: fc.constantFrom("x-a", "accept", "authorization", "content-type"),
      value: fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("method"), method: fc.constantFrom(...METHODS) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("leave out"),
      name: fc.constantFrom("host", "content-type", "authorization", "tuppence-signature"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("segment"),
      at: fc.nat({ max: 5 }),
      value: fc.constantFrom(...SEGMENTS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("escape"), at: fc.nat({ max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("append"), value: fc.constantFrom(...APPENDED) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sign first") }) },
) as fc.Arbitrary<EnvelopeMutation>;

/** Mostly the message itself: what never reaches a decoder teaches little. A request without a body is its envelope. */
export function httpInputs(hasBody: boolean): fc.Arbitrary<HttpInput> {
  const kind = fc.nat({ max: 6 });
  const none = fc.constant([]);
  const bytes = fc.array(bytesMutation, { minLength: 1, maxLength: 2 });
  const envelope = fc.array(envelopeMutation, { minLength: 1, maxLength: 3 });
  const changed = [
    { weight: 12, arbitrary: fc.record({ kind, tree: treeMutations, bytes: none, envelope: none }) },
    { weight: 2, arbitrary: fc.record({ kind, tree: none, bytes, envelope: none }) },
    { weight: 2, arbitrary: fc.record({ kind, tree: treeMutations, bytes: none, envelope }) },
  ];
  const enveloped = { weight: 3, arbitrary: fc.record({ kind, tree: none, bytes: none, envelope }) };
  return hasBody
    ? fc.oneof(...changed, enveloped)
    : fc.oneof(enveloped, {
        weight: 1,
        arbitrary: fc.record({ kind, tree: treeMutations, bytes, envelope }),
      });
}

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

export async function makeRequest(world: World, genuine: Genuine, input: HttpInput): Promise<Request> {
  const { shop } = world;
  const { side, method, sign } = genuine;
  const base = new URL(side === "anonymous" ? shop.origin : shop.accountsOrigin);
  let body: Buffer | undefined;
  if (genuine.form !== undefined) body = Buffer.from(genuine.form);
  else if (genuine.body !== undefined) body = Buffer.from(mutateJson(genuine.body, input.tree));
  else if (input.bytes.length > 0) body = Buffer.from(mutateJson({}, input.tree));
  for (const one of input.bytes) body = mutateBytes(body ?? Buffer.alloc(0), one);
  const type = genuine.form === undefined ? "application/json" : "application/x-www-form-urlencoded";
  const plain: Request = {
    method,
    url: genuine.url,
    headers: { host: base.host, ...(body === undefined ? {} : { "content-type": type }) },
    body,
  };
  const signFirst = input.envelope.some((one) => one.do === "sign first");
  const unchanged =
    signFirst && genuine.body !== undefined ? Buffer.from(JSON.stringify(genuine.body)) : body;
  const changed = input.envelope.reduce(mutateEnvelope, plain);
  const signed = signFirst ? plain : changed;
  const proof = await sign?.({ method: signed.method, url: signed.url, body: unchanged });
  // What was put there on purpose stays.
  return { ...changed, headers: { ...proof, ...changed.headers } };
}

function mutateBytes(body: Buffer, mutation: BytesMutation): Buffer | undefined {
  switch (mutation.do) {
    case "cut":
      return body.subarray(0, mutation.at % (body.length + 1));
    case "insert": {
      const place = mutation.at % (body.length + 1);
      return Buffer.concat([body.subarray(0, place), Buffer.from(mutation.bytes), body.subarray(place)]);
    }
    case "encode":
      return mutation.as === "base64"
        ? Buffer.from(body.toString("base64"))
        : Buffer.from(body.toString("utf8"), mutation.as);
    case "mark":
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]);
    case "twice":
      return Buffer.concat([body, body]);
    case "none":
      return Buffer.alloc(0);
  }
}

function mutateEnvelope(request: Request, mutation: EnvelopeMutation): Request {
  const { url, headers } = request;
  switch (mutation.do) {
    case "method":
      return { ...request, method: mutation.method };
    case "header":
      return { ...request, headers: { ...headers, [mutation.name]: expand(mutation.value) } };
    case "leave out": {
      const { [mutation.name]: _, ...rest } = headers;
      return { ...request, headers: rest };
    }
    case "segment": {
      const segments = url.split("/");
      segments[1 + (mutation.at % (segments.length - 1))] = mutation.value;
      return { ...request, url: segments.join("/") };
    }
    case "escape": {
      const place = 1 + (mutation.at % Math.max(1, url.length - 1));
      const code = url.charCodeAt(place).toString(16).padStart(2, "0");
      return Number.isNaN(url.charCodeAt(place))
        ? request
        : { ...request, url: `${url.slice(0, place)}%${code}${url.slice(place + 1)}` };
    }
    case "append":
      return { ...request, url: url + mutation.value };
    case "sign first":
      return request;
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** What the request came to, for the table; `succeeded` where money may have moved. Throws where no such answer is allowed. */
export function judgeAnswer(
  request: Request,
  { status, type, body }: HttpAnswer,
): { seen: string; succeeded: boolean } {
  if (status >= 500) throw new Error(`answered ${status}: ${body.slice(0, 500)}`);
  if (/node:internal|node_modules|\.ts:\d/.test(body))
    throw new Error(`tells of its inside: ${body.slice(0, 500)}`);
  if (request.method.toUpperCase() === "HEAD") return { seen: `${status}`, succeeded: status < 300 };
  if (status < 400) {
    const answer = type.includes("json") ? v.safeParse(SoftRefusal, parse(body)) : undefined;
    const refused = answer?.success && (answer.output.success === false || answer.output.isValid === false);
    return refused
      ? { seen: `${status} ${answer.output.errorReason ?? answer.output.invalidReason}`, succeeded: false }
      : { seen: `${status}`, succeeded: status < 300 };
  }
  if (type.startsWith("application/problem+json")) {
    const problem = v.parse(Problem, parse(body));
    if (problem.status !== status) throw new Error(`a problem of ${problem.status} was answered ${status}`);
    return { seen: `${status} ${problem.code}`, succeeded: false };
  }
  if (status === 400 && type.startsWith("application/json") && isCashu(request.url)) {
    const refusal = v.parse(CashuError, parse(body));
    return { seen: `${status} cashu ${refusal.code}`, succeeded: false };
  }
  // The checkout is for people.
  if (status === 404 && type.startsWith("text/html") && body.startsWith("<!doctype html>"))
    return { seen: "404 page", succeeded: false };
  throw new Error(`refused in a shape that is not ours: ${status} ${type} ${body.slice(0, 500)}`);
}

const SoftRefusal = v.object({
  success: v.optional(v.boolean()),
  isValid: v.optional(v.boolean()),
  errorReason: v.optional(v.string()),
  invalidReason: v.optional(v.string()),
});

function parse(text: string): unknown {
  return JSON.parse(text);
}

/** However it is written. */
function isCashu(url: string): boolean {
  const path = url
    .replace(/^https?:\/\/[^/]*/i, "")
    .replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return path.startsWith("/v1/");
}
