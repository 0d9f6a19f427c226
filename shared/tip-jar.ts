/** Whom a page lets its reader tip: the first tip element, or else the first link, that names a merchant of the reader's provider. */
import * as v from "valibot";
import { readTip, type TIP_ATTRIBUTES, type TipPlace } from "./offer.ts";
import { merchantId } from "./protocol/fields.ts";

/** A link has no range, so these are its attributes. */
const LINK_TIP: Readonly<Record<string, string>> = { amount: "10¢", least: "1¢", most: "$5" };

/** The names of a merchant as they stand in the page, in its order. */
export interface NamesInPage {
  /** The attributes of each `<tuppence-tip>`. */
  readonly elements: readonly Readonly<Partial<Record<(typeof TIP_ATTRIBUTES)[number], string | null>>>[];
  /** The `href` of each `<link rel="monetization">` and `<link rel="facilitated-payment">`, resolved. */
  readonly links: readonly string[];
}

/** The payload of a page's `tip` request. */
export type TipJar = NonNullable<ReturnType<typeof readTip>>;

/** Undefined where nothing in the page names a merchant of this provider. */
export function findTipJar(
  names: NamesInPage,
  provider: { readonly origin: string; readonly currency: string },
  place: TipPlace,
): TipJar | undefined {
  for (const attributes of names.elements) {
    const jar = attributes.provider === provider.origin && readTip((name) => attributes[name] ?? null, place);
    if (jar) return jar;
  }
  for (const href of names.links) {
    const merchant = merchantOfLink(href, provider.origin);
    if (merchant === undefined) continue;
    const attributes: typeof LINK_TIP = {
      ...LINK_TIP,
      merchant,
      provider: provider.origin,
      currency: provider.currency,
    };
    return readTip((name) => attributes[name] ?? null, place);
  }
  return undefined;
}

/** `<provider>/merchants/<id>`, where the merchant's record is, and nothing else: no query, no fragment, no name in it. */
function merchantOfLink(href: string, providerOrigin: string): string | undefined {
  const beginning = `${providerOrigin}/merchants/`;
  const id = v.safeParse(merchantId, href.slice(beginning.length));
  return href.startsWith(beginning) && id.success ? id.output : undefined;
}
