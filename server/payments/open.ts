/** A request to a facilitator, decoded and, where a site's back end carried it, opened. */
import { hash } from "node:crypto";
import * as v from "valibot";
import { canonicalJson } from "../../shared/canonical.ts";
import { type ErrorCode, TuppenceError } from "../../shared/errors.ts";
import { paymentBinding } from "../../shared/hpke.ts";
import {
  FacilitatorRequest,
  type Payment,
  PaymentRequirements,
  type SealedPayment,
} from "../../shared/protocol/x402.ts";
import type { PaymentDeps } from "./deps.ts";

export interface OpenedPayment {
  readonly payment: Payment;
  readonly accepted: PaymentRequirements;
  /** The address of what is paid for. */
  readonly resource: string;
  /** Over payment, accepted requirements and resource: a payment that is sealed twice is the same payment. */
  readonly fingerprint: string;
  /** A sealed payment after its time: only good for asking again for what was committed. */
  readonly isExpired: boolean;
  readonly isSealed: boolean;
}

/** For an answer to a site that was lost at the last moment, and clocks that differ. */
const SENT_AGAIN_SECONDS = 60;

/**
 * A site cannot tell a payment that is sent again from a new one, so those that sites carry are answered again for the time of
 * their offer only, from when they were committed: the expiry could be sealed anew. Later the receipt says who has paid.
 * @param timestamp of the commit, milliseconds
 */
export function isSentTooLate(
  { isSealed, accepted }: OpenedPayment,
  timestamp: number,
  nowMs: number,
): boolean {
  return isSealed && nowMs > timestamp + (accepted.maxTimeoutSeconds + SENT_AGAIN_SECONDS) * 1_000;
}

export type DecodedRequest = v.InferOutput<typeof FacilitatorRequest>;

/** @throws TuppenceError amount_invalid, request_invalid */
export function decodeFacilitatorRequest(body: unknown): DecodedRequest {
  const decoded = v.safeParse(FacilitatorRequest, body);
  if (decoded.success) return decoded.output;
  const [issue] = decoded.issues;
  const where = v.getDotPath(issue) ?? "";
  const code: ErrorCode = AMOUNT_PATHS.includes(where) ? "amount_invalid" : "request_invalid";
  throw new TuppenceError(code, { where, problem: issue.message.slice(0, 200) });
}

const AMOUNT_PATHS = ["paymentPayload.accepted.amount", "paymentRequirements.amount"];

/** @throws TuppenceError offer_invalid, payment_sealed_invalid */
export async function openPayment(
  deps: Pick<PaymentDeps, "now" | "sealedPayments">,
  request: DecodedRequest,
  body: unknown,
): Promise<OpenedPayment> {
  const { accepted, resource, payload } = request.paymentPayload;
  const isSealed = "ct" in payload;
  if (!isSameOffer(accepted, request.paymentRequirements))
    throw new TuppenceError(isSealed ? "payment_sealed_invalid" : "offer_invalid");
  const payment = isSealed ? await openSealedPayment(deps, payload, resource.url, body) : payload;
  const fingerprint = hash("sha256", canonicalJson(withDigits({ payment, accepted, resource })), "hex");
  const isExpired = isSealed && deps.now() > payload.expiresAt * 1_000;
  return { payment, accepted, resource: resource.url, fingerprint, isExpired, isSealed };
}

/** What the site asks for must be what the reader accepted. */
function isSameOffer(accepted: PaymentRequirements, required: PaymentRequirements): boolean {
  return (
    accepted.scheme === required.scheme &&
    accepted.network === required.network &&
    accepted.amount === required.amount &&
    accepted.asset === required.asset &&
    accepted.payTo === required.payTo
  );
}

/** Whoever carried it can neither read it nor take it for another merchant, amount, article or time: it would not open. */
async function openSealedPayment(
  { sealedPayments }: Pick<PaymentDeps, "sealedPayments">,
  sealed: SealedPayment,
  resource: string,
  body: unknown,
): Promise<Payment> {
  const binding = bindingOf(body, resource, sealed.expiresAt);
  const payment = binding === undefined ? undefined : await sealedPayments.open(binding, sealed);
  if (!payment) throw new TuppenceError("payment_sealed_invalid");
  return payment;
}

/** The wallet bound what it saw, so the binding is over the offer as it came, with fields that our schema would drop. */
function bindingOf(body: unknown, resource: string, expiresAt: number): string | undefined {
  const raw = v.safeParse(RawAccepted, body);
  if (!raw.success) return undefined;
  const { accepted } = raw.output.paymentPayload;
  try {
    return v.is(PaymentRequirements, accepted) ? paymentBinding(accepted, resource, expiresAt) : undefined;
  } catch (error) {
    // Nested deeper than any offer, or with a number that no wallet could have bound: 1e400 reads as infinite.
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

const RawAccepted = v.object({ paymentPayload: v.object({ accepted: v.unknown() }) });

/** Amounts, which are bigints once they are decoded, as our messages write them. */
function withDigits(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(withDigits);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withDigits(member)]));
}
