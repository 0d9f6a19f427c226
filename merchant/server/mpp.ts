/**
 * Tuppence for back ends that are paid by MPP (`WWW-Authenticate: Payment`), whatever they are built with: `charge` is handed
 * what a request says, and answers whether it is paid, or with what to refuse it.
 *
 *   no credential → 402 with a challenge → the wallet seals a payment → credential → the provider settles → paid
 *
 * The challenge's id is an HMAC over what it says, so nothing is stored for it. A credential is taken once: who was paid for
 * and lost the answer comes back with the receipt.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { ERRORS, isErrorCode } from "../../shared/errors.ts";
import { isPayableInCoins, type Micros, parseMoney } from "../../shared/money.ts";
import { makeOffer } from "../../shared/offer.ts";
import {
  encodeMpp,
  formatChallenge,
  MPP_INTENT,
  MPP_METHOD,
  type MppChallenge,
  MppPayload,
  mppBinding,
  mppCurrencyOf,
  readCredential,
} from "../../shared/protocol/mpp.ts";
import { SettleResponse, X402_VERSION } from "../../shared/protocol/x402.ts";
import { createReceiptVerifier } from "./receipts.ts";
import { facilitatorUrl } from "./x402.ts";

const DEFAULT_TIMEOUT_SECONDS = 120;
const MIN_SECRET_LENGTH = 32;
const SETTLE_MS = 10_000;
const RETRY_AFTER_SECONDS = 5;
/** Longer than a provider answers a payment again, beyond the time of its offer. */
const ANSWERED_AGAIN_SECONDS = 120;
/** Of credentials and payments that were taken, until nobody could use them again. Beyond that the oldest are forgotten. */
const MAX_TAKEN = 100_000;

export interface MppDeps {
  /** The provider's anonymous origin, and this site's id there. */
  readonly provider: string;
  readonly merchant: string;
  /** This site's host name. */
  readonly realm: string;
  /** At least 32 characters, known to this site only. Processes that share it take each other's challenges. */
  readonly secret: string;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `USD` unless the provider keeps another one. */
  readonly currency?: string;
  /** The merchant's record, which saves each wallet a question (`createRecordSource`). */
  readonly merchantRecord?: () => Promise<string | undefined>;
}

export interface MppAsked {
  /** The absolute address that is asked for, as its buyers see it. */
  readonly resource: string;
  /** The request's headers of these names. */
  readonly authorization: string | undefined;
  readonly receipt: string | undefined;
}

export interface MppTerms {
  /** "5¢", "$0.05". */
  readonly price: string;
  readonly title: string;
  /** How long a challenge can be answered. */
  readonly maxTimeoutSeconds?: number;
  /** The least that a returning reader must have paid, where the price was raised; otherwise the price. */
  readonly leastAmount?: Micros;
}

