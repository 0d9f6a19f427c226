/** The visit of a feed reader: a feed must hold no more of the article than the page shows. */
import { addedWords, fileTexts, shownText } from "../leak.ts";
import { isOk, quoteWords, tryGet, type Visitor } from "./examination.ts";
import type { SeenPage } from "./reader.ts";
import type { Answer } from "./requests.ts";

const TYPES = ["application/rss+xml", "application/atom+xml", "application/feed+json"];
const USUAL_PATHS = ["/feed", "/feed.xml", "/rss", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json"];
const MAX_FEEDS = 12;
/** A summary of its own is no leak. */
const GIVEN_MORE_WORDS = 60;

/** The feeds that were found, for who looks for paid text in them. */
export async function visitAsFeedReader(
  { answer: shown, page }: SeenPage,
  visitor: Visitor,
): Promise<Answer[]> {
  const named = (page?.links ?? [])
    .filter(({ rel, type }) => rel.includes("alternate") && TYPES.includes(type.split(";")[0]?.trim() ?? ""))
    .map(({ href }) => href);
  const usual = USUAL_PATHS.map((path) => new URL(path, shown.url).href);
  const feeds: Answer[] = [];
  for (const url of [...new Set([...named, ...usual])].slice(0, MAX_FEEDS)) {
    const answer = await tryGet(visitor, url);
    if (!answer || !isOk(answer) || !isFeed(answer)) {
      if (named.includes(url)) visitor.leaveOut(`the feed ${url}, which cannot be read`);
      continue;
    }
    feeds.push(answer);
    if (!page) continue;
    const entry = entriesOf(answer.body).find((text) => isAbout(text, shown.url));
    const added = entry === undefined ? [] : addedWords(fileTexts(entry).join(" "), shownText(shown.body));
    if (added.length >= GIVEN_MORE_WORDS)
      visitor.find("feed-gives-more", url, `${added.length} words more: ${quoteWords(added)}`);
  }
  return feeds;
}

function isFeed({ body }: Answer): boolean {
  return (
    /^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)?<(rss|feed|rdf:RDF)[\s>]/.test(body) ||
    jsonItems(body).length > 0
  );
}

function entriesOf(body: string): string[] {
  const items = jsonItems(body);
  if (items.length > 0) return items.map((item) => JSON.stringify(item));
  return [...body.matchAll(/<(item|entry)[\s>][\s\S]*?<\/\1>/g)].map(([text]) => text);
}

function isAbout(entry: string, url: string): boolean {
  const { pathname, search } = new URL(url);
  return [url, `${pathname}${search}`].some(
    (address) => entry.includes(address) || entry.includes(address.replaceAll("&", "&amp;")),
  );
}

function jsonItems(body: string): unknown[] {
  if (!body.trimStart().startsWith("{")) return [];
  try {
    const feed: unknown = JSON.parse(body);
    return typeof feed === "object" && feed !== null && "items" in feed && Array.isArray(feed.items)
      ? feed.items
      : [];
  } catch {
    return [];
  }
}
