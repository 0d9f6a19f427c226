/**
 * What no client library sends: bytes over a real socket to a provider that listens, mostly nearly HTTP. Every answer
 * must be HTTP again, never a fault, and in our shape wherever there was a request to refuse; and the next one is served.
 */
import { connect } from "node:net";
import fc from "fast-check";
import { startProvider } from "../../server/start.ts";
import { sqliteDatabases } from "../support/database.ts";
import { judgeAnswer } from "./provider/http.ts";
import { makeTarget, type Part, type See } from "./target.ts";

/** What still comes after the bytes were sent and our side was closed is waited for; a server that keeps quiet is a fault. */
const HANGS_AFTER_MILLISECONDS = 30_000;
const PATHS = [
  ...[
    "/v1/keysets",
    "/v1/keys/00ffffffffffffff",
    "/v1/swap",
    "/x402/settle",
    "/x402/supported",
    "/accounts/me",
    "/topups",
  ],
  ...[
    "/payments/x/refund",
    "/healthz",
    "/docs",
    "/docs/json",
    "/",
    "*",
    "//",
    "/%",
    "/\u00ff",
    "http://evil.example/v1/keys",
  ],
  ...[
    "http://127.0.0.1/v1/keys/00ffffffffffffff",
    "https://x/v1/swap",
    "/%76%31/keys/00ffffffffffffff",
    "/v1%2fkeys",
    "x",
  ],
  ...[
    "/v1/keys/../swap",
    "/v1//keys/x",
    "/V1/keys/x",
    "/v1/keys/x\u0000",
    "/a b",
    `/${"x".repeat(9_000)}`,
    `/${"x".repeat(70_000)}`,
  ],
  ...["/v1/keys/%", "/v1/keys/%ff", "http://127.0.0.1", "http://:0/v1/keys/x", "#", "?"],
];
const METHODS = [
  "GET",
  "POST",
  "OPTIONS",
  "HEAD",
  "DELETE",
  "CONNECT",
  "PRI",
  "NOPE",
  "get",
  "G\u0000T",
  "",
  "X".repeat(300),
];
const VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.", "http/1.1", "HTTP/1.1 x", ""];
const LINES = [
  ...[
    "content-type: application/json",
    "content-type: application/json; charset=x",
    "content-type:",
    "content-type: x/y",
  ],
  ...[
    "content-length: 2",
    "content-length: 0",
    "content-length: 99999",
    "content-length: -1",
    "content-length: 2, 2",
    "content-length: x",
  ],
  ...[
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: x",
    "transfer-encoding : chunked",
  ],
  ...[
    "connection: keep-alive",
    "connection: upgrade",
    "upgrade: websocket",
    "expect: 100-continue",
    "expect: x",
    "te: trailers",
  ],
  ...[
    "host: evil.example",
    "host:",
    "host: a b",
    "authorization: Bearer x",
    "authorization: Bearer a.b.c",
    ": x",
    "x",
    " folded",
  ],
  ...[
    "x-a: \u0000",
    "x-a: \u007f",
    "x\u0000: a",
    "x-a: \ud83d\udca9",
    "origin: null",
    "cookie: __proto__=1",
    `x-a: ${"x".repeat(20_000)}`,
  ],
  ...[
    "access-control-request-method: POST",
    "x-forwarded-for: 1.2.3.4",
    "if-none-match: *",
    "range: bytes=0-0",
  ],
];
const BODIES = [
  "",
  "{}",
  "{",
  "[]",
  "0\r\n\r\n",
  "2\r\n{}\r\n0\r\n\r\n",
  "zz\r\n",
  "2\r\n{}\r\n0\r\nx: y\r\n\r\n",
  '{"__proto__":1}',
  "\u0000",
  "{}{}",
];

const request = fc.record({
  method: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("GET", "POST") },
    { weight: 2, arbitrary: fc.constantFrom(...METHODS) },
  ),
  path: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...PATHS) },
    { weight: 1, arbitrary: fc.constantFrom(...PATHS.slice(0, 7)) },
  ),
  version: fc.oneof(
    { weight: 4, arbitrary: fc.constant("HTTP/1.1") },
    { weight: 1, arbitrary: fc.constantFrom(...VERSIONS) },
  ),
  hosts: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) }),
  lines: fc.array(fc.constantFrom(...LINES), { maxLength: 2 }),
  body: fc.constantFrom(...BODIES),
  /** Without it the body is the next request. */
  measured: fc.nat({ max: 4 }).map((number) => number > 0),
});
const bytes = fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 3 });
const insertion = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat({ max: 300 }), bytes }) },
);
const input = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ requests: fc.array(request, { minLength: 1, maxLength: 3 }), insertion }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      requests: fc.constant([]),
      insertion: fc.record({ at: fc.constant(0), bytes: fc.array(fc.nat({ max: 255 }), { maxLength: 60 }) }),
    }),
  },
);
type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

