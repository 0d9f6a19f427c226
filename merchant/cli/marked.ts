/**
 * Finds the parts of a page, or of a feed's piece of HTML, that are to be paid for: `<!-- tuppence:paid -->…<!-- /tuppence:paid -->`,
 * or an element with `data-tuppence-price`. Everything that looks like a mark and is none is an error, because text
 * whose mark was not understood would be published in clear.
 */
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { CommandError } from "./problem.ts";

/** As many as a wallet answers for on one page (`MAX_RESOURCES_PER_PAGE` there): what is bought is to open by itself. */
const MAX_PARTS = 8;
const PRICE_ATTRIBUTE = "data-tuppence-price";
const ATTRIBUTES = {
  part: "data-tuppence-part",
  title: "data-tuppence-title",
  teaser: "data-tuppence-teaser",
} as const;
const ANY_MARK = /^\s*\/?\s*tuppence\s*:/i;
const OPENING = /^\s*tuppence:paid(?:\s+([\s\S]*?))?\s*$/;
const CLOSING = /^\s*\/tuppence:paid\s*$/;
/** `name=word` or `name="some words"`. What is left of a mark without these is its price. */
const FIELD = /(?<=^|\s)([\w-]+)=(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)/g;
/** The fragment of an address and the end of a class's name; nothing in it has to be escaped anywhere. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
/** What parsers take for text: nobody finds a mark in there. */
const RAW = new Set([
  "script",
  "style",
  "noscript",
  "textarea",
  "title",
  "iframe",
  "noembed",
  "noframes",
  "xmp",
  "plaintext",
]);
/** In the bytes of any file: what the words of a mark look like. */
export const MARK_WORDS = /tuppence:paid|data-tuppence-(?:price|part|title|teaser)/i;

/** What a mark says. */
export interface MarkFields {
  /** Undefined for the part that is sold as the page itself. */
  readonly name: string | undefined;
  /** These three as they stand at the mark, if they do. */
  readonly price: string | undefined;
  readonly title: string | undefined;
  readonly teaser: string | undefined;
}

export interface MarkedPart extends MarkFields {
  /** Within the source: the part is cut out of the text, so that the rest stays as it was written. */
  readonly start: number;
  readonly end: number;
}

/** In the order in which they stand. @throws CommandError where the marks make no sense */
export function findMarked(root: Tree.Node, source: string): MarkedPart[] {
  const nodes = [...allNodes(root)];
  const found = nodes.flatMap((node) => partAt(node));
  const closings = nodes.filter((node) => isComment(node) && CLOSING.test(node.data)).length;
  if (found.filter(({ isComment: comment }) => comment).length !== closings)
    throw new CommandError(
      "a <!-- tuppence:paid --> and its <!-- /tuppence:paid --> do not match; both must stand in the same element.",
    );
  const parts = found.map(({ part }) => part).sort((a, b) => a.start - b.start);
  if (parts.length > MAX_PARTS)
    throw new CommandError(
      `there are ${parts.length} paid parts, and wallets open ${MAX_PARTS} on one page by themselves.`,
    );
  parts.forEach((part, index) => {
    const { start, end, name } = part;
    const place = name === undefined ? "the paid part" : `the paid part “${name}”`;
    if (start < (parts[index - 1]?.end ?? 0))
      throw new CommandError(
        `${place} begins before the one above it has ended: they must not nest or cross.`,
      );
    const content = source.slice(start, end);
    if (content.trim() === "") throw new CommandError(`${place} is empty.`);
    if (parts.findIndex((other) => other.name === name) !== index)
      throw new CommandError(
        name === undefined
          ? "there are two paid parts without a name: give all but one of them a name, <!-- tuppence:paid part=name -->."
          : `there are two paid parts with the name “${name}”: each is sold at an address of its own.`,
      );
  });
  return parts;
}

interface Found {
  readonly part: MarkedPart;
  readonly isComment: boolean;
}

