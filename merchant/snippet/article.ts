/**
 * The two ways in which an article reaches its reader, as plain functions over the wallet and the network.
 *
 * sealed:  pay (mode direct) → content key → decrypt.      Coming back: entitlement → content key → decrypt.
 * behind a back end:  fetch → 402 → pay (mode http) → fetch with PAYMENT-SIGNATURE → article.
 *                     Coming back: entitlement → fetch with PAYMENT-RECEIPT → article.
 */
import { decryptArticle } from "../../shared/article.ts";
import { fromBase64url } from "../../shared/bytes.ts";
import type { PayResult } from "../../shared/protocol/page.ts";
import type { Ask } from "./conversation.ts";
import { decodeEntitlement, decodePay, decodeStatus } from "./decode.ts";
import { type ReadOffer, readHeader, readOffer } from "./offer.ts";
import { problem } from "./problem.ts";

/** The same bytes are sent again when the answer was lost: the provider takes a payment once. */
const DELIVERY_ATTEMPTS = 3;
const DELIVERY_PAUSE_MS = 400;

export interface Deps {
  readonly ask: Ask;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

export interface SealedArticle {
  readonly offer: ReadOffer;
  readonly sealed: string;
}
/** `offer` is what the last 402 said. */
export interface ServedArticle {
  readonly src: string;
  readonly offer: ReadOffer;
}
export type Article = SealedArticle | ServedArticle;

export interface Opened {
  readonly html: string;
  readonly paymentId: string;
}

/** Pays for the article. `onPaid` is called when the money is given and only the opening is left. */
export async function buy(article: Article, deps: Deps, onPaid: () => void): Promise<Opened> {
  const sealed = "sealed" in article;
  const paid = await deps.ask(
    "pay",
    { offer: article.offer.whole, mode: sealed ? "direct" : "http" },
    decodePay,
  );
  onPaid();
  const { paymentId } = paid;
  return { paymentId, html: await (sealed ? unseal(article, paid, deps) : deliver(article, paid, deps)) };
}

/** Opens what was bought before; undefined where nothing was. Silence is the usual answer: this may never resolve. */
export async function comeBack(article: Article, deps: Deps): Promise<Opened | undefined> {
  const { merchant, resource, seal } = article.offer;
  const { pathname, search } = new URL(resource);
  const challenge = `${pathname}${search}#${Math.floor(deps.now() / 1000)}`;
  const held = await deps
    .ask(
      "entitlement",
      { merchant, resource, challenge, ...("sealed" in article && { seal }) },
      decodeEntitlement,
    )
    .catch(() => undefined);
  if (!held) return undefined;
  if ("sealed" in article)
    return held.contentKey
      ? { paymentId: held.paymentId, html: await unseal(article, held, deps) }
      : undefined;
  const response = await deps.fetch(article.src, {
    cache: "no-store",
    headers: { "PAYMENT-RECEIPT": `${held.receipt}~${held.holderProof}` },
  });
  return response.ok ? { paymentId: held.paymentId, html: await response.text() } : undefined;
}

/** Asks the back end: its offer where it wants money, or the article where it does not. */
export async function meet(src: string, deps: Pick<Deps, "fetch">): Promise<ServedArticle | string> {
  const response = await deps.fetch(src, { cache: "no-store" });
  if (response.ok) return response.text();
  const offer =
    response.status === 402 ? readOffer(readHeader(response.headers.get("PAYMENT-REQUIRED"))) : undefined;
  if (!offer) throw problem("offer_invalid");
  return { src, offer };
}

async function unseal(article: SealedArticle, paid: PayResult, { ask }: Deps): Promise<string> {
  const html =
    paid.contentKey &&
    (await decryptArticle(article.sealed, fromBase64url(paid.contentKey), article.offer.resource));
  if (html !== undefined && html !== "") return html;
  throw unreadable(paid.paymentId, ask);
}

/** What was paid for cannot be shown: the wallet takes the money back, and the reader is told without waiting for that. */
export function unreadable(paymentId: string, ask: Ask): Error {
  ask("status", { paymentId, problem: "content_unreadable" }, decodeStatus).catch(() => undefined);
  return problem("content_unreadable");
}

async function deliver(article: ServedArticle, paid: PayResult, deps: Deps): Promise<string> {
  try {
    for (let attempt = 1; paid.paymentSignature && attempt <= DELIVERY_ATTEMPTS; attempt++) {
      const headers = { "PAYMENT-SIGNATURE": paid.paymentSignature };
      const response = await deps.fetch(article.src, { cache: "no-store", headers }).catch(() => undefined);
      if (response?.ok) return await response.text();
      // A refusal is final; a lost answer or a fault of the server's is asked for again with the same bytes.
      if (response && response.status < 500) break;
      if (attempt < DELIVERY_ATTEMPTS) await deps.wait(DELIVERY_PAUSE_MS * attempt);
    }
    throw problem("site_failed");
  } finally {
    // The site settles, so the wallet learns the outcome only by asking for it.
    deps.ask("status", { paymentId: paid.paymentId }, decodeStatus).catch(() => undefined);
  }
}
