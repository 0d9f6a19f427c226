/** Finds the part of a page that is to be paid for: `<!-- tuppence:paid -->…<!-- /tuppence:paid -->`, or an element with `data-tuppence-price`. */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { CommandError } from "./problem.ts";

export const PRICE_ATTRIBUTE = "data-tuppence-price";
const OPENING = /^\s*tuppence:paid(?:\s+(\S.*?))?\s*$/;
const CLOSING = /^\s*\/tuppence:paid\s*$/;

export interface MarkedPage {
  /** Of the paid part, within the page's source: it is cut out of the text, so that the rest stays as it was written. */
  readonly start: number;
  readonly end: number;
  /** As it stands at the mark, if it does. */
  readonly price: string | undefined;
  readonly title: string;
}

/** Undefined where nothing is marked. @throws CommandError where the marks make no sense */
export function findMarked(html: string): MarkedPage | undefined {
  const page = parse(html, { sourceCodeLocationInfo: true });
  const parts = [...allNodes(page)].flatMap((node) => partAt(node));
  const closings = [...allNodes(page)].filter((node) => isComment(node) && CLOSING.test(node.data)).length;
  const openings = parts.filter(({ isComment: comment }) => comment).length;
  if (openings !== closings)
    throw new CommandError(
      "a <!-- tuppence:paid --> and its <!-- /tuppence:paid --> do not match; both must stand in the same element.",
    );
  const [part, second] = parts;
  if (!part) return undefined;
  if (second)
    throw new CommandError(
      "there are two paid parts, and a page is sold as one: mark everything that is paid together.",
    );
  if (html.slice(part.start, part.end).trim() === "") throw new CommandError("the paid part is empty.");
  return { start: part.start, end: part.end, price: part.price, title: titleOf(page) };
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly price: string | undefined;
  readonly isComment: boolean;
}

function partAt(node: Tree.Node): Part[] {
  if ("attrs" in node) {
    const price = node.attrs.find(({ name }) => name === PRICE_ATTRIBUTE)?.value;
    const location = node.sourceCodeLocation;
    if (price === undefined) return [];
    if (!location?.startTag || !location.endTag)
      throw new CommandError(`the element with ${PRICE_ATTRIBUTE} is not closed.`);
    return [
      { start: location.startTag.endOffset, end: location.endTag.startOffset, price, isComment: false },
    ];
  }
  const opening = isComment(node) ? OPENING.exec(node.data) : null;
  if (!opening || !isComment(node)) return [];
  const siblings = node.parentNode?.childNodes ?? [];
  const closing = siblings
    .slice(siblings.indexOf(node))
    .find((sibling) => isComment(sibling) && CLOSING.test(sibling.data));
  const start = node.sourceCodeLocation?.endOffset;
  const end = closing?.sourceCodeLocation?.startOffset;
  if (start === undefined || end === undefined)
    throw new CommandError("<!-- tuppence:paid --> has no <!-- /tuppence:paid --> in the same element.");
  return [{ start, end, price: opening[1], isComment: true }];
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

/** The first headline, else the title. */
function titleOf(page: Tree.Document): string {
  for (const name of ["h1", "title"]) {
    for (const node of allNodes(page)) {
      const text = node.nodeName === name ? textOf(node).replaceAll(/\s+/g, " ").trim() : "";
      if (text) return text;
    }
  }
  return "";
}

function textOf(node: Tree.Node): string {
  return [...allNodes(node)]
    .map((inner) => (inner.nodeName === "#text" && "value" in inner ? inner.value : ""))
    .join("");
}
