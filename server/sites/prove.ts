/**
 * Looks at a site for a merchant's proof, in three places: a file, a tag of the first page, a record of the domain. Only
 * whoever controls the site can put it there: a tag counts in the page's head alone, where no reader's comment stands.
 */
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import type { ProofAttempt, ProofMethod } from "../../shared/protocol/dashboard.ts";
import { OutboundError, type OutboundResponse, sendOutbound } from "../outbound/index.ts";
import type { SiteDeps } from "./deps.ts";

export const PROOF_FILE = "/.well-known/tuppence-site.txt";
export const PROOF_META = "tuppence-site";
export const PROOF_DNS_PREFIX = "_tuppence.";
export const PROOF_DNS_VALUE = "tuppence-site=";

const TIMEOUT_MILLISECONDS = 10_000;
const MAX_FILE_BYTES = 4_096;
const MAX_PAGE_BYTES = 524_288;
/** On the same site: `/` that leads to `/en/`. */
const MAX_REDIRECTS = 3;
const DNS_TRIES = 2;

/** The places in which the proof was looked for, all of them, so that whoever waits for it sees what is wrong. */
export async function proveSite(deps: SiteDeps, origin: string, token: string): Promise<ProofAttempt[]> {
  const { hostname } = new URL(origin);
  return Promise.all([
    attempt("file", async () => seenInFile(await get(deps, origin, PROOF_FILE, MAX_FILE_BYTES), token)),
    attempt("meta", async () => seenInPage(await get(deps, origin, "/", MAX_PAGE_BYTES), token)),
    ...(isIP(hostname.replace(/^\[|\]$/g, "")) ? [] : [attempt("dns", () => seenInDns(hostname, token))]),
  ]);
}

/** Undefined: found. Otherwise what stood there, in words. */
type Seen = string | undefined;

async function attempt(method: ProofMethod, look: () => Promise<Seen>): Promise<ProofAttempt> {
  try {
    const seen = await look();
    return { method, found: seen === undefined, seen: seen ?? "The proof is there." };
  } catch (error) {
    if (error instanceof OutboundError) return { method, found: false, seen: WORDS[error.reason] };
    throw error;
  }
}

const WORDS: Readonly<Record<OutboundError["reason"], string>> = {
  address_private: "The address is a private one, which the provider does not visit.",
  address_unknown: "The name leads nowhere.",
  timeout: "The site did not answer in time.",
  unreachable: "The site cannot be reached.",
};

async function get(
  { config }: SiteDeps,
  origin: string,
  path: string,
  maxAnswerBytes: number,
): Promise<OutboundResponse | string> {
  let url = new URL(path, origin);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await sendOutbound({
      url,
      method: "GET",
      headers: { accept: "text/html, text/plain;q=0.9, */*;q=0.5", "user-agent": "Tuppence-Site-Proof/1" },
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
      maxAnswerBytes,
      mayBePrivate: config.mayCallPrivateAddresses,
    });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
    if (!URL.canParse(location, url.href)) return "The site redirects to what is no address.";
    url = new URL(location, url);
    // Whoever may set a redirect on another site does not own that one by it, nor the other way round.
    if (url.origin !== origin) return "The site redirects to another site, which has to be proven by itself.";
  }
  return "The site redirects again and again.";
}

function seenInFile(answer: OutboundResponse | string, token: string): Seen {
  if (typeof answer === "string") return answer;
  if (answer.status !== 200) return `There is no such file: the site answered ${answer.status}.`;
  const lines = answer.body
    .toString("utf8")
    .split(/\r?\n/)
    .map((line) => line.trim());
  return lines.includes(token) ? undefined : "The file is there, but holds something else.";
}

function seenInPage(answer: OutboundResponse | string, token: string): Seen {
  if (typeof answer === "string") return answer;
  if (answer.status !== 200) return `The first page answered ${answer.status}.`;
  const tags = metaTagsOf(answer.body.toString("utf8"));
  if (tags.includes(token)) return undefined;
  return tags.length === 0 ? "The first page has no such tag in its head." : "The tag holds something else.";
}

function metaTagsOf(html: string): string[] {
  const root = parse(html).childNodes.find((node) => node.nodeName === "html");
  const head = childrenOf(root).find((node) => node.nodeName === "head");
  return childrenOf(head).flatMap((node) => {
    if (node.nodeName !== "meta" || !("attrs" in node)) return [];
    const valueOf = (name: string) => node.attrs.find((attribute) => attribute.name === name)?.value;
    return valueOf("name")?.toLowerCase() === PROOF_META ? [valueOf("content")?.trim() ?? ""] : [];
  });
}

function childrenOf(
  node: DefaultTreeAdapterTypes.ChildNode | undefined,
): DefaultTreeAdapterTypes.ChildNode[] {
  return node && "childNodes" in node ? node.childNodes : [];
}

async function seenInDns(hostname: string, token: string): Promise<Seen> {
  const resolver = new Resolver({ timeout: TIMEOUT_MILLISECONDS / DNS_TRIES, tries: DNS_TRIES });
  try {
    const records = (await resolver.resolveTxt(`${PROOF_DNS_PREFIX}${hostname}`)).map((parts) =>
      parts.join(""),
    );
    return records.includes(`${PROOF_DNS_VALUE}${token}`) ? undefined : "The record holds something else.";
  } catch {
    return "There is no such record.";
  }
}
