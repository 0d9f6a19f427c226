/**
 * Feeds get the teaser only: what is marked as paid is cut out of RSS, Atom and JSON, and a link to the page stands in its place.
 * HTML in a feed is text (escaped, in CDATA, or a JSON string), or markup of the feed itself (Atom's XHTML). Everything
 * else in the file stays as it was written.
 */
import { parseFragment } from "parse5";
import { applyEdits, type Edit, escapeMarkup } from "./edits.ts";
import { findMarked, MARK_WORDS, type MarkFields, readCommentMark, readElementMark } from "./marked.ts";
import { CommandError } from "./problem.ts";

/** What stands for a part that was cut out; also how one is told from a part that was not. */
export const CUT_CLASS = "tuppence-more";
const ITEMS = /^(?:item|entry)$/;
const LINKS = /^(?:link|guid|id)$/;

export interface FeedTerms {
  /** As people read it. @throws CommandError where there is none */
  priceOf(part: MarkFields): string;
}

/** @throws CommandError where it is not well-formed, or a mark makes no sense */
export function cutFeed(content: string, terms: FeedTerms): string {
  return /^\uFEFF?\s*[[{]/.test(content) ? cutJson(content, terms) : cutXml(content, terms);
}

function cutJson(content: string, terms: FeedTerms): string {
  const text = content.replace(/^\uFEFF/, "");
  try {
    const data: unknown = JSON.parse(
      text,
      function (this: Readonly<Record<string, unknown>>, _key, value: unknown) {
        if (typeof value !== "string" || !MARK_WORDS.test(value)) return value;
        const link = [this.url, this.external_url, this.link, this.permalink].find(isAddress);
        return cutHtml(value, link, terms);
      },
    );
    const indent = /^\s*[[{]\r?\n([ \t]+)/.exec(text)?.[1];
    return JSON.stringify(data, undefined, indent) + (/\n$/.exec(text)?.[0] ?? "");
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError("the file has a mark in it, and is no JSON that can be read.");
  }
}

interface Token {
  readonly kind: "text" | "cdata" | "comment" | "start" | "end" | "empty" | "other";
  readonly start: number;
  readonly end: number;
  /** As it is written. */
  readonly source: string;
  /** Of an element, with its prefix. */
  readonly name: string;
  /** The token at which this element ends. */
  last: number;
}

function cutXml(content: string, terms: FeedTerms): string {
  const tokens = readTokens(content);
  const edits: Edit[] = [];
  const open: { readonly index: number; readonly name: string }[] = [];
  const items: { readonly last: number; readonly link: string | undefined }[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token) break;
    if (token.kind === "start") {
      if (ITEMS.test(localName(token))) items.push({ last: token.last, link: linkOf(tokens, index) });
      open.push({ index, name: token.name });
    }
    if (token.kind === "end") open.pop();
    const link = items.findLast(({ last }) => last >= index)?.link;
    const marked = markAt(tokens, index, open.at(-1)?.index);
    if (marked) {
      const prefix = /^(.*:)/.exec(open.at(-1)?.name ?? "")?.[1] ?? "";
      edits.push({
        start: marked.start,
        end: marked.end,
        text: linkElement(marked.part, link, terms, prefix),
      });
      index = marked.next - 1;
    } else if (token.kind === "text" || token.kind === "cdata") {
      const run = tokens.slice(index, 1 + lastOfRun(tokens, index));
      const text = cutText(run, link, terms);
      if (text !== undefined) edits.push({ start: token.start, end: run.at(-1)?.end ?? token.end, text });
      index += run.length - 1;
    }
  }
  return applyEdits(content, edits);
}

/** HTML as text: undefined where nothing in it is marked. */
function cutText(run: readonly Token[], link: string | undefined, terms: FeedTerms): string | undefined {
  const html = run
    .map(({ kind, source }) => (kind === "cdata" ? source.slice(9, -3) : decode(source)))
    .join("");
  if (!MARK_WORDS.test(html)) return undefined;
  const cut = cutHtml(html, link, terms);
  if (cut === html) return undefined;
  return run.some(({ kind }) => kind === "cdata")
    ? `<![CDATA[${cut.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`
    : escapeMarkup(cut);
}

function cutHtml(html: string, link: string | undefined, terms: FeedTerms): string {
  const parts = findMarked(parseFragment(html, { sourceCodeLocationInfo: true }), html);
  return applyEdits(
    html,
    parts
      .filter(({ start, end }) => !html.slice(start, end).includes(CUT_CLASS))
      .map((part) => ({ start: part.start, end: part.end, text: linkElement(part, link, terms, "") })),
  );
}

function linkElement(part: MarkFields, link: string | undefined, terms: FeedTerms, prefix: string): string {
  const words = escapeMarkup(`Read on for ${terms.priceOf(part)}`);
  const address = link && (part.name === undefined ? link : `${link.replace(/#.*$/s, "")}#${part.name}`);
  const more = address ? `<${prefix}a href="${escapeMarkup(address)}">${words}</${prefix}a>` : words;
  const teaser = part.teaser
    ? `<${prefix}p class="tuppence-teaser">${escapeMarkup(part.teaser)}</${prefix}p>`
    : "";
  return `${teaser}<${prefix}p class="${CUT_CLASS}">${more}</${prefix}p>`;
}

interface RawPart {
  readonly part: MarkFields;
  readonly start: number;
  readonly end: number;
  /** The token behind it. */
  readonly next: number;
}

/** A mark that is markup of the feed itself. Undefined also where it was cut out before. */
function markAt(tokens: readonly Token[], index: number, parent: number | undefined): RawPart | undefined {
  const token = tokens[index];
  if (!token || !MARK_WORDS.test(token.source)) return undefined;
  const limit = (parent === undefined ? undefined : tokens[parent]?.last) ?? tokens.length;
  let part: MarkFields | undefined;
  let next = token.last;
  if (token.kind === "start" || token.kind === "empty")
    part = readElementMark((name) => attributeOf(token, name));
  else if (token.kind === "comment") {
    const mark = readCommentMark(token.source.slice(4, -3));
    part = mark === "end" ? undefined : mark;
    next = index + 1;
    while (part && next < limit && !isEnd(tokens[next]))
      next = Math.max(next, tokens[next]?.last ?? next) + 1;
    if (part && next >= limit)
      throw new CommandError("<!-- tuppence:paid --> has no <!-- /tuppence:paid --> in the same element.");
  }
  const end = tokens[next]?.start;
  if (!part || end === undefined) return undefined;
  const inner = tokens.slice(index + 1, next);
  if (inner.some(({ source }) => source.includes(CUT_CLASS))) return undefined;
  if (inner.every(({ source }) => source.trim() === "")) throw new CommandError("the paid part is empty.");
  return { part, start: token.end, end, next };
}

function isEnd(token: Token | undefined): boolean {
  return token?.kind === "comment" && readCommentMark(token.source.slice(4, -3)) === "end";
}

function attributeOf({ source }: Token, name: string): string | undefined {
  const value = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(source);
  return value ? decode(value[1] ?? value[2] ?? "") : undefined;
}

const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*(?:\[[\s\S]*?\]\s*)?>|<\/?[^\s<>/!?](?:"[^"]*"|'[^']*'|[^<>"'])*>|[^<]+/gy;

/** @throws CommandError where the elements do not match: of such a file it is not known what a mark in it means */
function readTokens(content: string): Token[] {
  const tokens: Token[] = [];
  const open: Token[] = [];
  let at = 0;
  for (const [source] of content.matchAll(TOKEN)) {
    const name = /^<\/?([^\s/>]*)/.exec(source)?.[1] ?? "";
    const token = {
      kind: kindOf(source),
      start: at,
      end: at + source.length,
      source,
      name,
      last: tokens.length,
    };
    at = token.end;
    tokens.push(token);
    if (token.kind === "start") open.push(token);
    if (token.kind !== "end") continue;
    const begun = open.pop();
    if (begun?.name !== name) at = -1;
    if (at < 0) break;
    if (begun) begun.last = tokens.length - 1;
  }
  if (at !== content.length || open.length > 0)
    throw new CommandError(
      "the file has a mark in it, and is not well-formed XML, so that nothing can be cut out of it.",
    );
  return tokens;
}

function kindOf(source: string): Token["kind"] {
  if (!source.startsWith("<")) return "text";
  if (source.startsWith("<!--")) return "comment";
  if (source.startsWith("<![")) return "cdata";
  if (/^<[?!]/.test(source)) return "other";
  if (source.startsWith("</")) return "end";
  return source.endsWith("/>") ? "empty" : "start";
}

function lastOfRun(tokens: readonly Token[], from: number): number {
  const end = tokens.findIndex(({ kind }, index) => index > from && kind !== "text" && kind !== "cdata");
  return (end < 0 ? tokens.length : end) - 1;
}

/** RSS writes it as text, Atom as an attribute of the link to the page itself. */
function linkOf(tokens: readonly Token[], item: number): string | undefined {
  const inner = tokens.slice(item + 1, tokens[item]?.last);
  const links = inner.flatMap((token, index) => {
    if (!LINKS.test(token.name) || token.kind === "end") return [];
    const href = attributeOf(token, "href");
    if (href !== undefined) return (attributeOf(token, "rel") ?? "alternate") === "alternate" ? [href] : [];
    const text = inner[index + 1];
    return text?.kind === "text"
      ? [decode(text.source).trim()]
      : text?.kind === "cdata"
        ? [text.source.slice(9, -3)]
        : [];
  });
  return links.find(isAddress);
}

function localName({ name }: Token): string {
  return name.replace(/^.*:/, "");
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\//.test(value) && URL.canParse(value);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}
