/**
 * Webhooks: what a merchant's programs say to the provider about them, and what the provider tells a merchant's endpoint, by the
 * Standard Webhooks specification (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Times are milliseconds since 1970, but
 * for `timestamp` of an event, which the specification writes as text.
 */
import * as v from "valibot";
import { amount, currency, id128, merchantId, RefundReason, url } from "./fields.ts";
import { PaymentKind } from "./x402.ts";

/** What an endpoint can be told of. */
export const WEBHOOK_EVENT_TYPES = ["payment.paid", "payment.refunded", "settlement.created"] as const;
const WebhookEventType = v.picklist(WEBHOOK_EVENT_TYPES);
export type WebhookEventType = v.InferOutput<typeof WebhookEventType>;

const milliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const events = v.pipe(
  v.array(WebhookEventType),
  v.minLength(1, "names no event"),
  v.maxLength(WEBHOOK_EVENT_TYPES.length),
);

export const WebhookRequest = v.object({ url, events });
export type WebhookRequest = v.InferOutput<typeof WebhookRequest>;
/** What is left out stays. */
export const WebhookUpdate = v.object({
  url: v.optional(url),
  events: v.optional(events),
  enabled: v.optional(v.boolean()),
});
export type WebhookUpdate = v.InferOutput<typeof WebhookUpdate>;

/** `merchant`: by hand. `gone`: it answered 410. `failing`: nothing went through for days. */
export const DISABLED_REASONS = ["merchant", "gone", "failing"] as const;

export const Webhook = v.object({
  id: v.string(),
  url: v.string(),
  events: v.array(WebhookEventType),
  createdAt: milliseconds,
  /** Until a day after it, what the secret before signs is sent as well. */
  secretSince: milliseconds,
  disabled: v.nullable(v.object({ at: milliseconds, reason: v.picklist(DISABLED_REASONS) })),
  /** Since when every attempt failed; null if the last one went through. */
  failingSince: v.nullable(milliseconds),
  pendingEvents: count,
});
export type Webhook = v.InferOutput<typeof Webhook>;
export const WebhookList = v.object({ webhooks: v.array(Webhook) });
/** `secret` (`whsec_…`) is told once. */
export const WebhookMade = v.object({ webhook: Webhook, secret: v.string() });

/** How an attempt ended. All but `delivered` are failures. */
export const WEBHOOK_OUTCOMES = [
  "delivered",
  /** It answered with another status than 2xx. */
  "refused",
  /** It answered 410 and is asked no more. */
  "gone",
  "timeout",
  "unreachable",
  "address_unknown",
  "address_private",
] as const;
export const WebhookOutcome = v.picklist(WEBHOOK_OUTCOMES);
export type WebhookOutcome = v.InferOutput<typeof WebhookOutcome>;

/** `failed`: tried as often as the schedule says, and no more unless it is replayed. */
const WEBHOOK_EVENT_STATES = ["pending", "delivered", "failed"] as const;
export const WebhookEventState = v.picklist(WEBHOOK_EVENT_STATES);
export type WebhookEventState = v.InferOutput<typeof WebhookEventState>;

export const WebhookEventEntry = v.object({
  /** As `webhook-id`. */
  id: v.string(),
  type: v.union([WebhookEventType, v.literal("test")]),
  /** The payment's or the settlement's id. */
  subject: v.string(),
  happenedAt: milliseconds,
  state: WebhookEventState,
  attempts: count,
  /** Null: not any more. */
  nextAttemptAt: v.nullable(milliseconds),
});
export type WebhookEventEntry = v.InferOutput<typeof WebhookEventEntry>;
/** The newest first. `before` continues the list: null where it ends. */
export const WebhookEventList = v.object({
  events: v.array(WebhookEventEntry),
  before: v.nullable(v.string()),
});
const MAX_CURSOR_LENGTH = 80;
export const WebhookEventQuery = v.object({
  state: v.optional(WebhookEventState),
  before: v.optional(v.pipe(v.string(), v.maxLength(MAX_CURSOR_LENGTH))),
});

export const WebhookAttempt = v.object({
  at: milliseconds,
  milliseconds: count,
  outcome: WebhookOutcome,
  status: v.nullable(count),
  /** How its answer began, if it answered. */
  answer: v.string(),
});
export type WebhookAttempt = v.InferOutput<typeof WebhookAttempt>;
/** The newest first. */
export const WebhookEventDetail = v.object({
  event: WebhookEventEntry,
  attempts: v.array(WebhookAttempt),
});

/** Everything that failed and happened since then. */
export const WebhookReplayRequest = v.object({ since: milliseconds });
/** `left`: as many as wait already may wait; the others are for another call. */
export const WebhookReplayed = v.object({ replayed: count, left: count });

const timestamp = v.pipe(v.string(), v.isoTimestamp());
const payment = {
  merchant: merchantId,
  paymentId: id128,
  amount,
  currency,
  resource: url,
  kind: PaymentKind,
  paidAt: timestamp,
};
/** Only in test mode: nothing of it is money. */
const mode = v.optional(v.literal("test"));
/**
 * What an endpoint is sent. Of the reader it says nothing: the payment's own key, which a receipt names, proves something only to
 * who is shown the receipt, and an endpoint is often another company's.
 */
export const WebhookPayload = v.variant("type", [
  v.object({ type: v.literal("payment.paid"), mode, timestamp, data: v.object(payment) }),
  v.object({
    type: v.literal("payment.refunded"),
    mode,
    timestamp,
    data: v.object({
      ...payment,
      refundedAt: timestamp,
      givenBy: v.picklist(["reader", "merchant"]),
      /** What the reader said, if anything. */
      reason: v.nullable(RefundReason),
    }),
  }),
  v.object({
    type: v.literal("settlement.created"),
    mode,
    timestamp,
    data: v.object({
      merchant: merchantId,
      settlementId: v.string(),
      number: count,
      currency,
      closedAt: timestamp,
      paymentCount: count,
      refundCount: count,
      payments: v.string(),
      refunds: v.string(),
      /** Of payments of settlements before. */
      lateRefundCount: count,
      lateRefunds: v.string(),
      /** Given back before, and fetched by nobody. */
      uncollectedCount: count,
      uncollected: v.string(),
      fee: v.string(),
      carryForwardIn: v.string(),
      /** What leaves for the merchant's bank; zero where it is carried forward. */
      payout: v.string(),
      carryForwardOut: v.string(),
    }),
  }),
  v.object({ type: v.literal("test"), mode, timestamp, data: v.object({ merchant: merchantId }) }),
]);
export type WebhookPayloadJson = v.InferInput<typeof WebhookPayload>;
