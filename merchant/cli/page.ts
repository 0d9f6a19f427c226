/** What a page says of itself outside of its paid parts, and where in its source something can be put in. */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { visibleText, wordsOf } from "./leak.ts";
import { allNodes, findMarked, type MarkedPart } from "./marked.ts";
import { CommandError } from "./problem.ts";

const HEADINGS = new Set(["h1", "h2", "h3", "h4", "h5", "h6"]);
/** What nobody reads as the beginning of an article. */
const NO_TEASER = new Set([
  ...HEADINGS,
  "head",
  "nav",
  "footer",
  "aside",
  "template",
  "script",
  "style",
  "noscript",
]);
/** Fewer words than this are a date and a name. */
const TEASER_WORDS = 12;

export interface Page {
  readonly parts: readonly MarkedPart[];
  readonly title: string;
  readonly description: string | undefined;
  readonly ids: ReadonlySet<string>;
  readonly hasSnippet: boolean;
  /** Where the head ends, or could. */
  readonly headEnd: number;
  /** The scripts of JSON-LD, which search engines read. */
  readonly structuredData: readonly { readonly start: number; readonly end: number; readonly text: string }[];
  /** The nearest headline above a part, below the part before it. */
  headlineOf(part: MarkedPart): string | undefined;
  /** Whether something to read stands between this part and the one before it. */
  hasTeaser(part: MarkedPart): boolean;
}

/** Undefined where nothing is marked. @throws CommandError where the marks make no sense */
export function readPage(source: string): Page | undefined {
  const document = parse(source, { sourceCodeLocationInfo: true });
  const parts = findMarked(document, source);
  if (parts.length === 0) return undefined;
  if (parts.some((part) => isSealed(part, source)))
    throw new CommandError("a paid part is sealed already: give the page as it was before.");
  const free = freeNodes(document, parts);
  const elements = free.filter((node) => "attrs" in node);
  const headings = elements
    .filter(({ nodeName }) => HEADINGS.has(nodeName))
    .map((node) => ({ name: node.nodeName, at: offsetOf(node) ?? 0, text: plain(node) }))
    .filter(({ text }) => text !== "");
  const texts = teaserTexts(free);
  const above = (part: MarkedPart, at: number) => {
    const before = parts[parts.indexOf(part) - 1];
    return at < part.start && at >= (before?.end ?? 0);
  };
  return {
    parts,
    title: headings.find(({ name }) => name === "h1")?.text ?? titleOf(elements),
    description: descriptionOf(elements),
    ids: new Set(elements.map((node) => attributeOf(node, "id")).filter((id) => id !== undefined)),
    hasSnippet: elements.some(
      (node) => node.nodeName === "script" && /tuppence\.js(?:$|\?)/i.test(attributeOf(node, "src") ?? ""),
    ),
    headEnd: headEndOf(document),
    structuredData: elements.filter(isStructuredData).flatMap((node) => textAt(node)),
    headlineOf: (part) => headings.findLast(({ at }) => above(part, at))?.text,
    hasTeaser: (part) =>
      wordsOf(
        texts
          .filter(({ at }) => above(part, at))
          .map(({ text }) => text)
          .join(" "),
      ).length >= TEASER_WORDS,
  };
}

export function isSealed({ start, end }: MarkedPart, source: string): boolean {
  return /<tuppence-paywall/i.test(source.slice(start, end));
}

function freeNodes(document: Tree.Document, parts: readonly MarkedPart[]): Tree.Node[] {
  return [...allNodes(document)].filter((node) => {
    const at = offsetOf(node);
    return at === undefined || !parts.some(({ start, end }) => at >= start && at < end);
  });
}

function teaserTexts(nodes: readonly Tree.Node[]): { readonly at: number; readonly text: string }[] {
  const left = new Set<Tree.Node>();
  return nodes.flatMap((node) => {
    const parent = "parentNode" in node ? node.parentNode : null;
    if (NO_TEASER.has(node.nodeName) || (parent && left.has(parent))) left.add(node);
    else if (node.nodeName === "#text" && "value" in node)
      return [{ at: offsetOf(node) ?? 0, text: node.value }];
    return [];
  });
}

function titleOf(elements: readonly Tree.Element[]): string {
  const title = elements.find((node) => node.nodeName === "title");
  return title ? plain(title) : "";
}

function descriptionOf(elements: readonly Tree.Element[]): string | undefined {
  for (const name of ["description", "og:description"]) {
    const meta = elements.find(
      (node) =>
        node.nodeName === "meta" &&
        (attributeOf(node, "name") ?? attributeOf(node, "property"))?.toLowerCase() === name,
    );
    const text = meta && attributeOf(meta, "content")?.replaceAll(/\s+/g, " ").trim();
    if (text) return text;
  }
  return undefined;
}

/** Before `</head>`; where the page leaves it out, right behind the doctype, from where parsers move it into the head. */
function headEndOf(document: Tree.Document): number {
  const nodes = document.childNodes.flatMap((node) =>
    "childNodes" in node ? [node, ...node.childNodes] : [node],
  );
  const head = nodes.find(({ nodeName }) => nodeName === "head");
  const location = head && "attrs" in head ? head.sourceCodeLocation : undefined;
  const doctype = nodes.find(({ nodeName }) => nodeName === "#documentType")?.sourceCodeLocation;
  return location?.endTag?.startOffset ?? location?.startTag?.endOffset ?? doctype?.endOffset ?? 0;
}

function isStructuredData(node: Tree.Element): boolean {
  return (
    node.nodeName === "script" && attributeOf(node, "type")?.trim().toLowerCase() === "application/ld+json"
  );
}

function textAt(node: Tree.Element): { start: number; end: number; text: string }[] {
  const [text] = node.childNodes;
  const location = text?.sourceCodeLocation;
  return text && "value" in text && location
    ? [{ start: location.startOffset, end: location.endOffset, text: text.value }]
    : [];
}

function attributeOf(node: Tree.Element, name: string): string | undefined {
  return node.attrs.find((attribute) => attribute.name === name)?.value;
}

function offsetOf(node: Tree.Node): number | undefined {
  return "sourceCodeLocation" in node ? node.sourceCodeLocation?.startOffset : undefined;
}

function plain(node: Tree.Node): string {
  return visibleText(node).replaceAll(/\s+/g, " ").trim();
}
