/** What a page's Content-Security-Policy (level 3) forbids of what the snippet does. Every policy of a page must allow it. */
import type { PageScript } from "./page.ts";

/** One policy's directives, by name. */
export type Policy = ReadonlyMap<string, readonly string[]>;

/** Of headers, where a comma separates policies, and of `<meta>`, where nothing frames or sandboxes. */
export function readPolicies(header: string | null, metas: readonly string[]): Policy[] {
  const sent = (header ?? "")
    .split(",")
    .filter((text) => text.trim() !== "")
    .map(readPolicy);
  const inPage = metas.map((meta) => {
    const policy = readPolicy(meta);
    for (const name of ["sandbox", "frame-ancestors"]) policy.delete(name);
    return policy;
  });
  return [...sent, ...inPage];
}

/** The directive that forbids this script, if one does. */
export function forbidsScript(
  policies: readonly Policy[],
  script: PageScript,
  page: string,
): string | undefined {
  return firstRefusal(policies, ["script-src-elem", "script-src", "default-src"], (sources) => {
    if (script.nonce !== undefined && script.nonce !== "" && sources.includes(`'nonce-${script.nonce}'`))
      return true;
    const hashes = (script.integrity ?? "").split(/\s+/).filter((hash) => hash !== "");
    if (hashes.length > 0 && hashes.every((hash) => sources.includes(`'${hash}'`))) return true;
    if (sources.includes("'strict-dynamic'")) return false;
    return sources.some((source) => isMatch(source, script.src, page));
  });
}

/** The directive that forbids a request to this address, if one does. */
export function forbidsConnection(
  policies: readonly Policy[],
  url: string,
  page: string,
): string | undefined {
  return firstRefusal(policies, ["connect-src", "default-src"], (sources) =>
    sources.some((source) => isMatch(source, url, page)),
  );
}

/** The directive by which the snippet's way to put text into the page is forbidden. */
export function forbidsText(policies: readonly Policy[]): string | undefined {
  const isRequired = policies.some((policy) => policy.get("require-trusted-types-for")?.includes("'script'"));
  if (!isRequired) return undefined;
  return firstRefusal(
    policies,
    ["trusted-types"],
    (names) => names.includes("tuppence") || names.includes("*"),
  );
}

/** The sandbox in which the page has no origin, or runs no script. */
export function sandboxOf(policies: readonly Policy[]): string | undefined {
  for (const policy of policies) {
    const flags = policy.get("sandbox");
    if (flags && isOpaque(flags)) return ["sandbox", ...flags].join(" ");
  }
  return undefined;
}

export function isOpaque(flags: readonly string[]): boolean {
  return !flags.includes("allow-same-origin") || !flags.includes("allow-scripts");
}

/** What keeps a page from being framed by this origin. X-Frame-Options counts only where no policy names ancestors. */
export function forbidsFraming(headers: Headers, url: string, parent: string): string | undefined {
  const policies = readPolicies(headers.get("content-security-policy"), []);
  if (policies.some((policy) => policy.has("frame-ancestors")))
    return firstRefusal(policies, ["frame-ancestors"], (sources) =>
      sources.some((source) => isMatch(source, `${parent}/`, url)),
    );
  const option = headers.get("x-frame-options")?.trim().toLowerCase();
  const isRefused = option === "deny" || (option === "sameorigin" && parent !== new URL(url).origin);
  return isRefused ? `X-Frame-Options: ${option}` : undefined;
}

function firstRefusal(
  policies: readonly Policy[],
  names: readonly string[],
  allows: (sources: readonly string[]) => boolean,
): string | undefined {
  for (const policy of policies) {
    const name = names.find((wanted) => policy.has(wanted));
    const sources = name === undefined ? undefined : policy.get(name);
    if (sources && !allows(sources)) return [name, ...sources].join(" ");
  }
  return undefined;
}

function readPolicy(text: string): Map<string, readonly string[]> {
  const policy = new Map<string, readonly string[]>();
  for (const directive of text.split(";")) {
    const [name = "", ...values] = directive.trim().split(/\s+/);
    // The first of a name counts.
    if (name !== "" && !policy.has(name.toLowerCase())) policy.set(name.toLowerCase(), values);
  }
  return policy;
}

const HOST_SOURCE =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*|(?:\*\.)?[\w.-]+|\[[0-9a-f:]+\])(?::(\d+|\*))?(\/[^?#]*)?$/i;

function isMatch(source: string, address: string, page: string): boolean {
  const url = new URL(address);
  const self = new URL(page);
  if (source === "*") return /^https?:$/.test(url.protocol);
  if (source.toLowerCase() === "'self'")
    return url.origin === self.origin || (url.hostname === self.hostname && isUpgrade(self, url));
  const scheme = /^([a-z][a-z0-9+.-]*):$/i.exec(source)?.[1];
  if (scheme !== undefined) return isScheme(scheme, url);
  const [, named, host = "", port, path] = HOST_SOURCE.exec(source) ?? [];
  if (host === "" || !isScheme(named ?? self.protocol.slice(0, -1), url)) return false;
  const isHost = host.startsWith("*")
    ? host === "*" || url.hostname.endsWith(host.slice(1).toLowerCase())
    : url.hostname === host.toLowerCase();
  const isPort =
    port === "*" ||
    (port ?? "") === url.port ||
    (port === undefined && url.port === "") ||
    port === defaultPort(url);
  const isPath =
    path === undefined ||
    path === "/" ||
    (path.endsWith("/") ? url.pathname.startsWith(path) : url.pathname === path);
  return isHost && isPort && isPath;
}

/** What allows http allows https. */
function isScheme(scheme: string, url: URL): boolean {
  const wanted = `${scheme.toLowerCase()}:`;
  return url.protocol === wanted || (wanted === "http:" && url.protocol === "https:");
}

function isUpgrade(self: URL, url: URL): boolean {
  return self.protocol === "http:" && url.protocol === "https:" && self.port === "" && url.port === "";
}

function defaultPort({ protocol, port }: URL): string | undefined {
  return port === "" ? (protocol === "https:" ? "443" : "80") : undefined;
}
