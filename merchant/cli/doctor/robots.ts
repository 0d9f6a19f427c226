/** RFC 9309, as far as one address is concerned: the group of the crawler, else of all; of its rules the longest that fits. */

const MAX_RULES = 1_000;

interface Group {
  readonly agents: string[];
  readonly rules: { readonly allows: boolean; readonly path: string }[];
}

/** The rule that forbids the path, as it stands; undefined where nothing does. */
export function ruleAgainst(text: string, path: string, agent: string): string | undefined {
  const groups = readGroups(text);
  const own = groups.filter(({ agents }) => agents.includes(agent));
  const named = own.length > 0 ? own : groups.filter(({ agents }) => agents.includes("*"));
  const fitting = named
    .flatMap(({ rules }) => rules)
    .slice(0, MAX_RULES)
    .filter((rule) => rule.path !== "" && isMatch(rule.path, path))
    // Of two as long as each other the one that allows.
    .sort((a, b) => b.path.length - a.path.length || Number(b.allows) - Number(a.allows));
  const [rule] = fitting;
  return rule && !rule.allows ? `Disallow: ${rule.path}` : undefined;
}

function readGroups(text: string): Group[] {
  const groups: Group[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, name = "", value = ""] = /^\s*([\w-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/.exec(line) ?? [];
    const last = groups.at(-1);
    switch (name.toLowerCase()) {
      case "user-agent":
        if (last && last.rules.length === 0) last.agents.push(value.toLowerCase());
        else groups.push({ agents: [value.toLowerCase()], rules: [] });
        break;
      case "allow":
      case "disallow":
        last?.rules.push({ allows: name.toLowerCase() === "allow", path: value });
        break;
    }
  }
  return groups;
}

/** `*` is anything, `$` the end. Without regular expressions, which a site could make slow. */
function isMatch(pattern: string, path: string): boolean {
  const isWhole = pattern.endsWith("$");
  const parts = (isWhole ? pattern.slice(0, -1) : pattern).split("*");
  const [first = "", ...rest] = parts;
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return !isWhole || at === path.length || (rest.length > 0 && path.endsWith(rest.at(-1) ?? ""));
}
