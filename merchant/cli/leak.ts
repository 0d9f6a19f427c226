/**
 * Looks for paid text where it would be free: a description, JSON-LD, a feed, a hidden copy. A run of words counts,
 * because a teaser may well share a phrase with the article.
 */
import { parse, parseFragment, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { allNodes } from "./marked.ts";

/** This many words in a row do not stand in two places by chance. */
const RUN_WORDS = 12;

export type LeakFinder = (text: string) => string | undefined;

/** A function that tells the first leaked run in plain text, or undefined. */
export function makeLeakFinder(paidHtml: string): LeakFinder {
  const paid = wordsOf(visibleText(parseFragment(paidHtml)));
  const length = Math.min(RUN_WORDS, paid.length);
  if (length === 0) return () => undefined;
  const runs = new Set(runsOf(paid, length));
  return (text) => runsOf(wordsOf(text), length).find((run) => runs.has(run));
}

/** Whether there is enough paid text for a run of it to mean something. */
export function isLongEnough(paidHtml: string): boolean {
  return wordsOf(visibleText(parseFragment(paidHtml))).length >= RUN_WORDS;
}

/** The words of one text that stand in no run that it shares with the other. */
export function addedWords(text: string, other: string): readonly string[] {
  const words = wordsOf(text);
  const known = new Set(runsOf(wordsOf(other), RUN_WORDS));
  const isShared = words.map(() => false);
  for (const [start, run] of runsOf(words, RUN_WORDS).entries())
    if (known.has(run)) isShared.fill(true, start, start + RUN_WORDS);
  return words.filter((_, index) => !isShared[index]);
}

/** What a page shows. */
export function shownText(html: string): string {
  return visibleText(parse(html));
}

/** All text of a page that anyone can read: what is shown, and what stands in attributes, comments and data. */
export function publicTexts(html: string): string[] {
  const page = parse(html);
  const hidden = [...allNodes(page)].flatMap((node) => {
    if ("attrs" in node) return node.attrs.map(({ value }) => withoutMarkup(value));
    if ("data" in node) return [withoutMarkup(node.data)];
    if ("value" in node && node.parentNode?.nodeName === "script") return fileTexts(node.value);
    return [];
  });
  return [visibleText(page), ...hidden];
}

/**
 * The texts of a feed, or of another file that is not a page: markup in it may be escaped once more. JSON hides its letters
 * behind escapes; what is not JSON counts as it stands.
 */
export function fileTexts(source: string): string[] {
  const texts: string[] = [];
  try {
    JSON.parse(source, (_key, value: unknown) => {
      if (typeof value === "string") texts.push(withoutMarkup(value));
      return value;
    });
  } catch {
    texts.push(withoutMarkup(source));
  }
  return texts;
}

function withoutMarkup(text: string): string {
  // A large page has tens of thousands of attributes.
  if (!/[<&]/.test(text)) return text;
  const once = visibleText(parseFragment(text.replaceAll(/<!\[CDATA\[|\]\]>/g, " ")));
  return once.includes("<") ? visibleText(parseFragment(once)) : once;
}

function visibleText(node: Tree.Node): string {
  const texts = [...allNodes(node)].map((inner) => {
    if (inner.nodeName !== "#text") return BLOCK.has(inner.nodeName) ? " " : "";
    return "value" in inner && !SILENT.has(inner.parentNode?.nodeName ?? "") ? inner.value : "";
  });
  return texts.join("");
}

const SILENT = new Set(["script", "style"]);
const BLOCK = new Set([
  "p",
  "div",
  "section",
  "article",
  "li",
  "br",
  "h1",
  "h2",
  "h3",
  "h4",
  "blockquote",
  "figcaption",
  "td",
  "dd",
  "dt",
  "item",
  "entry",
]);

function wordsOf(text: string): string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

function runsOf(words: readonly string[], length: number): string[] {
  const runs: string[] = [];
  for (let start = 0; start + length <= words.length; start++)
    runs.push(words.slice(start, start + length).join(" "));
  return runs;
}
