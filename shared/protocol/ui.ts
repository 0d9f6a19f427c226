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
  /** The article did not open: its money comes back by itself, or did, where `state` says so. */
  unopened: v.boolean(),
  error: v.nullable(PageError),
});
export type PaymentView = v.InferOutput<typeof PaymentView>;

/**
 * A limit, and what of it is left now. `site_*` is what the site is paid without asking: in one payment, today, this
 * month, or (of the first version) in all. `month` is what may be spent at all sites this month.
 */
const BudgetView = v.object({
  of: v.picklist(["site_payment", "site_day", "site_month", "site_total", "month"]),
  limit: amount,
  left: amount,
});
export type BudgetView = v.InferOutput<typeof BudgetView>;

export const AllowanceView = v.object({
  origin: words,
  merchantName: words,
  /** Each limit that it has; one at least renews, or is a sum. */
  budgets: v.array(BudgetView),
  /** Of the budget of which least is left, the limit for a single payment aside. */
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
  /** The budget that this payment does not fit into: why the reader is asked. Null where there is no such reason. */
  reason: v.nullable(BudgetView),
  /** The budgets of the site, and the monthly limit: what is left of each before this payment. */
  budgets: v.array(BudgetView),
  state: v.picklist(["asking", "approved", "declined", "paying", "paid", "failed"]),
  error: v.nullable(PageError),
  at: time,
});
export type ApprovalView = v.InferOutput<typeof ApprovalView>;

export const WalletSnapshot = v.object({
  state: v.picklist(["none", "ready"]),
  /** The reader has written the recovery phrase down, or said so. */
  phraseConfirmed: v.boolean(),
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
    /** In payments whose outcome is not known yet; part of no other figure. */
    inFlight: amount,
  }),
  frozen: v.boolean(),
  /** Nothing is paid, by the reader's own wish. */
  paused: v.boolean(),
  /** What was spent this month at all sites, and what the limit for that leaves; null where there is none. */
  month: v.object({ spent: amount, budget: v.nullable(BudgetView) }),
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

/** A year ("2026"), a month ("2026-11") or a day ("2026-11-29") of the reader's. */
const period = v.pipe(v.string(), v.regex(/^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/));

