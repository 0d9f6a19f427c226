/** What a site asks for with a 402, in either of the languages that Tuppence is offered in, and how it is told that it is paid. */
import { type Micros, parseMicros } from "../../shared/money.ts";
import {
  decodeMpp,
  formatCredential,
  MPP_INTENT,
  MPP_METHOD,
  MppRequest,
  mppCurrencyOf,
  parseMpp,
  readChallenges,
} from "../../shared/protocol/mpp.ts";

export interface Offered {
  /** As it came, for the wallet, which judges all of it. */
  readonly whole: object;
  readonly resource: string;
  readonly merchant: string;
  readonly amount: Micros;
  readonly currency: string;
  /** The header that carries a payment to the site. @param paymentSignature as the wallet gives it */
  readonly carry: (paymentSignature: string) => readonly [name: string, value: string];
}

/** The first of the terms that Tuppence can pay; undefined where there are none. x402 before MPP, where both are offered. */
export function readOffered(answer: Response, request: Request, nowMs: number): Offered | undefined {
  const terms = readTerms(decodeSignature(answer.headers.get("PAYMENT-REQUIRED") ?? ""));
  if (terms) return { ...terms, carry: (paymentSignature) => ["PAYMENT-SIGNATURE", paymentSignature] };
  return readChallenge(answer, request, nowMs);
}

/** What a site is sent, read again. */
export function decodeSignature(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Not where the credential would take the place of another, would travel in clear, or came too late. */
function readChallenge(answer: Response, request: Request, nowMs: number): Offered | undefined {
  const isFree = !request.headers.has("authorization");
  if (!isFree || !isPrivate(new URL(answer.url || request.url))) return undefined;
  for (const challenge of readChallenges(answer.headers.get("WWW-Authenticate"))) {
    if (challenge.method !== MPP_METHOD || challenge.intent !== MPP_INTENT) continue;
    if (challenge.expires !== undefined && Date.parse(challenge.expires) <= nowMs) continue;
    const request = decodeMpp(challenge.request, MppRequest);
    // As it came: the wallet binds the payment to all of it.
    const terms = readTerms(fieldsOf(fieldsOf(parseMpp(challenge.request)).methodDetails).offer);
    if (!request || !terms) continue;
    const saysTheSame =
      request.amount === terms.amount &&
      request.currency === mppCurrencyOf(terms.currency) &&
      request.recipient === terms.merchant;
    if (!saysTheSame) continue;
    return {
      ...terms,
      carry: (paymentSignature) => [
        "Authorization",
        formatCredential(challenge, decodeSignature(paymentSignature)),
      ],
    };
  }
  return undefined;
}

/** MPP asks for TLS; what stays on this machine needs none. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function readTerms(offer: unknown): Omit<Offered, "carry"> | undefined {
  const whole = fieldsOf(offer);
  const resource = fieldsOf(whole.resource).url;
  const accepts = Array.isArray(whole.accepts) ? whole.accepts.map(fieldsOf) : [];
  const { amount: price, payTo: merchant, asset } = accepts.find(isForTuppence) ?? {};
  const amount = typeof price === "string" ? parseMicros(price) : undefined;
  if (amount === undefined || typeof merchant !== "string" || typeof asset !== "string") return undefined;
  if (!/^[A-Z]{3}$/.test(asset) || typeof resource !== "string" || !URL.canParse(resource)) return undefined;
  return { whole, resource, merchant, amount, currency: asset };
}

function isForTuppence({ scheme, network }: Readonly<Record<string, unknown>>): boolean {
  return scheme === "exact" && typeof network === "string" && network.startsWith("tuppence:");
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
