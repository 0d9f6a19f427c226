/** Seals one page: each paid part becomes an element that sells it, and what search engines read says so. */
import { formatMoney, isPayableInCoins, type Micros, parseMoney, SMALLEST_COIN } from "../../shared/money.ts";
import { makeOffer } from "../../shared/offer.ts";
import { MAX_URL_LENGTH } from "../../shared/protocol/fields.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import { applyEdits, type Edit, escapeMarkup } from "./edits.ts";
import type { KeptSeals } from "./kept-seals.ts";
import { makeLeakFinder, publicTexts } from "./leak.ts";
import type { MarkedPart } from "./marked.ts";
import { type Page, readPage } from "./page.ts";
import { CommandError } from "./problem.ts";
import { type SealingTerms, sealPart } from "./seal-part.ts";
import { describePaid, scriptText } from "./structured-data.ts";

export type { SealingTerms };

const MAX_TITLE_LENGTH = 300;
const PAID_CLASS = "tuppence-paid";
const OWN_WORDS = /^\s*(?:\/?tuppence:paid\b|tuppence-teaser$)/;
const BYTE_ORDER_MARK = "\uFEFF";

export interface Snippet {
  /** As the page names it. */
  readonly src: string;
  readonly integrity: string;
}

export type Offer = ReturnType<typeof makeOffer>;

export interface SoldPart {
  readonly offer: Offer;
  /** For other files of the site, in which the text must not stand either. */
  readonly paidHtml: string;
  /** Sealed now, and not the last time. */
  readonly isFresh: boolean;
  readonly issuedAtSeconds: number;
}

export interface SealedPage {
  readonly html: string;
  readonly parts: readonly SoldPart[];
  /** All that can be read in it without paying. */
  readonly texts: readonly string[];
  /** For whoever runs the command. */
  readonly notes: readonly string[];
}

/**
 * Undefined where the page marks nothing.
 * @param address of the page. A part with a name is sold at its fragment, the one without at the address itself.
 * @throws CommandError
 */
export async function sealPage(
  source: string,
  address: string,
  terms: SealingTerms,
  snippet: Snippet,
  kept?: KeptSeals,
): Promise<SealedPage | undefined> {
  const hasMark = source.startsWith(BYTE_ORDER_MARK);
  const html = hasMark ? source.slice(BYTE_ORDER_MARK.length) : source;
  const page = readPage(html);
  if (!page) return undefined;
  const sold: (SoldPart & { readonly element: string })[] = [];
  for (const part of page.parts) sold.push(await sell(page, part));

  const description = { headline: page.title, description: teaserOf(page), url: address };
  const around = (selectors: string[]) => [
    ...page.parts.map((part) => ({ start: part.start, end: part.start, text: teaserElement(page, part) })),
    describePaid(page, description, selectors),
    ...addSnippet(page, snippet),
  ];
  const cut = page.parts.map(({ start, end }) => ({ start, end, text: "" }));
  // Without our own words (classes, marks): a paid text may be no longer than one of them.
  const texts = publicTexts(applyEdits(html, [...around([]), ...cut])).map((text) =>
    text.replace(OWN_WORDS, ""),
  );
  refuseLeaks(sold, texts);
  const elements = page.parts.map(({ start, end }, index) => ({
    start,
    end,
    text: sold[index]?.element ?? "",
  }));
  return {
    html:
      (hasMark ? BYTE_ORDER_MARK : "") +
      applyEdits(html, [...around(page.parts.map((part) => `.${classOf(part)}`)), ...elements]),
    parts: sold,
    texts,
    notes: page.parts.filter((part) => !page.hasTeaser(part) && teaserElement(page, part) === "").map(noteOf),
  };

  async function sell(page: Page, part: MarkedPart) {
    const paidHtml = html.slice(part.start, part.end);
    const amount = readPrice(part.price ?? terms.defaultPrice, terms.provider);
    const resource = part.name === undefined ? address : `${address}#${part.name}`;
    if (resource.length > MAX_URL_LENGTH)
      throw new CommandError(`its address has more than ${MAX_URL_LENGTH} characters.`);
    const text = await sealPart({ paidHtml, resource, amount }, terms, kept);
    const { isFresh, issuedAtSeconds, sealed, ...signed } = text;
    const { origin: provider, currency } = terms.provider;
    const offer = makeOffer({
      provider,
      merchant: terms.merchant,
      amount,
      currency,
      kind: "article",
      title: titleOf(page, part).slice(0, MAX_TITLE_LENGTH),
      resource,
      ...signed,
    });
    const price = formatMoney(amount, currency);
    const element = paywallElement(page, part, { offer, sealed }, price, terms.walletUrl);
    return { offer, paidHtml, isFresh, issuedAtSeconds, element };
  }
}

