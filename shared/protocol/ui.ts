/**
 * The extension's own pages ↔ background. A page opens a port named `UI_PORT` and receives one `WalletSnapshot`
 * at once and after every change; it asks for things with `runtime.sendMessage`, one `UiRequest` each, answered by
 * a `UiResponse`. Amounts are decimal strings of micros, because messages are JSON.
 */
import * as v from "valibot";
import { amount, id128, origin, positiveAmount } from "./fields.ts";
import { PageError } from "./page.ts";

export const UI_PORT = "ui";

const time = v.number();
const words = v.string();

/** `id` is the paymentId. `pending`: sent, and nobody knows yet; the wallet finds out by itself. */
export const PaymentView = v.object({
  id: words,
  at: time,
  amount,
  kind: v.picklist(["article", "tip"]),
  title: words,
  merchantName: words,
  origin: words,
  resource: words,
  state: v.picklist(["pending", "paid", "refunding", "refunded", "failed"]),
  /** While this is ahead, one click takes the money back (milliseconds since 1970). */
  refundableUntil: v.nullable(time),
  error: v.nullable(PageError),
});
export type PaymentView = v.InferOutput<typeof PaymentView>;

export const AllowanceView = v.object({
  origin: words,
  merchantName: words,
  limit: amount,
  left: amount,
  since: time,
});
export type AllowanceView = v.InferOutput<typeof AllowanceView>;

export const TopUpView = v.object({
  id: words,
  amount,
  state: v.picklist(["open", "paid", "declined", "abandoned", "charged_back"]),
  at: time,
  checkoutUrl: words,
});
export type TopUpView = v.InferOutput<typeof TopUpView>;

/** A question to the reader. It lives in the store, so that a worker that dies loses none. */
export const ApprovalView = v.object({
  id: words,
  kind: v.picklist(["article", "tip"]),
  merchantName: words,
  /** The verified site that asks. */
  origin: words,
  title: words,
  amount,
  /** For a tip, the range; for an article both equal the amount. */
  least: amount,
  most: amount,
  balanceAfter: v.nullable(amount),
  /** What is missing, where the balance does not reach: the offer is kept and the window offers to top up. */
  missing: v.nullable(amount),
  refundWindowSeconds: v.number(),
  state: v.picklist(["asking", "approved", "declined", "paying", "paid", "failed"]),
  error: v.nullable(PageError),
  at: time,
});
export type ApprovalView = v.InferOutput<typeof ApprovalView>;

export const WalletSnapshot = v.object({
  /** `locked`: nothing of what follows is known until the reader has given the passphrase. */
  state: v.picklist(["none", "locked", "ready"]),
  /** Whether a passphrase keeps the wallet, and after how many minutes without use it locks itself. */
  protection: v.object({ hasPassphrase: v.boolean(), lockAfterMinutes: v.number() }),
  /** The reader has written the recovery phrase down, or said so. */
  phraseConfirmed: v.boolean(),
  /** How firmly the reader is reminded to write it down: more firmly with what would be lost, and with time. */
  phraseReminder: v.picklist(["none", "calm", "firm", "urgent"]),
  /** After a restore from the phrase, until the provider was asked for everything: the balance is not complete yet. */
  restoring: v.boolean(),
  currency: words,
  provider: v.object({ origin: words, name: words, sandbox: v.boolean(), reachable: v.boolean() }),
  balance: v.object({
    /** What the reader has: account, coins and what is on its way. */
    total: amount,
    account: amount,
    /** Coins in the drawer, ready to be spent. */
    coins: amount,
    /** Change that is signed, and coins that are being swapped: part of the total, and to be spent in a moment. */
    onItsWay: amount,
    /** Enough for few more payments like the last ones, and no top-up is under way. */
    isLow: v.boolean(),
    /** In payments whose outcome is not known yet; part of no other figure. */
    inFlight: amount,
  }),
  frozen: v.boolean(),
  /** Newest first, the last 50. */
  payments: v.array(PaymentView),
  allowances: v.array(AllowanceView),
  /** Open ones, and the last that ended, newest first. */
  topUps: v.array(TopUpView),
  topUpAmounts: v.array(amount),
  /** What the provider takes; null while it was never reached. */
  topUpRange: v.nullable(v.object({ least: amount, most: amount })),
  /** What the reader topped up last. */
  lastTopUp: v.nullable(amount),
  approvals: v.array(ApprovalView),
});
export type WalletSnapshot = v.InferOutput<typeof WalletSnapshot>;
/** The form in which it travels. */
export type WalletSnapshotJson = v.InferInput<typeof WalletSnapshot>;

const request = <T extends string, E extends v.ObjectEntries>(type: T, entries: E) =>
  v.object({ kind: v.literal("ui"), type: v.literal(type), ...entries });