export async function openSockets(): Promise<Part> {
  const database = await sqliteDatabases().make();
  const provider = await startProvider({
    ...database.environment,
    TUPPENCE_PORT: "0",
    TUPPENCE_LOG_LEVEL: "silent",
    TUPPENCE_MINT_THREADS: "0",
    TUPPENCE_SETTLE_EVERY_SECONDS: "0",
    TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
    TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
  });
  const { origin } = provider.config;
  const check = async (given: Input, see: See) => {
    const answers = await exchange(origin, bytesOf(origin, given));
    for (const one of readAnswers(answers)) see(judge(one));
    if (answers.length === 0) see("closed");
  };
  return {
    targets: [makeTarget("raw bytes", 1, input, check)],
    // Whoever comes next is served as if nothing had been.
    afterRound: async () => {
      const [served] = readAnswers(
        await exchange(origin, Buffer.from(`GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)),
      );
      if (served?.status !== 200) throw new Error(`is not healthy any more: ${served?.status}`);
    },
    close: async () => {
      await provider.close();
      await database.destroy();
    },
  };
}

function bytesOf(origin: string, { requests, insertion: inserted }: Input): Buffer {
  const { host } = new URL(origin);
  const whole = requests.map(({ method, path, version, hosts, lines, body, measured }) => {
    const length = measured && body !== "" ? [`content-length: ${Buffer.byteLength(body)}`] : [];
    const headers = [...Array<string>(hosts).fill(`Host: ${host}`), ...length, ...lines];
    return `${method} ${path} ${version}\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n${body}`;
  });
  const bytes = Buffer.from(whole.join(""), "utf8");
  if (!inserted) return bytes;
  const at = inserted.at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted.bytes), bytes.subarray(at)]);
}

/** All that comes until the provider closes: our side is half closed when everything is sent. */
function exchange(origin: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const socket = connect({ host: hostname, port: Number(port) });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(`the connection stays open: ${Buffer.concat(chunks).toString("latin1").slice(0, 300)}`),
      );
    }, HANGS_AFTER_MILLISECONDS);
    const end = () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    };
    socket.on("data", (chunk) => chunks.push(chunk));
    // A reset is how a server closes on bytes that it does not want to read.
    socket.on("error", end);
    socket.on("close", end);
    socket.end(bytes);
  });
}

const EMPTY_CHUNK = "0\r\n\r\n";

interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const HEAD = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;

/** Without knowing to what: an answer without content (to HEAD, or 204) is told by what follows it. */
function readAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes.toString("latin1");
  while (rest.length > 0) {
    const [head, status, lines = ""] = HEAD.exec(rest) ?? [];
    if (head === undefined) throw new Error(`answered what is no HTTP: ${rest.slice(0, 200)}`);
    const header = (name: string) => new RegExp(`^${name}: ([^\\r]*)`, "im").exec(lines)?.[1] ?? "";
    rest = rest.slice(head.length);
    const next = /HTTP\/1\.1 \d{3} [A-Z]/.exec(rest);
    const most = next ? next.index : rest.length;
    const length = Math.min(header("content-length") === "" ? most : Number(header("content-length")), most);
    answers.push({ status: Number(status), type: header("content-type"), body: rest.slice(0, length) });
    rest = rest.slice(length);
  }
  return answers;
}

function judge({ status, type, body }: RawAnswer): string {
  // Node's own word before there is a request: a host is missing (RFC 9112, 3.2) or an expectation is unknown.
  if ((status === 400 || status === 417) && type === "" && (body === "" || body === EMPTY_CHUNK))
    return `${status} by the parser`;
  // To HEAD.
  if (status < 500 && body === "") return `${status} without content`;
  return judgeAnswer({ method: "GET", url: "/v1/", headers: {}, body: undefined }, { status, type, body })
    .seen;
}
