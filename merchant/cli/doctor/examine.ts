/** One examination: the five visits, in the order in which each builds on what the one before saw. */
import type { LookupAddress } from "node:dns";
import type { Fetch } from "../provider.ts";
import { visitAsCache } from "./cache.ts";
import { visitAsCrawler } from "./crawler.ts";
import { createExamination, isOk } from "./examination.ts";
import { visitAsFeedReader } from "./feed-reader.ts";
import { findLeaks, type SeenAnswer } from "./leaks.ts";
import { type Purse, visitAsPayer } from "./payer.ts";
import { visitAsReader } from "./reader.ts";
import { countFindings, type DoctorReport, VISITORS } from "./report.ts";
import { type Answer, createRequests, type Limits, NoAnswerError } from "./requests.ts";
import type { BuiltSnippet } from "./snippet.ts";

export interface ExaminationDeps {
  readonly fetch: Fetch;
  readonly lookup: (host: string) => Promise<readonly LookupAddress[]>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly limits: Limits;
  readonly built: BuiltSnippet;
  /** Without one nothing is paid. */
  readonly purse: Purse | undefined;
  /** As the owner gives it. */
  readonly paidText: string | undefined;
}

export async function examine(url: URL, deps: ExaminationDeps): Promise<DoctorReport> {
  const { fetch, now, built, purse } = deps;
  const examination = createExamination(createRequests(url, deps));
  const { visitor } = examination;
  const nowSeconds = Math.floor(now() / 1_000);
  let first: Answer;
  try {
    first = await visitor("reader").get(url.href);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return unchecked(url, `${error.message}.`);
  }
  const problem = whyNoPage(first);
  if (problem !== undefined) return unchecked(url, problem);

  const page = await visitAsReader(url.href, first, { examination, fetch, built, nowSeconds });
  const crawled = await visitAsCrawler(page, visitor("crawler"));
  const feeds = await visitAsFeedReader(page, visitor("feed"));
  const kept = await visitAsCache(page, visitor("cache"));
  const bought = purse && (await visitAsPayer(page.wares, { examination, purse, now }));
  if (!purse)
    visitor("payer").leaveOut(
      "a payment, receipts, the price, and the answers that come for money: name a wallet (--wallet FILE --max PRICE)",
    );

  const paidText = deps.paidText ?? bought?.paidHtml;
  const seen: SeenAnswer[] = [
    { visitor: "reader", answer: first },
    ...(crawled ? [{ visitor: "crawler" as const, answer: crawled }] : []),
    ...feeds.map((answer) => ({ visitor: "feed" as const, answer })),
    ...(kept ? [{ visitor: "cache" as const, answer: kept }] : []),
  ];
  if (paidText !== undefined) await findLeaks(paidText, seen, page, examination);
  else
    visitor("feed").leaveOut(
      "whether paid text leaks: nobody said what it is (--paid-text FILE, or a wallet that buys it)",
    );

  const order = Object.keys(VISITORS);
  const findings = examination.findings.toSorted(
    (a, b) => order.indexOf(a.visitor) - order.indexOf(b.visitor),
  );
  const [ware] = page.wares;
  return {
    version: 1,
    url: url.href,
    outcome: findings.length === 0 ? "clean" : "findings",
    counts: countFindings(findings),
    findings,
    leftOut: [...examination.leftOut],
    ...(bought && ware ? { paid: { amount: bought.spent.toString(), currency: ware.offer.currency } } : {}),
  };
}

/** A sentence, where there is nothing to look at. */
function whyNoPage(answer: Answer): string | undefined {
  if (answer.status !== 402 && !isOk(answer)) return `${answer.url} answered ${answer.status}.`;
  const type = answer.headers.get("content-type") ?? "text/html";
  if (isOk(answer) && (answer.isBinary || !/html|xhtml/.test(type)))
    return `${answer.url} is no page (${type.slice(0, 100)}).`;
  return undefined;
}

function unchecked(url: URL, problem: string): DoctorReport {
  const counts = countFindings([]);
  return { version: 1, url: url.href, outcome: "unchecked", problem, counts, findings: [], leftOut: [] };
}
