/**
 * The extension's own pages ↔ background. A page opens a port named `UI_PORT` and receives one `WalletSnapshot`
 * at once and after every change; it asks for things with `runtime.sendMessage`, one `UiRequest` each, answered by
 * a `UiResponse`. Amounts are decimal strings of micros, because messages are JSON.
 */
import * as v from "valibot";
import { amount, id128, origin, positiveAmount, RefundReason } from "./fields.ts";
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
  /** Asked back, and the merchant has to decide; only asking again tells whether it did. */
  askedBack: v.boolean(),
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

/** What the privacy meter has to know of a payment: `PrivacySituation` of `shared/privacy.ts`. */
const PrivacyView = v.object({ hasChange: v.boolean(), asksForMerchant: v.boolean(), isShort: v.boolean() });

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
  /** What the merchant says of refunds, in its own words. */
  refundPolicy: v.nullable(words),
  /** The budget that this payment does not fit into: why the reader is asked. Null where there is no such reason. */
  reason: v.nullable(BudgetView),
  /** The budgets of the site, and the monthly limit: what is left of each before this payment. */
  budgets: v.array(BudgetView),
  /** Of a payment of `amount` with the coins that there are now. */
  privacy: PrivacyView,
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
  /** How far that has come; null where nothing is brought back. */
  restore: v.nullable(RestoreView),
  backup: v.object({
    /** When it was written last (milliseconds since 1970); null: never. */
    savedAt: v.nullable(time),
    /** Something changed since. It is written by itself with the next visit to the account. */
    isUnsaved: v.boolean(),
    /** Why it could not be written the last time. */
    error: v.nullable(PageError),
  }),
  /** The coins were put back into the account, and the wallet takes none until it is used again. */
  resting: v.boolean(),
  /** The account was paid out: how much went back. */
  paidOut: v.nullable(amount),
  /** In coins of other wallets of this phrase, as they said last; part of no other figure. */
  elsewhere: amount,
  currency: words,
  provider: v.object({
    origin: words,
    name: words,
    sandbox: v.boolean(),
    mode: v.picklist(["live", "test"]),
    reachable: v.boolean(),
  }),
  /** Another wallet, for play money, beside this one: this is it (`on`), or the provider has one for it (`offered`). */
  testMode: v.picklist(["none", "offered", "on"]),
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
  /** What the provider takes; null while it was never reached. */
  topUpRange: v.nullable(v.object({ least: amount, most: amount })),
  /** What the reader topped up last. */
  lastTopUp: v.nullable(amount),
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
    /** With a phrase: whether the wallets that have it are not used any more, so that this one takes their coins. */
    otherDevices: v.optional(v.picklist(["gone", "in_use"])),
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
  /** Shows a question that waits, or the one that comes before it. */
  request("showQuestion", { approvalId: id128 }),
  /** Whom the page in the active tab lets one tip: `{ site, problem }`, both null where it names nobody. */
  request("tipSite", {}),
  /** Opens the approval for a tip to the site in the active tab. Answers `{ approvalId }`. */
  request("startTip", {}),
  /** Writes the backup now, because the reader is about to leave this browser. */
  request("saveBackup", {}),
  /** The other wallets of this phrase are not used any more: this one takes their coins. */
  request("takeOver", {}),
  /** All coins back into the account. */
  request("depositAll", {}),
  /** Coins into the account, and the account back to where its money came from. */
  request("closeAccount", {}),
  /** `reason`: what the merchant is told of why. */
  request("refund", { paymentId: id128, reason: v.optional(RefundReason) }),
  /** What a site is paid without asking, as a whole; null is no limit, but a day or a month has one. */
  request("setAllowance", {
    origin,
    perPayment: v.nullable(positiveAmount),
    perDay: v.nullable(positiveAmount),
    perMonth: v.nullable(positiveAmount),
  }),
  request("removeAllowance", { origin }),
  request("setPaused", { paused: v.boolean() }),
  /** The other wallet from now on: the one of test mode, or the reader's own. Each keeps what it has. */
  request("setTestMode", { on: v.boolean() }),
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
  /** So many payments were looked through for this page. */
  looked: v.number(),
  /** Of so many that there are. Counting them takes a while: only the first page of what is looked for says it, others null. */
  total: v.nullable(v.number()),
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
  /** What the merchant said of refunds when it was paid, in its own words. */
  refundPolicy: v.nullable(words),
  /** What the merchant was told when the money was asked back. */
  refundReason: v.nullable(RefundReason),
  privacy: PrivacyView,
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
  /** How many there are in all. Null but in the first page. */
  total: v.nullable(v.number()),
});
export type ExportedPage = v.InferOutput<typeof ExportedPage>;

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
  saveBackup: v.object({}),
  takeOver: v.object({}),
  depositAll: v.object({}),
  closeAccount: v.object({ returned: amount }),
  refund: v.object({}),
  setAllowance: v.object({}),
  removeAllowance: v.object({}),
  setPaused: v.object({}),
  setTestMode: v.object({}),
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

/** What this device remembers as long as the reader is in test mode: the anonymous origin of its provider. */
export const TEST_PROVIDER = "test-provider";
export const TestProvider = v.optional(origin);
export type TestProvider = v.InferOutput<typeof TestProvider>;

/** The name under which the session remembers something of one wallet: each has its own, the reader's and that of test mode. */
export function sessionName(testProvider: TestProvider, name: string): string {
  return testProvider === undefined ? name : `${testProvider} ${name}`;
}

/**
 * The balance as the background saw it last, so that the popup has it before the background is awake. What is locked shows
 * nothing: that of a wallet that a passphrase keeps stands only in the session's storage, which is memory, under this name.
 */
export const LAST_BALANCE = "last-balance";
export const LastBalance = v.object({
  total: amount,
  currency: words,
  playMoney: v.boolean(),
  /** When the wallet locks itself if nobody uses it (milliseconds since 1970): shown before that only. */
  openUntil: v.nullable(v.number()),
});
export type LastBalance = v.InferOutput<typeof LastBalance>;
export type LastBalanceJson = v.InferInput<typeof LastBalance>;