export const PHRASE_WORDS = 12;
/** So many of them the reader is asked for. */
export const PHRASE_WORDS_ASKED = 3;
const passphrase = v.pipe(v.string(), v.maxLength(1_000));
/** A day. */
const MAX_LOCK_MINUTES = 1_440;
/** Shorter ones are refused: whoever has the disk tries millions. */
export const MIN_PASSPHRASE_CHARACTERS = 10;

export const UiRequest = v.variant("type", [
  /** Answers a snapshot. */
  request("snapshot", {}),
  /** Makes the wallet: a fresh recovery phrase, or the given one. Answers `{ phrase }`. */
  request("createWallet", {
    provider: v.optional(origin),
    phrase: v.optional(v.pipe(v.string(), v.maxLength(500))),
  }),
  /** Answers `{ phrase }`, so that it can be shown again. Where a passphrase keeps the wallet, it is asked for again. */
  request("showPhrase", { passphrase: v.optional(passphrase) }),
  request("unlock", { passphrase }),
  request("lock", {}),
  /** Keeps the wallet by this passphrase from now on, null by the device alone. `current` is the passphrase until now. */
  request("protect", {
    current: v.optional(passphrase),
    passphrase: v.nullable(passphrase),
    lockAfterMinutes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_LOCK_MINUTES)),
  }),
  /** Removes the wallet from this browser, for a restore from its phrase. */
  request("eraseWallet", {}),
  /** Some of the words, by their places from 1 on. Answers `{ wrong }`: the places of those that are not right. */
  request("confirmPhrase", {
    words: v.pipe(
      v.array(
        v.object({
          place: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PHRASE_WORDS)),
          word: v.pipe(v.string(), v.maxLength(50)),
        }),
      ),
      v.maxLength(PHRASE_WORDS),
    ),
  }),
  /** The reader will write it down later: the reminder stays away for a while. */
  request("putOffPhrase", {}),
  /** Opens the gateway's checkout in a tab. Answers `{ topUpId, checkoutUrl }`. */
  request("topUp", { amount: positiveAmount }),
  /** `amount` is what the reader saw, and for a tip chose; `allowance` the budget for this site from now on. */
  request("decide", {
    approvalId: id128,
    approve: v.boolean(),
    amount: v.optional(positiveAmount),
    allowance: v.optional(positiveAmount),
  }),
  /** Shows a question that waits, or the one that comes before it. */
  request("showQuestion", { approvalId: id128 }),
  /** Whom the page in the active tab lets one tip: `{ site, problem }`, both null where it names nobody. */
  request("tipSite", {}),
  /** Opens the approval for a tip to the site in the active tab. Answers `{ approvalId }`. */
  request("startTip", {}),
  request("refund", { paymentId: id128 }),
  request("removeAllowance", { origin }),
  /** Receipts, allowance and recognition of a site are gone; bought articles have to be bought again. */
  request("forgetSite", { origin }),
]);
export type UiRequest = v.InferOutput<typeof UiRequest>;
export type UiRequestJson = v.InferInput<typeof UiRequest>;
export type UiRequestType = UiRequest["type"];
export type UiRequestOf<T extends UiRequestType> = Extract<UiRequest, { type: T }>;

export const TipSite = v.object({ origin: words, merchantName: words });
export type TipSite = v.InferOutput<typeof TipSite>;

/** What each request answers with, in `ok`. */
export const UiResults = {
  snapshot: WalletSnapshot,
  createWallet: v.object({ phrase: words }),
  showPhrase: v.object({ phrase: words }),
  unlock: v.object({}),
  lock: v.object({}),
  protect: v.object({}),
  eraseWallet: v.object({}),
  confirmPhrase: v.object({ wrong: v.array(v.number()) }),
  putOffPhrase: v.object({}),
  topUp: v.object({ topUpId: words, checkoutUrl: words }),
  decide: v.object({}),
  showQuestion: v.object({}),
  /** `problem`: the page names a merchant of this provider, and nobody may be paid for it here. */
  tipSite: v.object({ site: v.nullable(TipSite), problem: v.nullable(PageError) }),
  startTip: v.object({ approvalId: words }),
  refund: v.object({}),
  removeAllowance: v.object({}),
  forgetSite: v.object({}),
} as const satisfies Record<UiRequestType, v.GenericSchema>;
export type UiResultJson<T extends UiRequestType> = v.InferInput<(typeof UiResults)[T]>;

export const UiResponse = v.union([v.object({ ok: v.unknown() }), v.object({ error: PageError })]);
export type UiResponse = v.InferOutput<typeof UiResponse>;

/** The address of the approval window, relative to the extension. */
export const APPROVE_PAGE = "extension/ui/approve/index.html";
export const WELCOME_PAGE = "extension/ui/welcome/index.html";
export const POPUP_PAGE = "extension/ui/popup/index.html";
/** Its sections are told by the address's fragment: `#/spending`, `#/budgets`. */
export const OPTIONS_PAGE = "extension/ui/options/index.html";
