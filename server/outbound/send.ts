/**
 * One request to an address that a stranger chose. The name is looked up once, and the connection goes to what was
 * judged: a name that answers otherwise a moment later leads nowhere else. Redirects are not followed, the answer is
 * read up to a limit, and everything ends in time.
 */
import { lookup } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { isPublicAddress } from "./addresses.ts";

export interface OutboundRequest {
  /** `http:` or `https:`, without credentials. */
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the look-up of the name to the last byte. */
  readonly timeoutMilliseconds: number;
  /** What is longer is cut there. */
  readonly maxAnswerBytes: number;
  /** In a sandbox, where everything is on one machine. */
  readonly mayBePrivate: boolean;
  /** For tests of names that change their address. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
}

export interface OutboundResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Cut at the limit. */
  readonly body: Buffer;
}

export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly reason: "address_private" | "address_unknown" | "timeout" | "unreachable";

  constructor(reason: OutboundError["reason"], cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** @throws OutboundError where there is no answer */
export async function sendOutbound(request: OutboundRequest): Promise<OutboundResponse> {
  const signal = signalOf(request);
  try {
    const address = await findAddress(request, signal);
    return await exchange(request, address, signal);
  } catch (error) {
    if (error instanceof OutboundError) throw error;
    throw new OutboundError(signal.aborted ? "timeout" : "unreachable", error);
  }
}

/**
 * Only whether it would be sent, as far as that is known now. Nothing is sent.
 *
 * @throws OutboundError address_private, address_unknown, timeout
 */
export async function checkOutbound(
  request: Pick<OutboundRequest, "url" | "timeoutMilliseconds" | "mayBePrivate" | "resolve">,
): Promise<void> {
  await findAddress(request, signalOf(request));
}

function signalOf({ timeoutMilliseconds, signal }: Pick<OutboundRequest, "timeoutMilliseconds" | "signal">) {
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  return signal ? AbortSignal.any([timeout, signal]) : timeout;
}

async function findAddress(
  { url, mayBePrivate, resolve = resolveName }: Pick<OutboundRequest, "url" | "mayBePrivate" | "resolve">,
  signal: AbortSignal,
): Promise<string> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(hostname) ? [hostname] : await orAborted(resolve(hostname), signal);
  // All of them, so that nobody hides one among others and waits for the right draw.
  if (!mayBePrivate && !addresses.every(isPublicAddress)) throw new OutboundError("address_private");
  const [address] = addresses;
  if (address === undefined) throw new OutboundError("address_unknown");
  return address;
}

async function resolveName(hostname: string): Promise<string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new OutboundError("address_unknown", error);
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new OutboundError("timeout")), { once: true });
    promise.then(resolve, reject);
  });
}

function exchange(
  { url, method, headers, body, maxAnswerBytes }: OutboundRequest,
  address: string,
  signal: AbortSignal,
): Promise<OutboundResponse> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method,
      signal,
      headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
      // A connection of its own: one that is kept would outlive the judgement.
      agent: false,
      lookup: (_hostname, { all }, found) => {
        const family = isIP(address);
        if (all) found(null, [{ address, family }]);
        else found(null, address, family);
      },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      readUpTo(incoming, maxAnswerBytes).then((answer) => {
        incoming.destroy();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: answer });
      }, reject);
    });
    outgoing.end(body);
  });
}

async function readUpTo(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) throw new Error("an answer comes in bytes");
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}
