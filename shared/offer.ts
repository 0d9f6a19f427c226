/** Offers as a page or a build writes them: plain objects in the form of the wire, decoded by whoever receives them. */
import { parseMoney } from "./money.ts";

export interface OfferTerms {
  /** The provider's anonymous origin. */
  readonly provider: string;
  readonly merchant: string;
  /** Micros. */
  readonly amount: bigint;
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string;
  readonly kind: "article" | "tip";
  readonly title: string;
  /** The absolute address of what is paid for. */
  readonly resource: string;
  readonly maxTimeoutSeconds?: number;
  readonly merchantRecord?: string;
  readonly seal?: string;
}

const DEFAULT_TIMEOUT_SECONDS = 120;

/** An x402 version 2 `PaymentRequired`. */
export function makeOffer(terms: OfferTerms) {
  const { provider, kind, title, merchantRecord, seal } = terms;
  return {
    x402Version: 2 as const,
    resource: { url: terms.resource, description: title, mimeType: "text/html" },
    accepts: [
      {
        scheme: "exact" as const,
        network: `tuppence:${terms.currency.toLowerCase()}`,
        amount: terms.amount.toString(),
        asset: terms.currency,
        payTo: terms.merchant,
        maxTimeoutSeconds: terms.maxTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
        extra: {
          provider,
          kind,
          title,
          ...(merchantRecord === undefined ? {} : { merchantRecord }),
          ...(seal === undefined ? {} : { seal }),
        },
      },
    ],
    extensions: {},
  };
}

/** The attributes of `<tuppence-tip>`; the snippet and the popup's "tip this site" read the same ones. */
export const TIP_ATTRIBUTES = [
  "merchant",
  "provider",
  "amount",
  "least",
  "most",
  "currency",
  "label",
] as const;

export interface TipPlace {
  /** The page's absolute address, without its fragment. */
  readonly resource: string;
  /** What the wallet shows as the thing that is tipped. */
  readonly title: string;
}

/**
 * The offer that the attributes of a `<tuppence-tip>` make. Amounts are written as people write them: `25¢`, `$1`.
 * Undefined where the element lacks its merchant, its provider or a range that makes sense.
 */
export function readTip(
  attribute: (name: (typeof TIP_ATTRIBUTES)[number]) => string | null,
  place: TipPlace,
) {
  const merchant = attribute("merchant");
  const provider = attribute("provider");
  const amount = parseMoney(attribute("amount") ?? "25¢");
  const least = parseMoney(attribute("least") ?? "1¢");
  const most = parseMoney(attribute("most") ?? "$10");
  if (!merchant || !provider || !amount || !least || !most || least > amount || amount > most)
    return undefined;
  const currency = attribute("currency") ?? "USD";
  const offer = makeOffer({
    provider,
    merchant,
    amount,
    currency,
    kind: "tip",
    title: place.title,
    resource: place.resource,
  });
  return { offer, least: least.toString(), most: most.toString() };
}
