/** Looks for paid text that is known (bought, or given) in what anyone gets: the page, feeds, other versions, other spellings. */
import { fileTexts, isLongEnough, makeLeakFinder, publicTexts } from "../leak.ts";
import { type Examination, isOk, quoteWords, tryGet } from "./examination.ts";
import type { SeenPage } from "./reader.ts";
import type { VisitorName } from "./report.ts";
import type { Answer } from "./requests.ts";

export interface SeenAnswer {
  readonly visitor: VisitorName;
  readonly answer: Answer;
}

const MAX_ALTERNATES = 10;
const VERSIONS = [
  "print=1",
  "print",
  "amp=1",
  "amp",
  "output=amp",
  "outputType=amp",
  "view=print",
  "format=json",
];

export async function findLeaks(
  paidHtml: string,
  seen: readonly SeenAnswer[],
  page: SeenPage,
  examination: Examination,
): Promise<void> {
  const reader = examination.visitor("reader");
  if (!isLongEnough(paidHtml))
    return reader.leaveOut("whether paid text leaks: it is shorter than a run of words");
  const find = makeLeakFinder([{ owner: "", html: paidHtml }]);
  /** What a host that reads no query answers again and again is one thing. */
  const known = new Set<string>();
  const look = ({ visitor, answer }: SeenAnswer) => {
    if (known.has(answer.body)) return;
    known.add(answer.body);
    const leak = textsOf(answer)
      .map(find)
      .find((found) => found !== undefined);
    if (leak !== undefined)
      examination.visitor(visitor).find("paid-text-leaks", answer.url, quoteWords(leak.run.split(" ")));
  };
  seen.forEach(look);
  for (const url of otherAddresses(page).filter(examination.requests.isSameSite)) {
    const answer = await tryGet(reader, url);
    if (answer && isOk(answer)) look({ visitor: "reader", answer: { ...answer, url } });
  }
}

/** Of a page, all that anyone can read; of anything else, its text. */
export function textsOf({ headers, body }: Answer): string[] {
  return /html|xhtml/.test(headers.get("content-type") ?? "") ? publicTexts(body) : fileTexts(body);
}

/** Versions of the page, those that it names and those that are usual, and its paid addresses spelled otherwise. */
function otherAddresses({ answer, page, wares }: SeenPage): string[] {
  const named = (page?.links ?? [])
    .filter(({ rel, type, media }) => isVersion(rel, type, media))
    .slice(0, MAX_ALTERNATES)
    .map(({ href }) => href);
  const served = wares.flatMap((ware) => (ware.kind === "served" ? spellingsOf(ware.src) : []));
  const versions = page ? versionsOf(answer.url) : [];
  return [...new Set([...named, ...versions, ...served])];
}

function isVersion(rel: readonly string[], type: string, media: string | undefined): boolean {
  return (
    rel.includes("amphtml") ||
    (rel.includes("alternate") && (media !== undefined || type.startsWith("application/")))
  );
}

function versionsOf(address: string): string[] {
  const { origin, pathname } = new URL(address);
  const stem = pathname.replace(/\.html?$|\/$/, "");
  const queries = VERSIONS.map((query) => `${origin}${pathname}?${query}`);
  const paths = ["/amp", "/print", ".amp.html", ".print.html", ".json", ".txt", ".md"].map(
    (end) => `${origin}${stem}${end}`,
  );
  return stem === "" ? queries : [...queries, ...paths];
}

/** Where a router and what guards it do not read an address alike. */
function spellingsOf(src: string): string[] {
  const { origin, pathname, search } = new URL(src);
  const slashed = pathname.endsWith("/") ? pathname.slice(0, -1) : `${pathname}/`;
  const last = pathname.slice(pathname.lastIndexOf("/") + 1);
  const spelled = [
    slashed,
    pathname.toUpperCase(),
    `/${pathname}`,
    `${pathname}.json`,
    `${pathname.slice(0, pathname.length - last.length)}%${Buffer.from(last.slice(0, 1)).toString("hex")}${last.slice(1)}`,
  ];
  return [
    ...spelled.map((path) => `${origin}${path}${search}`),
    ...VERSIONS.map((query) => `${origin}${pathname}?${query}`),
  ];
}
