/**
 * Looks at a site for a merchant's proof, in three places: a file, a tag of the first page, a record of the domain. Only
 * whoever controls the site can put it there: a tag counts in the page's head alone, where no reader's comment stands.
 */
import { NODATA, NOTFOUND, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from "parse5";
import { TuppenceError } from "../../shared/errors.ts";
import type { ProofAttempt, ProofMethod } from "../../shared/protocol/dashboard.ts";
import { OutboundError, type OutboundResponse, sendOutbound } from "../outbound/index.ts";
import type { SiteDeps } from "./deps.ts";

const PROOF_FILE = "/.well-known/tuppence-site.txt";
const PROOF_META = "tuppence-site";
const PROOF_DNS_PREFIX = "_tuppence.";
const PROOF_DNS_VALUE = "tuppence-site=";

/** Of a look as a whole, however often a site redirects. */
const TIMEOUT_MILLISECONDS = 15_000;
const MAX_FILE_BYTES = 4_096;
const MAX_PAGE_BYTES = 131_072;
/** In this process. What a stranger's sites keep waiting must not be without limit. */
const MAX_LOOKS_AT_ONCE = 20;
/** On the same site: `/` that leads to `/en/`. */
const MAX_REDIRECTS = 3;
const DNS_MILLISECONDS = 5_000;

/** `answered`: the place could be looked at, whether or not the proof stood there. */
export interface Look extends ProofAttempt {
  readonly answered: boolean;
}

let underWay = 0;

/**
 * The places in which the proof was looked for, all of them, so that whoever waits for it sees what is wrong.
 *
 * @throws TuppenceError overloaded
 */
export async function proveSite(deps: SiteDeps, origin: string, token: string): Promise<Look[]> {
  if (underWay >= MAX_LOOKS_AT_ONCE) throw new TuppenceError("overloaded");
  underWay++;
  try {
    return await lookEverywhere(deps, origin, token);
  } finally {
    underWay--;
  }
}

async function lookEverywhere(deps: SiteDeps, origin: string, token: string): Promise<Look[]> {
  const { hostname } = new URL(origin);
  return Promise.all([
    attempt("file", async () => seenInFile(await get(deps, origin, PROOF_FILE, MAX_FILE_BYTES), token)),
    attempt("meta", async () => seenInPage(await get(deps, origin, "/", MAX_PAGE_BYTES), token)),
    ...(isIP(hostname.replace(/^\[|\]$/g, ""))
      ? []
      : [attempt("dns", () => seenInDns(deps, hostname, token))]),
  ]);
}

/** Undefined: found. Otherwise what stood there, in words. */
type Seen = string | undefined;

async function attempt(method: ProofMethod, look: () => Promise<Seen>): Promise<Look> {
  try {
    const seen = await look();
    return { method, answered: true, found: seen === undefined, seen: seen ?? "The proof is there." };
  } catch (error) {
    if (error instanceof Unanswered) return { method, answered: false, found: false, seen: error.message };
    if (error instanceof OutboundError)
      return { method, answered: false, found: false, seen: WORDS[error.reason] };
    throw error;
  }
}

/** The site, or what stands before it, said that something is wrong with itself. */
class Unanswered extends Error {
  override readonly name = "Unanswered";
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
  const end = performance.now() + TIMEOUT_MILLISECONDS;
  let url = new URL(path, origin);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await sendOutbound({
      url,
      method: "GET",
      headers: { accept: "text/html, text/plain;q=0.9, */*;q=0.5", "user-agent": "Tuppence-Site-Proof/1" },
      timeoutMilliseconds: Math.max(1, Math.round(end - performance.now())),
      maxAnswerBytes,
      mayBePrivate: config.mayCallPrivateAddresses,
    });
    if (answer.status === 429 || answer.status >= 500)
      throw new Unanswered(`The site answered ${answer.status}.`);
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
  const root = parseHead(html).childNodes.find((node) => node.nodeName === "html");
  const head = childrenOf(root).find((node) => node.nodeName === "head");
  return childrenOf(head).flatMap((node) => {
    if (node.nodeName !== "meta" || !("attrs" in node)) return [];
    const valueOf = (name: string) => node.attrs.find((attribute) => attribute.name === name)?.value;
    return valueOf("name")?.toLowerCase() === PROOF_META ? [valueOf("content")?.trim() ?? ""] : [];
  });
}

const OF_A_HEAD = new Set(["html", "head", "title", "base", "link", "meta", "style", "script", "noscript"]);
const AFTER_HEAD = new Error("the head is over");

/**
 * The page up to the end of its head. No further: twenty kilobytes of a body can be written so that its tree has
 * millions of nodes, and whoever asks for the proof chose the page.
 */
function parseHead(html: string): DefaultTreeAdapterTypes.Document {
  let document = defaultTreeAdapter.createDocument();
  try {
    parse(html, {
      treeAdapter: {
        ...defaultTreeAdapter,
        createDocument() {
          document = defaultTreeAdapter.createDocument();
          return document;
        },
        createElement(name, namespace, attributes) {
          if (!OF_A_HEAD.has(name)) throw AFTER_HEAD;
          return defaultTreeAdapter.createElement(name, namespace, attributes);
        },
      },
    });
  } catch (error) {
    if (error !== AFTER_HEAD) throw error;
  }
  return document;
}

function childrenOf(
  node: DefaultTreeAdapterTypes.ChildNode | undefined,
): DefaultTreeAdapterTypes.ChildNode[] {
  return node && "childNodes" in node ? node.childNodes : [];
}

async function seenInDns({ config }: SiteDeps, hostname: string, token: string): Promise<Seen> {
  const resolver = new Resolver({ timeout: DNS_MILLISECONDS, tries: 1 });
  if (config.nameServers.length > 0) resolver.setServers(config.nameServers);
  // Its own limit holds for each of the machine's name servers.
  const timer = setTimeout(() => resolver.cancel(), DNS_MILLISECONDS);
  try {
    const records = (await resolver.resolveTxt(`${PROOF_DNS_PREFIX}${hostname}`)).map((parts) =>
      parts.join(""),
    );
    return records.includes(`${PROOF_DNS_VALUE}${token}`) ? undefined : "The record holds something else.";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === NODATA || code === NOTFOUND) return "There is no such record.";
    throw new Unanswered("The domain's name servers did not answer.");
  } finally {
    clearTimeout(timer);
  }
}
