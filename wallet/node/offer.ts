/** What a program reads of an offer, before the wallet judges all of it. */
import { type Micros, parseMicros } from "../../shared/money.ts";

export interface ReadOffer {
  /** As it came, for the wallet, which judges all of it. */
  readonly whole: object;
  /** Of its `accepts`, those that Tuppence can pay. */
  readonly terms: object;
  readonly resource: string;
  readonly merchant: string;
  /** Through whom it is paid; undefined where the offer does not say. */
  readonly provider: string | undefined;
  readonly amount: Micros;
  readonly currency: string;
}

/** What a 402 answer says in `PAYMENT-REQUIRED`. */
export function readOfferHeader(header: string | null): ReadOffer | undefined {
  return readOffer(decodeHeader(header));
}

/** The first of the terms that Tuppence can pay; undefined where there are none. */
export function readOffer(offer: unknown): ReadOffer | undefined {
  const whole = fieldsOf(offer);
  const resource = fieldsOf(whole.resource).url;
  const accepts = Array.isArray(whole.accepts) ? whole.accepts.map(fieldsOf) : [];
  const terms = accepts.find(isForTuppence) ?? {};
  const { amount: price, payTo: merchant, asset } = terms;
  const amount = typeof price === "string" ? parseMicros(price) : undefined;
  if (amount === undefined || typeof merchant !== "string" || typeof asset !== "string") return undefined;
  if (!/^[A-Z]{3}$/.test(asset) || typeof resource !== "string" || !URL.canParse(resource)) return undefined;
  const { provider } = fieldsOf(terms.extra);
  return {
    whole,
    terms,
    resource,
    merchant,
    provider: typeof provider === "string" && URL.canParse(provider) ? new URL(provider).origin : undefined,
    amount,
    currency: asset,
  };
}

function isForTuppence({ scheme, network }: Readonly<Record<string, unknown>>): boolean {
  return scheme === "exact" && typeof network === "string" && network.startsWith("tuppence:");
}

/** x402's headers: base64 of JSON. Undefined if it is anything else. */
export function decodeHeader(value: string | null): unknown {
  try {
    return JSON.parse(Buffer.from(value ?? "", "base64").toString("utf8"));
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
