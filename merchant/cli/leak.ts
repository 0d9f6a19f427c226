/**
 * Looks for paid text where it would be free: a description, JSON-LD, a feed, a hidden copy. A run of words counts,
 * because a teaser may well share a phrase with the article.
 */
import { parse, parseFragment, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { allNodes } from "./marked.ts";

/** This many words in a row do not stand in two places by chance. A paid text that is shorter counts as a whole. */
const RUN_WORDS = 12;
/**
 * Of the paid texts only one sequence in `STRIDE_WORDS` is remembered: every run holds one of these from beginning to end,
 * and from there on the run is followed to both sides.
 */
const SEQUENCE_WORDS = 6;
const STRIDE_WORDS = RUN_WORDS - SEQUENCE_WORDS + 1;

export interface PaidText {
  /** Whose it is, for the words of an error. */
  readonly owner: string;
  readonly html: string;
}

export interface Leak {
  readonly owner: string;
  readonly run: string;
}

export type LeakFinder = (text: string) => Leak | undefined;

interface Place {
  readonly owner: string;
  readonly words: readonly string[];
  readonly at: number;
}

/** A function that tells the first leaked run in plain text, or undefined. It reads a text once, however much is paid. */
export function makeLeakFinder(paid: readonly PaidText[]): LeakFinder {
  const places = new Map<string, Place[]>();
  const lengths = new Set<number>();
  for (const { owner, html } of paid) {
    const words = wordsOf(visibleText(parseFragment(html)));
    const length = Math.min(SEQUENCE_WORDS, words.length);
    if (length === 0) continue;
    lengths.add(length);
    const most = words.length < RUN_WORDS ? 0 : words.length - length;
    for (let at = 0; at <= most; at += STRIDE_WORDS) {
      const sequence = words.slice(at, at + length).join(" ");
      const same = places.get(sequence);
      if (same) same.push({ owner, words, at });
      else places.set(sequence, [{ owner, words, at }]);
    }
  }
  if (places.size === 0) return () => undefined;
  return (text) => {
    const words = wordsOf(text);
    for (const length of lengths) {
      for (let at = 0; at + length <= words.length; at++) {
        for (const place of places.get(words.slice(at, at + length).join(" ")) ?? []) {
          const run = followRun(place, words, at);
          if (run) return { owner: place.owner, run };
        }
      }
    }
    return undefined;
  };
}

/** The run around two equal words, if it is long enough. */
function followRun(place: Place, words: readonly string[], at: number): string | undefined {
  const needed = Math.min(RUN_WORDS, place.words.length);
  let before = 0;
  while (
    before < needed &&
    before < Math.min(place.at, at) &&
    place.words[place.at - before - 1] === words[at - before - 1]
  )
    before++;
  let after = 0;
  while (
    before + after < needed &&
    place.at + after < place.words.length &&
    place.words[place.at + after] === words[at + after]
  )
    after++;
  return before + after >= needed ? words.slice(at - before, at + after).join(" ") : undefined;
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
    if ("value" in node && node.parentNode?.nodeName === "script") return dataTexts(node.value);
    return [];
  });
  return [visibleText(page), ...hidden];
}

/** The texts of a feed or another file that is not a page: markup in it may be escaped once more. */
export function fileTexts(content: string): string[] {
  return [withoutMarkup(content), ...(/^\s*[[{"]/.test(content) ? dataTexts(content) : [])];
}

/** JSON hides its letters behind escapes; what is not JSON counts as it stands. */
function dataTexts(source: string): string[] {
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
  return /[<&]/.test(once) ? visibleText(parseFragment(once)) : once;
}

/** What is shown, blocks apart from one another. */
export function visibleText(node: Tree.Node): string {
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

export function wordsOf(text: string): string[] {
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
