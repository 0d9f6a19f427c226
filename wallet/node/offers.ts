/** What a site asks for with a 402, in either of the languages that Tuppence is offered in, and how it is told that it is paid. */
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
import { decodeHeader, type ReadOffer, readOffer, readOfferHeader } from "./offer.ts";

export interface Offered extends ReadOffer {
  /** The header that carries a payment to the site. @param paymentSignature as the wallet gives it */
  readonly carry: (paymentSignature: string) => readonly [name: string, value: string];
}

/** The first of the terms that Tuppence can pay; undefined where there are none. x402 before MPP, where both are offered. */
export function readOffered(answer: Response, request: Request, nowMs: number): Offered | undefined {
  const terms = readOfferHeader(answer.headers.get("PAYMENT-REQUIRED"));
  if (terms) return { ...terms, carry: (paymentSignature) => ["PAYMENT-SIGNATURE", paymentSignature] };
  return readChallenge(answer, request, nowMs);
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
    const terms = readOffer(fieldsOf(fieldsOf(parseMpp(challenge.request)).methodDetails).offer);
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
        formatCredential(challenge, decodeHeader(paymentSignature)),
      ],
    };
  }
  return undefined;
}

/** MPP asks for TLS; what stays on this machine needs none. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
