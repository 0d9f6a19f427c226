/** The visit through a cache: what it may keep, and for whom (RFC 9111). */
import { isOk, tryGet, type Visitor } from "./examination.ts";
import type { SeenPage, ServedWare } from "./reader.ts";
import type { Answer } from "./requests.ts";

const DAY_SECONDS = 86_400;
/** What tells a paid request from another. */
const PAYMENT_HEADERS = ["payment-signature", "payment-receipt"];

/** The page as another reader gets it, for who looks for paid text in it. */
export async function visitAsCache(
  { answer: shown, page, wares }: SeenPage,
  cache: Visitor,
): Promise<Answer | undefined> {
  const second = await tryGet(cache, shown.url);
  if (page && wares.length > 0) {
    const { isShared, seconds } = readKeeping(shown);
    if (isShared && seconds > DAY_SECONDS) cache.find("page-kept-long", shown.url, keepingOf(shown));
  }
  for (const ware of wares) if (ware.kind === "served") await checkOfferKept(ware, cache);
  return second;
}

/** Two strangers ask. The second learns whether what the first was told is kept. */
async function checkOfferKept({ src, answer }: ServedWare, cache: Visitor): Promise<void> {
  const second = await tryGet(cache, src, { accept: "*/*" });
  for (const offer of second ? [answer, second] : [answer]) {
    const isFromCache = Number(offer.headers.get("age") ?? 0) > 0;
    if (offer.status === 402 && (isFromCache || readKeeping(offer).isShared)) {
      cache.find("offer-cacheable", src, keepingOf(offer));
    }
  }
}

/** What came for money. */
export function checkPaidAnswer(paid: Answer, cache: Visitor): void {
  const { isShared, isSaid } = readKeeping(paid);
  if (isVariedByPayment(paid)) return;
  if (isShared) cache.find("paid-answer-cacheable", paid.url, keepingOf(paid));
  else if (!isSaid) cache.find("paid-answer-unmarked", paid.url, keepingOf(paid));
}

/** After the paid request, the same address as one who did not pay; and whether a kept copy is called good without payment. */
export async function checkAfterwards(
  paid: Answer,
  opens: (answer: Answer) => boolean,
  cache: Visitor,
): Promise<void> {
  const plain = await tryGet(cache, paid.url, { accept: "*/*" });
  if (plain && opens(plain)) cache.find("paid-answer-kept", paid.url, keepingOf(plain));
  const etag = paid.headers.get("etag");
  const modified = paid.headers.get("last-modified");
  const condition = etag
    ? { "if-none-match": etag }
    : modified
      ? { "if-modified-since": modified }
      : undefined;
  if (!condition || (plain && isOk(plain))) return;
  const conditional = await tryGet(cache, paid.url, { accept: "*/*", ...condition });
  if (conditional?.status === 304)
    cache.find("paid-answer-revalidates", paid.url, `304 to ETag ${etag ?? modified}`);
}

interface Keeping {
  /** Shared caches are told that they may. */
  readonly isShared: boolean;
  readonly seconds: number;
  /** Something is said about keeping it. */
  readonly isSaid: boolean;
}

function readKeeping({ headers }: Answer): Keeping {
  const control = (headers.get("cache-control") ?? "").toLowerCase();
  const directives = new Map(
    control.split(",").map((part): [string, string] => {
      const [name = "", value = ""] = part.trim().split("=");
      return [name.trim(), value.replaceAll('"', "").trim()];
    }),
  );
  const expires = Date.parse(headers.get("expires") ?? "");
  const isForbidden = ["private", "no-store", "no-cache"].some((name) => directives.has(name));
  const untilExpiry = Number.isNaN(expires) ? 0 : (expires - Date.parse(headers.get("date") ?? "")) / 1_000;
  const seconds = Number(directives.get("s-maxage") ?? directives.get("max-age") ?? untilExpiry) || 0;
  const isShared = !isForbidden && (directives.has("public") || seconds > 0);
  return {
    isShared,
    seconds,
    isSaid: isForbidden || directives.has("max-age") || directives.has("s-maxage"),
  };
}

function isVariedByPayment({ headers }: Answer): boolean {
  const vary = (headers.get("vary") ?? "").toLowerCase().split(/[\s,]+/);
  return vary.includes("*") || PAYMENT_HEADERS.every((name) => vary.includes(name));
}

/** The headers by which caches go, as they came. */
function keepingOf({ headers }: Answer): string {
  const said = ["cache-control", "expires", "vary", "age", "x-cache"].flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [`${name}: ${value}`];
  });
  return said.join("; ") || "no Cache-Control";
}