function partAt(node: Tree.Node): Found[] {
  if ("attrs" in node) return elementAt(node);
  if (
    "value" in node &&
    RAW.has(node.parentNode?.nodeName ?? "") &&
    /<!--\s*\/?tuppence:paid|<[^>]+data-tuppence-price/i.test(node.value)
  )
    throw new CommandError(
      `a paid part is marked inside of <${node.parentNode?.nodeName}>, where it is text and no markup.`,
    );
  if (!isComment(node)) return [];
  const mark = readCommentMark(node.data);
  if (mark === undefined || mark === "end") return [];
  const siblings = node.parentNode?.childNodes ?? [];
  const closing = siblings
    .slice(siblings.indexOf(node))
    .find((sibling) => isComment(sibling) && CLOSING.test(sibling.data));
  const start = node.sourceCodeLocation?.endOffset;
  const end = closing?.sourceCodeLocation?.startOffset;
  if (start === undefined || end === undefined)
    throw new CommandError("<!-- tuppence:paid --> has no <!-- /tuppence:paid --> in the same element.");
  return [{ part: { start, end, ...mark }, isComment: true }];
}

function elementAt(node: Tree.Element): Found[] {
  const mark = readElementMark((name) => node.attrs.find((attr) => attr.name === name)?.value);
  if (!mark) return [];
  const location = node.sourceCodeLocation;
  if (!location?.startTag || !location.endTag)
    throw new CommandError(`the element with ${PRICE_ATTRIBUTE} is not closed.`);
  const part = { start: location.startTag.endOffset, end: location.endTag.startOffset, ...mark };
  return [{ part, isComment: false }];
}

/** Undefined where the element is not marked. @throws CommandError where it is marked by halves */
export function readElementMark(attribute: (name: string) => string | undefined): MarkFields | undefined {
  const price = attribute(PRICE_ATTRIBUTE);
  if (price === undefined) {
    const lone = Object.values(ATTRIBUTES).find((name) => attribute(name) !== undefined);
    if (lone)
      throw new CommandError(`an element has ${lone} and no ${PRICE_ATTRIBUTE}, which marks what is paid.`);
    return undefined;
  }
  return {
    price: price.trim() || undefined,
    name: checkName(attribute(ATTRIBUTES.part)),
    title: attribute(ATTRIBUTES.title),
    teaser: attribute(ATTRIBUTES.teaser),
  };
}

/** Undefined for a comment that is none of ours. @throws CommandError where it looks like a mark and is none */
export function readCommentMark(data: string): MarkFields | "end" | undefined {
  if (!ANY_MARK.test(data)) return undefined;
  if (CLOSING.test(data)) return "end";
  const opening = OPENING.exec(data);
  if (!opening)
    throw new CommandError(
      `<!--${data.slice(0, 60)}--> is no mark: it is <!-- tuppence:paid --> and <!-- /tuppence:paid -->, letter by letter.`,
    );
  return readMark(opening[1] ?? "");
}

/** What stands in a comment behind `tuppence:paid`. */
function readMark(text: string): MarkFields {
  const fields = new Map<string, string>();
  const rest = text.replaceAll(FIELD, (_all, name: string, ...values) => {
    if (!Object.hasOwn(ATTRIBUTES, name) || fields.has(name))
      throw new CommandError(
        `a mark says “${name}”: it takes a price, and once each ${Object.keys(ATTRIBUTES).join(", ")}.`,
      );
    fields.set(name, values.slice(0, 3).find((value) => typeof value === "string") ?? "");
    return "";
  });
  const price = rest.trim();
  if (/[="']/.test(price))
    throw new CommandError(`“${price.slice(0, 60)}” in a mark is not understood: write part=name title="…".`);
  return {
    name: checkName(fields.get("part")),
    price: price || undefined,
    title: fields.get("title"),
    teaser: fields.get("teaser"),
  };
}

function checkName(name: string | undefined): string | undefined {
  if (name !== undefined && !NAME.test(name))
    throw new CommandError(
      `“${name.slice(0, 70)}” is no name of a part: it begins with a letter, and has letters, digits, - and _, 64 at most.`,
    );
  return name;
}

/** Every node in the page's order, those in templates too. Without calling itself: pages are nested as deep as they like. */
export function* allNodes(node: Tree.Node): Generator<Tree.Node> {
  const waiting = [node];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    yield next;
    if ("childNodes" in next) for (const child of next.childNodes.toReversed()) waiting.push(child);
    if ("content" in next) waiting.push(next.content);
  }
}

function isComment(node: Tree.Node): node is Tree.CommentNode {
  return node.nodeName === "#comment";
}
