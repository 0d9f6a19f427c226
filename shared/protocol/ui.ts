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

const RestoreView = v.object({
  /** Reading the backup; asking for what is newer; exchanging coins that may have been spent since. */
  phase: v.picklist(["reading", "searching", "checking"]),
  receipts: v.number(),
  receiptsInBackup: v.number(),
  coins: v.number(),
  coinsToCheck: v.number(),
  /** Parts of the backup that did not open. */
  damagedParts: v.number(),
});
export type RestoreView = v.InferOutput<typeof RestoreView>;

export const WalletSnapshot = v.object({
  state: v.picklist(["none", "ready"]),
  /** The reader has written the recovery phrase down, or said so. */
  phraseConfirmed: v.boolean(),
  /** After a restore from the phrase, until the provider was asked for everything: the balance is not complete yet. */
  restoring: v.boolean(),
  /** How far that has come; null where nothing is brought back. */
  restore: v.nullable(RestoreView),
  backup: v.object({
    /** When it was written last (milliseconds since 1970); null: never. */
    savedAt: v.nullable(time),
    /** Something changed since. It is written by itself within a quarter of an hour. */
    isUnsaved: v.boolean(),
    /** Why it could not be written the last time. */
    error: v.nullable(PageError),
  }),
  /** In coins of other wallets of this phrase, as they said last; part of no other figure. */
  elsewhere: amount,
  currency: words,
  provider: v.object({ origin: words, name: words, sandbox: v.boolean(), reachable: v.boolean() }),
  balance: v.object({
    /** What the reader has: account, coins and what is on its way. */
    total: amount,
    account: amount,
    /** Coins in the drawer, ready to be spent. */
    coins: amount,
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
  approvals: v.array(ApprovalView),
});
export type WalletSnapshot = v.InferOutput<typeof WalletSnapshot>;
/** The form in which it travels. */
export type WalletSnapshotJson = v.InferInput<typeof WalletSnapshot>;

const request = <T extends string, E extends v.ObjectEntries>(type: T, entries: E) =>
  v.object({ kind: v.literal("ui"), type: v.literal(type), ...entries });

export const UiRequest = v.variant("type", [
  /** Answers a snapshot. */
  request("snapshot", {}),
  /** Makes the wallet: a fresh recovery phrase, or the given one. Answers `{ phrase }`. */
  request("createWallet", {
    provider: v.optional(origin),
    phrase: v.optional(v.pipe(v.string(), v.maxLength(500))),
    /** With a phrase: whether the wallets that have it are not used any more, so that this one takes their coins. */
    otherDevices: v.optional(v.picklist(["gone", "in use"])),
  }),
  /** Answers `{ phrase }`, so that it can be shown again. */
  request("showPhrase", {}),
  request("confirmPhrase", {}),
  /** Opens the gateway's checkout in a tab. Answers `{ topUpId, checkoutUrl }`. */
  request("topUp", { amount: positiveAmount }),
  /** `amount` is what the reader saw, and for a tip chose; `allowance` the budget for this site from now on. */
  request("decide", {
    approvalId: id128,
    approve: v.boolean(),
    amount: v.optional(positiveAmount),
    allowance: v.optional(positiveAmount),
  }),
  /** Whom the page in the active tab lets one tip: `{ site: TipSite | null }`. */
  request("tipSite", {}),
  /** Opens the approval for a tip to the site in the active tab. Answers `{ approvalId }`. */
  request("startTip", {}),
  /** Writes the backup now, because the reader is about to leave this browser. */
  request("saveBackup", {}),
  /** The other wallets of this phrase are not used any more: this one takes their coins. */
  request("takeOver", {}),
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
  confirmPhrase: v.object({}),
  topUp: v.object({ topUpId: words, checkoutUrl: words }),
  decide: v.object({}),
  tipSite: v.object({ site: v.nullable(TipSite) }),
  startTip: v.object({ approvalId: words }),
  saveBackup: v.object({}),
  takeOver: v.object({}),
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
