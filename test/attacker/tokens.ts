/**
 * What in a text can be recognised elsewhere: every string of eight bytes or more, taken out of JSON, addresses, JWS and base64,
 * and written the same way whether it came as hex, as base64url or as it is.
 */
const LEAST_BYTES = 8;
const MAX_DEPTH = 8;
const HEX = /^[0-9a-f]{16,}$/;
const BASE64URL = /^[A-Za-z0-9_-]{11,}$/;
const BASE64 = /^[A-Za-z0-9+/]{24,}={0,2}$/;
const JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export function tokensOf(texts: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const text of texts) collect(text, found, 0);
  return found;
}

function collect(text: string, found: Set<string>, depth: number): void {
  if (text.length < LEAST_BYTES || depth > MAX_DEPTH) return;
  const json = parse(text);
  if (typeof json === "object" && json !== null) {
    collectAll(json, found, depth + 1);
    return;
  }
  const bare = text.startsWith("Bearer ") ? text.slice("Bearer ".length) : text;
  if (JWS.test(bare)) {
    for (const part of bare.split(".")) {
      const inner = Buffer.from(part, "base64url").toString("utf8");
      // Heads are alike in all that one key signed.
      if (typeof parse(inner) === "object") collect(inner, found, depth + 1);
      else add(part, found);
    }
    return;
  }
  if (BASE64.test(text)) {
    // Without padding it looks like base64url, and both decode alike.
    const inner = Buffer.from(text, "base64").toString("utf8");
    if (typeof parse(inner) === "object") {
      collect(inner, found, depth + 1);
      return;
    }
  }
  if (HEX.test(text) || BASE64URL.test(text)) {
    add(text, found);
    return;
  }
  found.add(text);
  for (const part of text.split(/[^A-Za-z0-9_.-]+/))
    if (part !== text && part.length >= LEAST_BYTES) collect(part, found, depth + 1);
}

function collectAll(value: unknown, found: Set<string>, depth: number): void {
  if (typeof value === "string") collect(value, found, depth);
  else if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      // In a map, an id may be a key.
      if (key.length >= 2 * LEAST_BYTES) collect(key, found, depth);
      collectAll(inner, found, depth);
    }
}

function add(text: string, found: Set<string>): void {
  if (HEX.test(text)) found.add(text);
  else {
    const bytes = Buffer.from(text, "base64url");
    if (bytes.length >= LEAST_BYTES) found.add(bytes.toString("hex"));
  }
}

function parse(text: string): unknown {
  if (!/^[[{"]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