/** Up to where the payments were read: a moment, and how many of that moment. */
const HistoryPlace = v.object({
  at: v.pipe(v.number(), v.safeInteger()),
  skip: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type HistoryPlace = v.InferOutput<typeof HistoryPlace>;

const request = <T extends string, E extends v.ObjectEntries>(type: T, entries: E) =>
  v.object({ kind: v.literal("ui"), type: v.literal(type), ...entries });

export const UiRequest = v.variant("type", [
  /** Answers a snapshot. */
  request("snapshot", {}),
  /** Makes the wallet: a fresh recovery phrase, or the given one. Answers `{ phrase }`. */
  request("createWallet", {
    provider: v.optional(origin),
    phrase: v.optional(v.pipe(v.string(), v.maxLength(500))),
  }),
  /** Answers `{ phrase }`, so that it can be shown again. */
  request("showPhrase", {}),
  request("confirmPhrase", {}),
  /** Opens the gateway's checkout in a tab. Answers `{ topUpId, checkoutUrl }`. */
  request("topUp", { amount: positiveAmount }),
  /**
   * `amount` is what the reader saw, and for a tip chose; `allowance` what this site is paid a month without asking, from now
   * on. `beyondMonth`: the reader agreed that this goes beyond the monthly limit.
   */
  request("decide", {
    approvalId: id128,
    approve: v.boolean(),
    amount: v.optional(positiveAmount),
    allowance: v.optional(positiveAmount),
    beyondMonth: v.optional(v.boolean()),
  }),
  /** Whom the page in the active tab lets one tip: `{ site: TipSite | null }`. */
  request("tipSite", {}),
  /** Opens the approval for a tip to the site in the active tab. Answers `{ approvalId }`. */
  request("startTip", {}),
  request("refund", { paymentId: id128 }),
  /** What a site is paid without asking, as a whole; null is no limit, but a day or a month has one. */
  request("setAllowance", {
    origin,
    perPayment: v.nullable(positiveAmount),
    perDay: v.nullable(positiveAmount),
    perMonth: v.nullable(positiveAmount),
  }),
  request("removeAllowance", { origin }),
  request("setPaused", { paused: v.boolean() }),
  /** For all sites together; null takes it away. */
  request("setMonthlyLimit", { limit: v.nullable(positiveAmount) }),
  /** A page of payments, newest first. With `search`, those that have all its words in title, merchant or site. */
  request("history", {
    period: v.optional(period),
    site: v.optional(origin),
    state: v.optional(PaymentView.entries.state),
    paymentKind: v.optional(PaymentView.entries.kind),
    search: v.optional(v.pipe(v.string(), v.maxLength(100))),
    after: v.optional(HistoryPlace),
  }),
  /** What was spent in a month, by day, or in a year, by month; at one site or at all of them. */
  request("spending", { period, site: v.optional(origin) }),
  request("payment", { paymentId: id128 }),
  /** All payments with their receipts, in pieces, newest first. */
  request("exportHistory", { after: v.optional(HistoryPlace) }),
  /** Receipts, allowance and recognition of a site are gone; bought articles have to be bought again. */
  request("forgetSite", { origin }),
]);
export type UiRequest = v.InferOutput<typeof UiRequest>;
export type UiRequestJson = v.InferInput<typeof UiRequest>;
export type UiRequestType = UiRequest["type"];
export type UiRequestOf<T extends UiRequestType> = Extract<UiRequest, { type: T }>;

export const TipSite = v.object({ origin: words, merchantName: words });
export type TipSite = v.InferOutput<typeof TipSite>;

/** `next` is null at the end. A page may be shorter than others, or empty, before that: then much was looked through. */
const HistoryPage = v.object({
  payments: v.array(PaymentView),
  next: v.nullable(HistoryPlace),
  /** So many payments were looked through for this page, of so many that there are. */
  looked: v.number(),
  total: v.number(),
});
export type HistoryPage = v.InferOutput<typeof HistoryPage>;

const spent = { spent: amount, payments: v.number() };
const SpendingView = v.object({
  ...spent,
  /** The days of the month, or the months of the year, all of them and in order. */
  over: v.array(v.object({ period: words, ...spent })),
  /** Most first. What was spent at sites that were forgotten since is in no site's figure. */
  sites: v.array(v.object({ origin: words, ...spent })),
  /** The month of the first payment that counts; null where there is none. */
  first: v.nullable(words),
});
export type SpendingView = v.InferOutput<typeof SpendingView>;

const PaymentDetail = v.object({
  payment: PaymentView,
  /** Paid out of the site's allowance, without a question. */
  unasked: v.boolean(),
  refundWindowSeconds: v.number(),
  /** The provider's signed proof, and what it says; null while there is none. */
  receipt: v.nullable(
    v.object({
      token: words,
      issuer: words,
      merchant: words,
      amount,
      currency: words,
      resource: words,
      /** Seconds since 1970. */
      issuedAt: v.number(),
    }),
  ),
});
export type PaymentDetail = v.InferOutput<typeof PaymentDetail>;

const ExportedPayment = v.object({ ...PaymentView.entries, receipt: v.nullable(words) });
export type ExportedPayment = v.InferOutput<typeof ExportedPayment>;

const ExportedPage = v.object({
  payments: v.array(ExportedPayment),
  next: v.nullable(HistoryPlace),
  total: v.number(),
});
export type ExportedPage = v.InferOutput<typeof ExportedPage>;

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
  refund: v.object({}),
  setAllowance: v.object({}),
  removeAllowance: v.object({}),
  setPaused: v.object({}),
  setMonthlyLimit: v.object({}),
  history: HistoryPage,
  spending: SpendingView,
  payment: PaymentDetail,
  exportHistory: ExportedPage,
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