/** @throws CommandError where it is none, or none that can be paid */
export function readPrice(text: string | undefined, provider: ProviderInfo): Micros {
  if (text === undefined)
    throw new CommandError("the page names no price: give --price, or write it at the mark.");
  const amount = parseMoney(text);
  if (/^\D*0+(?:\.0+)?\D*$/.test(text))
    throw new CommandError(`the price is ${text}: what costs nothing is not marked as paid.`);
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

/** A page's title is the whole page's; a part with a name has the headline above it. */
function titleOf(page: Page, part: MarkedPart): string {
  return part.title ?? (part.name === undefined ? undefined : page.headlineOf(part)) ?? page.title;
}

function classOf({ name }: MarkedPart): string {
  return name === undefined ? PAID_CLASS : `${PAID_CLASS}-${name}`;
}

function teaserOf(page: Page): string | undefined {
  return page.description ?? page.parts.find(({ teaser }) => teaser)?.teaser;
}

/** What the author wrote for it. Where there is nothing to read at all, what the page says of itself; never paid text. */
function teaserElement(page: Page, part: MarkedPart): string {
  const isAlone = page.parts.length === 1 && !page.hasTeaser(part);
  const text = part.teaser ?? (isAlone ? page.description : undefined);
  return text ? `<p class="tuppence-teaser">${escapeMarkup(text)}</p>` : "";
}

function noteOf({ name }: MarkedPart): string {
  return `nothing to read stands before the paid part${name === undefined ? "" : ` “${name}”`}, and it has no teaser: visitors and search engines see a button only.`;
}

function paywallElement(
  page: Page,
  part: MarkedPart,
  data: object,
  price: string,
  walletUrl: string | undefined,
): string {
  // So that the address of what was bought leads to its place in the page.
  const id = part.name === undefined || page.ids.has(part.name) ? "" : ` id="${part.name}"`;
  const link = walletUrl === undefined ? "" : ` wallet-url="${escapeMarkup(walletUrl)}"`;
  const plain = `<noscript><p>The rest of this article costs ${price}. It opens with JavaScript and the Tuppence wallet.</p></noscript>`;
  return `<tuppence-paywall class="${classOf(part)}"${id}${link}><script type="application/tuppence+json">${scriptText(data)}</script>${plain}</tuppence-paywall>`;
}

/** Once a page: a page that includes the snippet by itself already keeps its own way. */
function addSnippet({ hasSnippet, headEnd }: Page, { src, integrity }: Snippet): Edit[] {
  if (hasSnippet) return [];
  const text = `<script type="module" src="${escapeMarkup(src)}" integrity="${integrity}"></script>\n`;
  return [{ start: headEnd, end: headEnd, text }];
}

function refuseLeaks(sold: readonly SoldPart[], texts: readonly string[]): void {
  const find = makeLeakFinder(sold.map(({ paidHtml }) => ({ owner: "", html: paidHtml })));
  for (const text of texts) {
    const leak = find(text);
    if (leak)
      throw new CommandError(
        `paid text also stands in the free part of the page (a description, data for search engines, a comment?): “${leak.run}”.`,
      );
  }
}
