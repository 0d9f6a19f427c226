/**
 * Where in the options page the reader is: `#/spending/payment/<id>?month=2026-11` is the section `spending`, the path
 * `["payment", "<id>"]` and what was chosen there. The browser's own history is the page's: every place has an address.
 */
export interface Route {
  readonly section: string;
  readonly path: readonly string[];
  readonly chosen: Readonly<Record<string, string>>;
}

export function readRoute(hash: string): Route {
  const [place = "", query = ""] = hash.replace(/^#?\/?/, "").split("?");
  const [section = "", ...path] = place.split("/").map(decoded);
  return { section, path, chosen: Object.fromEntries(new URLSearchParams(query)) };
}

export function writeRoute(
  section: string,
  path: readonly string[] = [],
  chosen: Readonly<Record<string, string | undefined>> = {},
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(chosen))
    if (value !== undefined && value !== "") query.set(name, value);
  const place = [section, ...path].map(encodeURIComponent).join("/");
  return query.size === 0 ? `#/${place}` : `#/${place}?${query}`;
}

/** An address that somebody typed may not be one. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
