/**
 * Tells search engines which parts of a page are paid for, in JSON-LD, so that they do not take what readers see for
 * cloaking: `isAccessibleForFree` and `hasPart` as Google's "Structured data for subscription and paywalled content" asks for,
 * with selectors by class only. A description of the article that the page has already is added to.
 */
import type { Edit } from "./edits.ts";
import type { Page } from "./page.ts";

/** Those that a page's own article may be; the first kind found is taken. */
const ARTICLES =
  /(?:^|[/:])(?:\w*Article|\w*BlogPosting|Report|Course|HowTo|Review|Message|Comment|Blog|CreativeWork)$/;
const PAGES = /(?:^|[/:])\w*WebPage$/;
/** JSON-LD is nested; whoever nests it deeper than this is not describing an article. */
const MAX_LEVELS = 16;

type Node = Record<string, unknown>;

export interface Description {
  readonly headline: string;
  readonly description: string | undefined;
  readonly url: string;
}

/** @param selectors of the paid parts, e.g. `.tuppence-paid` */
export function describePaid(
  page: Page,
  { headline, description, url }: Description,
  selectors: readonly string[],
): Edit {
  const documents = page.structuredData.map((script) => ({ ...script, data: readJson(script.text) }));
  for (const kind of [ARTICLES, PAGES]) {
    for (const { data, start, end } of documents) {
      const node = findNode(data, kind);
      if (!node) continue;
      addPaidParts(node, selectors);
      return { start, end, text: scriptText(data) };
    }
  }
  const node: Node = {
    "@context": "https://schema.org",
    "@type": selectors.length > 1 ? "WebPage" : "Article",
    ...(selectors.length > 1 ? { name: headline } : { headline }),
    ...(description === undefined ? {} : { description }),
    url,
  };
  addPaidParts(node, selectors);
  const text = `<script type="application/ld+json">${scriptText(node)}</script>\n`;
  return { start: page.headEnd, end: page.headEnd, text };
}

function addPaidParts(node: Node, selectors: readonly string[]): void {
  const before = node.hasPart === undefined ? [] : [node.hasPart].flat();
  const parts = [
    ...before.filter(
      (part) => !(isNode(part) && selectors.some((selector) => part.cssSelector === selector)),
    ),
    ...selectors.map((cssSelector) => ({
      "@type": "WebPageElement",
      isAccessibleForFree: false,
      cssSelector,
    })),
  ];
  node.isAccessibleForFree = false;
  node.hasPart = parts.length === 1 ? parts[0] : parts;
}

/** The outermost one of this kind, as it stands in the data, in lists and in graphs. */
function findNode(data: unknown, kind: RegExp): Node | undefined {
  let level = [data];
  for (let depth = 0; depth < MAX_LEVELS && level.length > 0; depth++) {
    const found = level
      .filter(isNode)
      .find((node) => [node["@type"]].flat().some((type) => kind.test(String(type))));
    if (found) return found;
    level = level.flatMap((value) =>
      Array.isArray(value) ? value : isNode(value) ? [value["@graph"], value.mainEntity] : [],
    );
  }
  return undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined where it is none: search engines leave that aside as well, and so it stays as it is. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A script ends at the first `</script`, and `<!--` changes how it is read: neither may come out of a text. */
export function scriptText(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}
