/**
 * Tuppence as a payment method of MPP, the Machine Payments Protocol: the HTTP authentication scheme `Payment`
 * (draft-httpauth-payment) with the intent `charge`. It carries x402's objects: a challenge holds an offer, a credential the
 * payment that x402 would put into PAYMENT-SIGNATURE. So the wallet, and what it is bound to, are the same.
 */
import * as v from "valibot";
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "../bytes.ts";
import { canonicalJson } from "../canonical.ts";
import { positiveAmount, text } from "./fields.ts";
import { PaymentRequired, PaymentRequirements, Resource, SealedPayment, X402_VERSION } from "./x402.ts";

export const MPP_METHOD = "tuppence";
export const MPP_INTENT = "charge";
const SCHEME = "Payment";
/** What Node takes for all headers together. */
const MAX_HEADER_LENGTH = 16_384;
const MAX_PARAMETER_LENGTH = 12_000;

/** Micros: the lower-case currency and its scale, as Cashu calls the same unit. MPP's `usd` would mean cents. */
export function mppCurrencyOf(currency: string): string {
  return `${currency.toLowerCase()}6`;
}

/** What stands in a challenge's `request`; the shared fields say again, for everyone, what the offer says to Tuppence. */
export const MppRequest = v.object({
  amount: positiveAmount,
  currency: v.string(),
  recipient: v.string(),
  description: v.optional(text),
  methodDetails: v.object({ offer: PaymentRequired }),
});

const parameter = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PARAMETER_LENGTH));

/** The parameters of a challenge; `request` and `opaque` as they came. */
export const MppChallenge = v.object({
  id: parameter,
  realm: parameter,
  method: parameter,
  intent: parameter,
  request: parameter,
  expires: v.optional(v.pipe(parameter, v.isoTimestamp())),
  digest: v.optional(parameter),
  opaque: v.optional(parameter),
  description: v.optional(parameter),
});
export type MppChallenge = v.InferOutput<typeof MppChallenge>;

/** x402's PaymentPayload, always sealed. */
export const MppPayload = v.object({
  x402Version: v.literal(X402_VERSION),
  resource: Resource,
  accepted: PaymentRequirements,
  payload: SealedPayment,
});

export const MppCredential = v.object({
  challenge: MppChallenge,
  /** Checked, and handed on as it came: the payment is bound to fields that our schema would drop. */
  payload: v.pipe(
    v.unknown(),
    v.check((payload) => v.is(MppPayload, payload), "not a sealed payment"),
  ),
});

/** What the challenge's id is made from (draft-httpauth-payment, challenge binding); clients cannot make it. */
export function mppBinding(challenge: Omit<MppChallenge, "id">): string {
  const { realm, method, intent, request, expires = "", digest = "", opaque = "" } = challenge;
  return [realm, method, intent, request, expires, digest, opaque].join("|");
}

export function encodeMpp(value: unknown): string {
  return toBase64url(utf8(canonicalJson(value)));
}

/** Undefined where it is not base64url of JSON that fits. */
export function decodeMpp<S extends v.GenericSchema>(
  encoded: string,
  schema: S,
): v.InferOutput<S> | undefined {
  const decoded = v.safeParse(schema, parseMpp(encoded));
  return decoded.success ? decoded.output : undefined;
}

export function parseMpp(encoded: string): unknown {
  try {
    return JSON.parse(fromUtf8(fromBase64url(encoded)));
  } catch {
    return undefined;
  }
}

/** A `WWW-Authenticate` header's value. */
export function formatChallenge(challenge: MppChallenge): string {
  const parameters = Object.entries(challenge).map(
    ([name, value = ""]) => `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"`,
  );
  return `${SCHEME} ${parameters.join(", ")}`;
}

/** The challenges of the scheme `Payment` among all of a `WWW-Authenticate` header, several of them joined by commas. */
export function readChallenges(header: string | null): MppChallenge[] {
  if (header === null || header.length > MAX_HEADER_LENGTH) return [];
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  for (const [, name, quoted, plain, scheme] of header.matchAll(PARAMETER_OR_SCHEME)) {
    if (scheme !== undefined) found.push({ scheme, parameters: new Map() });
    else
      found.at(-1)?.parameters.set(`${name}`.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? `${plain}`);
  }
  return found
    .filter(({ scheme }) => scheme.toLowerCase() === SCHEME.toLowerCase())
    .flatMap(({ parameters }) => {
      const challenge = v.safeParse(MppChallenge, Object.fromEntries(parameters));
      return challenge.success ? [challenge.output] : [];
    });
}

/** RFC 9110: `name=token`, `name="quoted"`, or the word that begins the next challenge. */
const PARAMETER_OR_SCHEME = /([\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([\w-]+)/g;

/** An `Authorization` header's value. */
export function formatCredential(challenge: MppChallenge, payload: unknown): string {
  return `${SCHEME} ${toBase64url(utf8(JSON.stringify({ challenge, payload })))}`;
}

/** Undefined where the header is of another scheme; `"malformed"` where it is of this one and cannot be read. */
export function readCredential(
  header: string | undefined,
): v.InferOutput<typeof MppCredential> | "malformed" | undefined {
  const [, encoded] = /^payment +(\S*)$/i.exec(header?.slice(0, MAX_HEADER_LENGTH) ?? "") ?? [];
  if (encoded === undefined) return /^payment\b/i.test(header ?? "") ? "malformed" : undefined;
  return decodeMpp(encoded, MppCredential) ?? "malformed";
}