export type MppOutcome =
  /** Deliver, with these headers. */
  | { readonly isPaid: true; readonly headers: Readonly<Record<string, string>> }
  /** Answer this. */
  | {
      readonly isPaid: false;
      readonly status: 402 | 503;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

type Problem =
  | "payment-required"
  | "malformed-credential"
  | "invalid-challenge"
  | "payment-expired"
  | "payment-insufficient"
  | "verification-failed";

const TITLES: Readonly<Record<Problem, string>> = {
  "payment-required": "Payment Required",
  "malformed-credential": "Malformed Credential",
  "invalid-challenge": "Invalid Challenge",
  "payment-expired": "Payment Expired",
  "payment-insufficient": "Payment Insufficient",
  "verification-failed": "Verification Failed",
};

/** @throws RangeError where the secret is too short, or (`charge`) where coins cannot pay the price */
export function createMppCharge(deps: MppDeps): (asked: MppAsked, terms: MppTerms) => Promise<MppOutcome> {
  if (deps.secret.length < MIN_SECRET_LENGTH)
    throw new RangeError(`the secret has fewer than ${MIN_SECRET_LENGTH} characters`);
  const { verifyReceipt } = createReceiptVerifier(deps);
  /** Challenges and payments by id, with the moment in which they are of no use any more. */
  const taken = new Map<string, number>();

  return async (asked, terms) => {
    const amount = parseMoney(terms.price);
    if (amount === undefined || !isPayableInCoins(amount))
      throw new RangeError(`"${terms.price}" is no price that coins can pay`);
    const refuse = (problem: Problem, detail: string) =>
      refusal(deps, asked.resource, terms, amount, problem, detail);

    const entitlement = { resource: asked.resource, leastAmount: terms.leastAmount ?? amount };
    if (await verifyReceipt(asked.receipt, entitlement)) return { isPaid: true, headers: PRIVATE };
    const credential = readCredential(asked.authorization);
    if (credential === undefined) return refuse("payment-required", `${terms.title} costs ${terms.price}.`);
    if (credential === "malformed")
      return refuse("malformed-credential", "The credential cannot be read, or is none of Tuppence's.");
    const { challenge } = credential;
    const endsAt = Date.parse(challenge.expires ?? "");
    if (!isOurs(deps, challenge))
      return refuse("invalid-challenge", "The challenge is none of this site's, or was altered.");
    if (!(endsAt > deps.now())) return refuse("payment-expired", "The challenge has expired.");
    const { accepted, resource } = v.parse(MppPayload, credential.payload);
    if (resource.url !== asked.resource || accepted.payTo !== deps.merchant)
      return refuse("verification-failed", "The payment is for something else.");
    if (accepted.amount !== amount || accepted.asset !== currencyOf(deps))
      return refuse("payment-insufficient", `The price is ${terms.price}.`);
    // Before anything is awaited, so that of two at once one is taken.
    if (taken.has(challenge.id)) return refuse("invalid-challenge", "The challenge was used already.");
    take(taken, challenge.id, endsAt, deps.now());
    const settled = await settle(deps, credential.payload).catch(() => undefined);
    // The same credential may be sent again where nobody knows what became of it: the provider takes a payment once.
    if (!settled?.success) taken.delete(challenge.id);
    if (!settled) return UNAVAILABLE;
    if (!settled.success) return refuse("verification-failed", sentenceOf(settled.errorReason));
    // The provider answers a payment that is sent again as it did before, whatever challenge it comes with.
    if (taken.has(settled.transaction)) return refuse("invalid-challenge", "The payment was used already.");
    const keptMs = (accepted.maxTimeoutSeconds + ANSWERED_AGAIN_SECONDS) * 1_000;
    take(taken, settled.transaction, deps.now() + keptMs, deps.now());
    const receipt = {
      status: "success",
      method: MPP_METHOD,
      timestamp: new Date(deps.now()).toISOString(),
      reference: settled.transaction,
      receipt: settled.extensions.tuppence.receipt,
    };
    return { isPaid: true, headers: { ...PRIVATE, "Payment-Receipt": encodeMpp(receipt) } };
  };
}

const PRIVATE = { "Cache-Control": "private, no-store" } as const;

const UNAVAILABLE: MppOutcome = {
  isPaid: false,
  status: 503,
  headers: {
    "Cache-Control": "no-store",
    "Content-Type": "application/problem+json",
    "Retry-After": `${RETRY_AFTER_SECONDS}`,
  },
  body: JSON.stringify({
    type: "about:blank",
    title: "Service Unavailable",
    status: 503,
    detail: "The payment provider does not answer. The same credential may be sent again.",
  }),
};

function currencyOf({ currency }: MppDeps): string {
  return currency ?? "USD";
}

async function refusal(
  deps: MppDeps,
  resource: string,
  terms: MppTerms,
  amount: Micros,
  problem: Problem,
  detail: string,
): Promise<MppOutcome> {
  const maxTimeoutSeconds = terms.maxTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  const merchantRecord = await deps.merchantRecord?.();
  const offer = makeOffer({
    provider: deps.provider,
    merchant: deps.merchant,
    amount,
    currency: currencyOf(deps),
    kind: "article",
    title: terms.title,
    resource,
    maxTimeoutSeconds,
    ...(merchantRecord === undefined ? {} : { merchantRecord }),
  });
  const request = encodeMpp({
    amount: amount.toString(),
    currency: mppCurrencyOf(currencyOf(deps)),
    recipient: deps.merchant,
    description: terms.title,
    methodDetails: { offer },
  });
  const bound = {
    realm: deps.realm,
    method: MPP_METHOD,
    intent: MPP_INTENT,
    request,
    expires: new Date(deps.now() + maxTimeoutSeconds * 1_000).toISOString(),
  };
  const id = idOf(deps, bound);
  return {
    isPaid: false,
    status: 402,
    headers: {
      "Cache-Control": "no-store",
      "Content-Type": "application/problem+json",
      "WWW-Authenticate": formatChallenge({ id, ...bound }),
    },
    body: JSON.stringify({
      type: `https://paymentauth.org/problems/${problem}`,
      title: TITLES[problem],
      status: 402,
      detail,
      challengeId: id,
    }),
  };
}

function idOf({ secret }: MppDeps, bound: Omit<MppChallenge, "id">): string {
  return createHmac("sha256", secret).update(mppBinding(bound)).digest("base64url");
}

function isOurs(deps: MppDeps, challenge: MppChallenge): boolean {
  const [expected, shown] = [idOf(deps, challenge), challenge.id].map((id) => Buffer.from(id));
  return (
    expected !== undefined &&
    shown?.length === expected.length &&
    timingSafeEqual(expected, shown) &&
    challenge.method === MPP_METHOD &&
    challenge.intent === MPP_INTENT &&
    challenge.realm === deps.realm
  );
}

/** Whatever has expired goes: the oldest stand first. */
function take(taken: Map<string, number>, id: string, endsAt: number, nowMs: number): void {
  for (const [oldest, oldestEndsAt] of taken) {
    if (oldestEndsAt > nowMs && taken.size < MAX_TAKEN) break;
    taken.delete(oldest);
  }
  taken.set(id, endsAt);
}

/** @throws where the provider does not answer, or not as a facilitator does */
async function settle(deps: MppDeps, paymentPayload: unknown): Promise<v.InferOutput<typeof SettleResponse>> {
  const { accepted } = v.parse(v.looseObject({ accepted: v.unknown() }), paymentPayload);
  const response = await deps.fetch(`${facilitatorUrl(deps.provider)}/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ x402Version: X402_VERSION, paymentPayload, paymentRequirements: accepted }),
    signal: AbortSignal.timeout(SETTLE_MS),
  });
  return v.parse(SettleResponse, await response.json());
}

function sentenceOf(code: string): string {
  return isErrorCode(code)
    ? `${ERRORS[code].title} ${ERRORS[code].safe}`
    : "The provider refused the payment.";
}
