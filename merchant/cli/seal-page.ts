/** Seals one page: its paid part is encrypted, the key sealed to the provider, the terms signed by the merchant. */
import { CONTENT_KEY_BYTES, encryptArticle } from "../../shared/article.ts";
import type { SigningKey } from "../../shared/jws.ts";
import { formatMoney, isPayableInCoins, parseMoney, SMALLEST_COIN } from "../../shared/money.ts";
import { makeOffer } from "../../shared/offer.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import { issueSeal } from "../../shared/seal.ts";
import { makeLeakFinder, publicTexts } from "./leak.ts";
import { findMarked } from "./marked.ts";
import { CommandError } from "./problem.ts";

const NONCE_BYTES = 12;
const MAX_TITLE_LENGTH = 300;

export interface SealingTerms {
  readonly merchant: string;
  readonly key: SigningKey;
  readonly provider: ProviderInfo;
  readonly merchantRecord: string | undefined;
  /** Where the page's own mark names no price. */
  readonly defaultPrice: string | undefined;
  /** Where a reader without the wallet is told how to get it. */
  readonly walletUrl: string | undefined;
  /** Seconds since 1970. */
  readonly nowSeconds: number;
}

export interface Snippet {
  /** As the page names it. */
  readonly src: string;
  readonly integrity: string;
}

export interface SealedPage {
  readonly html: string;
  readonly offer: ReturnType<typeof makeOffer>;
  /** For other files of the site, in which the text must not stand either. */
  readonly paidHtml: string;
}

/** Undefined where the page marks nothing. @throws CommandError */
export async function sealPage(
  html: string,
  resource: string,
  terms: SealingTerms,
  snippet: Snippet,
): Promise<SealedPage | undefined> {
  const marked = findMarked(html);
  if (!marked) return undefined;
  const paidHtml = html.slice(marked.start, marked.end);
  const amount = readPrice(marked.price ?? terms.defaultPrice, terms.provider);
  const { merchant, key, provider, merchantRecord, nowSeconds } = terms;
  const contentKey = crypto.getRandomValues(new Uint8Array(CONTENT_KEY_BYTES));
  const sealed = await encryptArticle(
    paidHtml,
    contentKey,
    resource,
    crypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
  );
  const { currency } = provider;
  const seal = await issueSeal(
    { merchant, resource, amount, currency, issuedAtSeconds: nowSeconds },
    contentKey,
    provider.sealingKey,
    key,
  );
  const title = marked.title.slice(0, MAX_TITLE_LENGTH);
  const record = merchantRecord === undefined ? {} : { merchantRecord };
  const offer = makeOffer({
    provider: provider.origin,
    merchant,
    amount,
    currency,
    kind: "article",
    title,
    resource,
    seal,
    ...record,
  });
  const element = paywallElement({ offer, sealed }, formatMoney(amount, currency), terms.walletUrl);
  const published = addSnippet(html.slice(0, marked.start) + element + html.slice(marked.end), snippet);
  refuseLeaks(paidHtml, published);
  return { html: published, offer, paidHtml };
}

function readPrice(text: string | undefined, provider: ProviderInfo) {
  if (text === undefined)
    throw new CommandError("the page names no price: give --price, or write it at the mark.");
  const amount = parseMoney(text);
  if (amount === undefined) throw new CommandError(`“${text}” is not a price. Write it like 5¢ or $0.05.`);
  if (!isPayableInCoins(amount)) {
    throw new CommandError(
      `${formatMoney(amount, provider.currency)} cannot be paid in coins: a price is a multiple of ${formatMoney(SMALLEST_COIN, provider.currency)}.`,
    );
  }
  if (amount > provider.largestPayment) {
    throw new CommandError(
      `${formatMoney(amount, provider.currency)} is above the provider's largest payment, ${formatMoney(provider.largestPayment, provider.currency)}.`,
    );
  }
  return amount;
}

function paywallElement(data: object, price: string, walletUrl: string | undefined): string {
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  const link = walletUrl === undefined ? "" : ` wallet-url="${escapeAttribute(walletUrl)}"`;
  const plain = `<noscript><p>The rest of this article costs ${price}. It opens with JavaScript and the Tuppence wallet.</p></noscript>`;
  return `<tuppence-paywall${link}><script type="application/tuppence+json">${json}</script>${plain}</tuppence-paywall>`;
}

/** Once a page: a page that includes the snippet by itself already keeps its own way. */
function addSnippet(html: string, { src, integrity }: Snippet): string {
  if (/<script[^>]+tuppence\.js/i.test(html)) return html;
  const tag = `<script type="module" src="${escapeAttribute(src)}" integrity="${integrity}"></script>\n`;
  const head = /<\/head\s*>/i.exec(html);
  return head ? html.slice(0, head.index) + tag + html.slice(head.index) : tag + html;
}

function refuseLeaks(paidHtml: string, published: string): void {
  const find = makeLeakFinder(paidHtml);
  for (const text of publicTexts(published)) {
    const run = find(text);
    if (run !== undefined)
      throw new CommandError(
        `paid text also stands in the free part of the page (a description, data for search engines, a comment?): “${run}”.`,
      );
  }
}

function escapeAttribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
