/**
 * Page ↔ extension. DOM events on `document` carry JSON strings, never objects. A page that the reader never
 * clicked to pay on hears nothing at all: no listener exists there, and silence is the only refusal.
 *
 * The order of a conversation (the shape of EIP-6963):
 *   page → `tuppence:request-wallet`            no detail
 *   ext  → `tuppence:announce-wallet`           detail: Announcement
 *   page → `tuppence:request`                   detail: PageRequest
 *   ext  → `tuppence:response`                  detail: PageResponse with the same id
 */
import * as v from "valibot";

export const REQUEST_WALLET_EVENT = "tuppence:request-wallet";
export const ANNOUNCE_WALLET_EVENT = "tuppence:announce-wallet";
export const REQUEST_EVENT = "tuppence:request";
export const RESPONSE_EVENT = "tuppence:response";

/** Elements of ours, by the beginning of their names: a trusted click on one wakes the content script. */
export const ELEMENT_PREFIX = "tuppence-";

/** Checked before anything is parsed. An offer with its record and seal is below 10,000. */
export const MAX_MESSAGE_LENGTH = 32_768;

export const PROTOCOL_VERSION = 1;

/**
 * What a page may name its merchant with: the snippet's tip element, and links of two standards (Web Monetization's
 * `monetization`, WICG's `facilitated-payment`). Which of them count, `shared/tip-jar.ts` says; this selects whatever might.
 */
export const TIP_JAR_SELECTOR =
  'tuppence-tip,link:is([rel~="monetization"i],[rel~="facilitated-payment"i])[href*="/merchants/"]';

const requestId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{8,64}$/));
const shortText = v.pipe(v.string(), v.maxLength(300));
const token = v.pipe(v.string(), v.maxLength(8_192));
const resource = v.pipe(v.string(), v.maxLength(2_048));
/** The offer is decoded by the background with `x402.ts`; here it is only an object. */
const offer = v.looseObject({});
const version = v.literal(PROTOCOL_VERSION);
const wireAmount = v.pipe(v.string(), v.regex(/^(0|[1-9][0-9]{0,12})$/));

/**
 * `pay`: `direct` settles and answers with receipt and content key; `http` answers with the header
 * `PAYMENT-SIGNATURE` for the site's own back end to settle (HTTP 402).
 */
const PayRequest = v.object({
  v: version,
  id: requestId,
  type: v.literal("pay"),
  payload: v.object({ offer, mode: v.picklist(["direct", "http"]) }),
});

/** `tip`: the amount in the offer is a suggestion; the reader chooses within the range, in the wallet. */
const TipRequest = v.object({
  v: version,
  id: requestId,
  type: v.literal("tip"),
  payload: v.object({ offer, least: wireAmount, most: wireAmount }),
});

/** `entitlement`: was this bought already? Answered only for the page's own address and for what stands in it. */
const EntitlementRequest = v.object({
  v: version,
  id: requestId,
  type: v.literal("entitlement"),
  payload: v.object({
    merchant: shortText,
    resource,
    /** The seal in the page, if it is a sealed article: the answer then carries its content key. */
    seal: v.optional(token),
    /** What the holder signs; made by the page or its back end. The shortest is the path `/` and a moment in seconds. */
    challenge: v.pipe(v.string(), v.minLength(12), v.maxLength(2_100)),
  }),
});

/** `status`: how a payment stands, by its id. `problem` reports that the content did not open: it is refunded. */
const StatusRequest = v.object({
  v: version,
  id: requestId,
  type: v.literal("status"),
  payload: v.object({ paymentId: shortText, problem: v.optional(v.literal("content_unreadable")) }),
});

export const PageRequest = v.variant("type", [PayRequest, TipRequest, EntitlementRequest, StatusRequest]);
export type PageRequest = v.InferOutput<typeof PageRequest>;
export type PageRequestType = PageRequest["type"];
export type PageRequestOf<T extends PageRequestType> = Extract<PageRequest, { type: T }>;

const contentKey = v.optional(v.pipe(v.string(), v.length(43)));

export const PayResult = v.object({
  paymentId: shortText,
  /** With mode `direct`. */
  receipt: v.optional(token),
  contentKey,
  /** With mode `http`: the value of the header, good until then (seconds since 1970). */
  paymentSignature: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
  expiresAt: v.optional(v.number()),
});
export type PayResult = v.InferOutput<typeof PayResult>;

export const TipResult = v.object({ paymentId: shortText, receipt: token, amount: wireAmount });
export type TipResult = v.InferOutput<typeof TipResult>;

/** `holderProof` answers the challenge (`shared/receipt.ts`). */
export const EntitlementResult = v.object({
  paymentId: shortText,
  receipt: token,
  holderProof: token,
  contentKey,
});
export type EntitlementResult = v.InferOutput<typeof EntitlementResult>;

export const StatusResult = v.object({
  state: v.picklist(["pending", "paid", "unpaid", "refunded"]),
  receipt: v.optional(token),
  contentKey,
});
export type StatusResult = v.InferOutput<typeof StatusResult>;

export interface PageResults {
  readonly pay: PayResult;
  readonly tip: TipResult;
  readonly entitlement: EntitlementResult;
  readonly status: StatusResult;
}

/** The code is a key of `shared/errors.ts`; `message` is that entry in words, so that a page needs no map. */
export const PageError = v.object({ code: shortText, message: v.pipe(v.string(), v.maxLength(1_000)) });
export type PageError = v.InferOutput<typeof PageError>;

export const PageResponse = v.union([
  v.object({ v: version, id: requestId, ok: v.looseObject({}) }),
  v.object({ v: version, id: requestId, error: PageError }),
]);
export type PageResponse = v.InferOutput<typeof PageResponse>;

/** The detail of `ANNOUNCE_WALLET_EVENT`. */
export interface Announcement {
  readonly v: typeof PROTOCOL_VERSION;
  readonly name: string;
  readonly version: string;
}

/**
 * Content script → background: what may be a tip jar stands in this page now, or does so no more. The background looks for
 * itself; the page neither says this nor hears of it.
 */
export const TipJarMessage = v.object({ kind: v.literal("tip-jar") });
export type TipJarMessage = v.InferOutput<typeof TipJarMessage>;

/**
 * Content script → background (`runtime.sendMessage`). The page's message stays the string that it was. `clicked`
 * says that a trusted click on one of our elements, not yet used up, stands behind it: the content script is
 * ours, the page is not. The answer is a PageResponse as a string, or null where silence is the answer.
 */
export const RelayedMessage = v.object({
  kind: v.literal("page"),
  message: v.pipe(v.string(), v.maxLength(MAX_MESSAGE_LENGTH)),
  clicked: v.boolean(),
});
export type RelayedMessage = v.InferOutput<typeof RelayedMessage>;
