/** What the visitors share: how they ask, and where they note what they found. */
import { FINDINGS, type FindingCode } from "./findings.ts";
import type { Finding, VisitorName } from "./report.ts";
import { type Answer, NoAnswerError, type Requests } from "./requests.ts";

/** Of what is quoted. A header may be quoted further than a text that is paid for. */
const MAX_QUOTED_WORDS = 6;
const MAX_QUOTE_LENGTH = 160;

export interface Visitor {
  readonly headers: Readonly<Record<string, string>>;
  /** @throws NoAnswerError */
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Each finding once for each address. */
  find(code: FindingCode, where: string, seen?: string): void;
  leaveOut(why: string): void;
}

export interface Examination {
  readonly requests: Requests;
  visitor(name: VisitorName): Visitor;
  readonly findings: readonly Finding[];
  readonly leftOut: readonly { readonly visitor: VisitorName; readonly why: string }[];
}

export function createExamination(requests: Requests): Examination {
  const findings: Finding[] = [];
  const leftOut: { visitor: VisitorName; why: string }[] = [];
  return {
    requests,
    findings,
    leftOut,
    visitor: (name) => ({
      headers: HEADERS[name],
      get: (url, headers = {}) => requests.get(url, { ...HEADERS[name], ...headers }),
      find: (code, where, seen = "") => {
        if (findings.some((known) => known.code === code && known.where === where)) return;
        const { severity, what, todo } = FINDINGS[code];
        findings.push({ code, severity, visitor: name, where, seen: shorten(seen), what, todo });
      },
      leaveOut: (why) => {
        const left = { visitor: name, why: shorten(why) };
        if (!leftOut.some((known) => known.visitor === name && known.why === left.why)) leftOut.push(left);
      },
    }),
  };
}

/** What an address answers; undefined where nothing comes, which is no finding, and is said. */
export async function tryGet(
  visitor: Visitor,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer | undefined> {
  return visitor.get(url, headers).catch((error: unknown) => {
    if (!(error instanceof NoAnswerError)) throw error;
    visitor.leaveOut(error.message);
    return undefined;
  });
}

export function quoteWords(words: readonly string[]): string {
  const first = words.slice(0, MAX_QUOTED_WORDS).join(" ");
  return `“${first}${words.length > MAX_QUOTED_WORDS ? "…" : ""}”`;
}

export function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function shorten(text: string): string {
  // A site's own text must not write into a terminal.
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
  return plain.length > MAX_QUOTE_LENGTH ? `${plain.slice(0, MAX_QUOTE_LENGTH)}…` : plain;
}

const BROWSER =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
/** As those whom they stand for. A paying reader is the browser of a reader. */
const HEADERS: Readonly<Record<VisitorName, Readonly<Record<string, string>>>> = {
  reader: { "user-agent": BROWSER, accept: HTML, "accept-language": "en" },
  crawler: {
    "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    accept: HTML,
  },
  feed: {
    "user-agent": "FreshRSS/1.27 (Linux; https://freshrss.org)",
    accept:
      "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.1",
  },
  cache: {
    "user-agent":
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    accept: HTML,
    "accept-language": "de",
  },
  payer: { "user-agent": BROWSER, accept: HTML, "accept-language": "en" },
};
