/** Whether the snippet comes, runs, and is ours. */
import { createHash } from "node:crypto";
import type { Examination, Visitor } from "./examination.ts";
import type { Page, PageScript } from "./page.ts";
import { forbidsScript, type Policy } from "./policy.ts";
import { type Answer, NoAnswerError } from "./requests.ts";

const NAME = /tuppence[\w.-]*\.m?js$/i;
/** What the snippet defines, wherever it is bundled. */
const ELEMENT = "tuppence-paywall";
const SCRIPT_TYPE = /^(text|application)\/(java|ecma)script/i;
const MAX_SCRIPTS = 8;

export interface BuiltSnippet {
  /** As `integrity` says it; undefined where this checkout has built none. */
  readonly integrity: string | undefined;
}

export async function checkSnippet(
  page: Page,
  policies: readonly Policy[],
  address: string,
  reader: Visitor,
  { examination, built }: { readonly examination: Examination; readonly built: BuiltSnippet },
): Promise<void> {
  const named = page.scripts.filter(({ src }) => NAME.test(new URL(src).pathname));
  const [script] = named.length > 0 ? named : await findBundled(page, reader, examination);
  if (!script) return reader.find("snippet-missing", address);
  const forbidden = forbidsScript(policies, script, address);
  if (forbidden !== undefined) reader.find("csp-blocks-snippet", address, forbidden);
  const isForeign = new URL(script.src).origin !== new URL(address).origin;
  if (isForeign && script.integrity === undefined) reader.find("snippet-elsewhere", address, script.src);
  if (!examination.requests.isSameSite(script.src))
    return reader.leaveOut(`the snippet at ${script.src}, which is another site's`);
  const answer = await fetchScript(script.src, reader);
  if (!answer) return;
  const bytes = Buffer.from(answer.body, "utf8");
  if (script.integrity !== undefined && !isPinned(bytes, script.integrity))
    return reader.find("snippet-changed", script.src, script.integrity);
  // Within a site's own bundle it is another file, and rightly so.
  if (named.length === 0) return;
  if (built.integrity === undefined)
    reader.leaveOut("whether the snippet is ours: this checkout has not built it");
  else if (!isPinned(bytes, built.integrity)) reader.find("snippet-other-build", script.src);
}

async function fetchScript(src: string, reader: Visitor): Promise<Answer | undefined> {
  try {
    const answer = await reader.get(src, { accept: "*/*" });
    const type = answer.headers.get("content-type") ?? "";
    if (answer.status === 200 && SCRIPT_TYPE.test(type)) return answer;
    reader.find("snippet-unreachable", src, `${answer.status} ${type}`);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    reader.find("snippet-unreachable", src, error.message);
  }
  return undefined;
}

async function findBundled(page: Page, reader: Visitor, { requests }: Examination): Promise<PageScript[]> {
  const own = page.scripts.filter(({ src }) => requests.isSameSite(src)).slice(0, MAX_SCRIPTS);
  for (const script of own) {
    const answer = await reader.get(script.src, { accept: "*/*" }).catch(() => undefined);
    if (answer?.body.includes(ELEMENT)) return [script];
  }
  return [];
}

/** One of the hashes of the strongest kind has to fit; here any does, because `seal` writes one. */
function isPinned(bytes: Buffer, integrity: string): boolean {
  return integrity.split(/\s+/).some((hash) => {
    const [, algorithm = "", digest = ""] = /^(sha(?:256|384|512))-([A-Za-z0-9+/=]+)/.exec(hash) ?? [];
    return algorithm !== "" && createHash(algorithm).update(bytes).digest("base64") === digest;
  });
}
