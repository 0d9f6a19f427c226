/**
 * One request to an address that a stranger chose. The name is looked up once, and the connection goes to what was
 * judged: a name that answers otherwise a moment later leads nowhere else. Redirects are not followed, the answer is
 * read up to a limit, and everything ends in time.
 */
import { lookup, Resolver } from "node:dns/promises";
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
  readonly resolve?: (hostname: string, signal: AbortSignal) => Promise<readonly string[]>;
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
    const addresses = await findAddresses(request, signal);
    return await orAborted(exchange(request, addresses, signal), signal);
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
  await findAddresses(request, signalOf(request));
}

function signalOf({ timeoutMilliseconds, signal }: Pick<OutboundRequest, "timeoutMilliseconds" | "signal">) {
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  return signal ? AbortSignal.any([timeout, signal]) : timeout;
}

async function findAddresses(
  {
    url,
    mayBePrivate,
    resolve = mayBePrivate ? resolveHere : resolvePublic,
  }: Pick<OutboundRequest, "url" | "mayBePrivate" | "resolve">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(hostname) ? [hostname] : await orAborted(resolve(hostname, signal), signal);
  // All of them, so that nobody hides one among others and waits for the right draw.
  if (!mayBePrivate && !addresses.every(isPublicAddress)) throw new OutboundError("address_private");
  if (addresses.length === 0) throw new OutboundError("address_unknown");
  return addresses;
}

/**
 * By name servers alone. The system's own way has two threads for slow names in the whole process, which a stranger's
 * two silent name servers would keep.
 */
async function resolvePublic(hostname: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver({ tries: 1 });
  signal.addEventListener("abort", () => resolver.cancel(), { once: true });
  const found = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return found.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

/** In a sandbox names may be of this machine alone. */
async function resolveHere(hostname: string): Promise<string[]> {
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
  addresses: readonly string[],
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
        const judged = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first = { address: "", family: 0 }] = judged;
        // All of them, so that a site of which one address is dead is reached by another.
        if (all) found(null, judged);
        else found(null, first.address, first.family);
      },
    });
    outgoing.on("error", reject);
    // To another protocol: nothing else would be heard of it.
    outgoing.on("upgrade", (_incoming, socket) => {
      socket.destroy();
      reject(new OutboundError("unreachable"));
    });
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
