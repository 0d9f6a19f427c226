/** The visit of a search engine: it must get what a reader gets, and be told that the rest is paid for. */
import { addedWords, shownText } from "../leak.ts";
import { isOk, quoteWords, tryGet, type Visitor } from "./examination.ts";
import type { Page } from "./page.ts";
import type { SeenPage } from "./reader.ts";
import type { Answer } from "./requests.ts";
import { ruleAgainst } from "./robots.ts";

/** A page that is made anew differs by a few lines; a paid part is longer. */
const GIVEN_MORE_WORDS = 60;
const MAX_LEVELS = 20;

/** What it got, for who looks for paid text in it. */
export async function visitAsCrawler(
  { answer: shown, page }: SeenPage,
  crawler: Visitor,
): Promise<Answer | undefined> {
  const answer = await tryGet(crawler, shown.url);
  if (!answer) {
    crawler.leaveOut("the page did not answer a second time");
    return undefined;
  }
  if (!isOk(answer)) {
    if (answer.status !== shown.status) crawler.find("crawler-turned-away", shown.url, `${answer.status}`);
    // An offer is all that a crawler gets there, too.
    return answer;
  }
  const added = addedWords(shownText(answer.body), isOk(shown) ? shownText(shown.body) : "");
  if (added.length >= GIVEN_MORE_WORDS)
    crawler.find("crawler-given-more", shown.url, `${added.length} words more: ${quoteWords(added)}`);
  if (page) await checkWelcome(answer, page, crawler);
  if (page && page.walls.length > 0) checkStructuredData(page, shown.url, crawler);
  return answer;
}

/** What `robots.txt` and the page say to search engines: some sites mean it, and some have forgotten it. */
async function checkWelcome({ url, headers }: Answer, { robots }: Page, crawler: Visitor): Promise<void> {
  const said = [headers.get("x-robots-tag") ?? "", ...robots].find((text) =>
    /\b(noindex|none)\b/i.test(text),
  );
  if (said !== undefined) crawler.find("crawler-kept-out", url, said);
  const rules = await tryGet(crawler, new URL("/robots.txt", url).href);
  const rule = rules && isOk(rules) ? ruleAgainst(rules.body, new URL(url).pathname, "googlebot") : undefined;
  if (rule !== undefined) crawler.find("crawler-kept-out", url, `robots.txt: ${rule}`);
}

/** schema.org: `isAccessibleForFree` of the article, or of a part of it. */
function checkStructuredData({ structuredData }: Page, address: string, crawler: Visitor): void {
  const said: unknown[] = [];
  for (const text of structuredData) {
    try {
      said.push(...valuesOf(JSON.parse(text)));
    } catch {
      crawler.find("structured-data-wrong", address, "JSON-LD that is not JSON");
      return;
    }
  }
  const isSaidPaid = said.some((value) => value === false || /(^|\/)false$/i.test(`${value}`));
  if (said.length === 0) crawler.find("structured-data-missing", address);
  else if (!isSaidPaid)
    crawler.find("structured-data-wrong", address, `isAccessibleForFree: ${said.join(", ")}`);
}

function valuesOf(data: unknown): unknown[] {
  const values: unknown[] = [];
  let level = [data];
  for (let depth = 0; depth < MAX_LEVELS && level.length > 0; depth++) {
    const objects = level.filter((value) => typeof value === "object" && value !== null);
    for (const object of objects)
      if ("isAccessibleForFree" in object) values.push(object.isAccessibleForFree);
    level = objects.flatMap((object) => Object.values(object));
  }
  return values;
}
