/**
 * The doctor's requests. They stay on the page's own site, follow few redirects, read little, and end. The owner runs the doctor,
 * so that a site of this machine is looked at like any other; but a public site leads it nowhere into a private network.
 */
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Fetch } from "../provider.ts";

export interface Limits {
  readonly requests: number;
  readonly requestMs: number;
  readonly totalMs: number;
  readonly bodyBytes: number;
  readonly redirects: number;
}
export const LIMITS: Limits = {
  requests: 120,
  requestMs: 10_000,
  totalMs: 180_000,
  bodyBytes: 2_000_000,
  redirects: 5,
};

/** Why there is no answer: a sentence without its point. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

export interface Answer {
  /** Where it came from, redirects followed. */
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** There was more than the limit. */
  readonly isCut: boolean;
  readonly isBinary: boolean;
}

export interface Requests {
  /** @throws NoAnswerError */
  get(url: string, headers: Readonly<Record<string, string>>): Promise<Answer>;
  /** For whoever reads the answer with `take`; no redirect is followed, and nothing but headers is sent. */
  readonly fetch: Fetch;
  /** @throws NoAnswerError */
  take(url: string, response: Response): Promise<Answer>;
  isSameSite(url: string): boolean;
  /** Whether only this network can reach it, while the page is for everyone. @throws NoAnswerError */
  isHidden(url: string): Promise<boolean>;
}

export interface RequestDeps {
  readonly fetch: Fetch;
  readonly lookup: (host: string) => Promise<readonly LookupAddress[]>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly limits: Limits;
}

export function createRequests(home: URL, { fetch: send, lookup, now, limits }: RequestDeps): Requests {
  const until = now() + limits.totalMs;
  const places = new Map<string, Promise<boolean>>();
  let count = 0;

  const isSameSite = (url: string): boolean =>
    URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && siteOf(new URL(url)) === siteOf(home);

  const isPrivate = (host: string): Promise<boolean> => {
    const known = places.get(host) ?? readPlace(host, lookup);
    places.set(host, known);
    return known;
  };

  const isHidden = async (url: string): Promise<boolean> =>
    !(await isPrivate(home.hostname)) && isPrivate(new URL(url).hostname);

  const request = async (url: string, init: RequestInit): Promise<Response> => {
    if (!isSameSite(url)) throw new NoAnswerError(`${originOf(url)} is another site, and stays unvisited`);
    if (await isHidden(url)) throw new NoAnswerError(`${originOf(url)} is in a private network`);
    if (count >= limits.requests || now() > until)
      throw new NoAnswerError("the doctor's limit of requests was reached");
    count += 1;
    const time = AbortSignal.timeout(limits.requestMs);
    const signal = init.signal ? AbortSignal.any([init.signal, time]) : time;
    try {
      return await send(url, { ...init, redirect: "manual", signal });
    } catch (error) {
      throw new NoAnswerError(`${originOf(url)} ${causeOf(error, limits)}`);
    }
  };

  const take = async (url: string, response: Response): Promise<Answer> => ({
    url,
    status: response.status,
    headers: response.headers,
    ...(await read(url, response, limits)),
  });

  return {
    isSameSite,
    isHidden,
    take,
    fetch: async (input, init) => {
      const asked = new Request(input, init);
      return request(asked.url, { method: asked.method, headers: asked.headers });
    },
    get: async (url, headers) => {
      let at = url;
      for (let hop = 0; hop <= limits.redirects; hop++) {
        const response = await request(at, { headers });
        const target = response.headers.get("location");
        if (target === null || response.status < 300 || response.status > 399) {
          return take(at, response);
        }
        await response.body?.cancel();
        if (!URL.canParse(target, at))
          throw new NoAnswerError(`${originOf(at)} redirects to what is no address`);
        at = new URL(target, at).href;
      }
      throw new NoAnswerError(`${originOf(url)} redirects again and again`);
    },
  };
}

/** A paper's hosts: with and without www, and its ports. Where one owner's names end only a list of all of them would know. */
function siteOf({ hostname }: URL): string {
  return hostname.replace(/^www\./, "");
}

async function readPlace(host: string, lookup: RequestDeps["lookup"]): Promise<boolean> {
  const literal = host.replace(/^\[|\]$/g, "");
  if (isIP(literal)) return isPrivateAddress(literal);
  const addresses = await lookup(host).catch(() => []);
  if (addresses.length === 0) throw new NoAnswerError(`${host} is not known`);
  return addresses.some(({ address }) => isPrivateAddress(address));
}

function isPrivateAddress(address: string): boolean {
  return ipaddr.process(address).range() !== "unicast";
}

async function read(
  url: string,
  response: Response,
  limits: Limits,
): Promise<Pick<Answer, "body" | "isCut" | "isBinary">> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done || size > limits.bodyBytes) break;
      parts.push(part.value);
      size += part.value.length;
    }
    await reader?.cancel();
  } catch (error) {
    throw new NoAnswerError(`${originOf(url)} ${causeOf(error, limits)}`);
  }
  const bytes = Buffer.concat(parts);
  const body = new TextDecoder(charsetOf(response)).decode(bytes.subarray(0, limits.bodyBytes));
  return { body, isCut: size > limits.bodyBytes, isBinary: bytes.includes(0) };
}

function charsetOf(response: Response): string {
  const named = /charset="?([\w-]+)/i.exec(response.headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(named).encoding;
  } catch {
    return "utf-8";
  }
}

function causeOf(error: unknown, { requestMs }: Limits): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `did not answer within ${requestMs / 1_000} s`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `cannot be reached (${cause instanceof Error ? cause.message : cause})`;
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
