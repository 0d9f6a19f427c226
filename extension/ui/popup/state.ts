/**
 * What the popup shows, as data. `screen()` is a pure function of the wallet's snapshot, of what the reader did
 * in this popup since it opened, and of the time; `view.tsx` only draws what it says.
 */
import type { Micros } from "../../../shared/money.ts";
import { ZERO } from "../../../shared/money.ts";
import type { PageError } from "../../../shared/protocol/page.ts";
import type {
  AllowanceView,
  ApprovalView,
  LastBalance,
  PaymentView,
  RestoreView,
  TipSite,
  TopUpView,
  WalletSnapshot,
} from "../../../shared/protocol/ui.ts";
import { siteName } from "../shared/site.ts";
import { t } from "../shared/text.tsx";
import { describeTime } from "../shared/time.ts";
import { type TopUpOffer, topUpOffer } from "../shared/top-up-offer.ts";

/** So many payments before "show all". */
export const PAYMENTS_SHOWN = 4;
/** For so long the popup mentions a top-up that came to nothing. */
export const TOP_UP_NEWS_MS = 10 * 60_000;

/** What the reader did in this popup. Nothing in it matters once it is closed. */
export interface PopupLocal {
  readonly page: "home" | "topUp";
  /** Back from another page of the popup: the focus goes to where it left. */
  readonly cameBack: boolean;
  readonly showAll: boolean;
  /** Top-ups that were open while this popup was: their arrival is news. */
  readonly seenOpenTopUps: readonly string[];
  readonly dismissedTopUps: readonly string[];
  /** Ids of payments, approvals and sites, and `topUp`, `tip` or `pause`: asked for, not answered yet. */
  readonly busy: readonly string[];
  readonly error: PageError | null;
  readonly tipSite: TipSite | null;
  /** The page names somebody to tip who may not be paid there. */
  readonly tipProblem: PageError | null;
}

export const LOCAL_AT_START: PopupLocal = {
  page: "home",
  cameBack: false,
  showAll: false,
  seenOpenTopUps: [],
  dismissedTopUps: [],
  busy: [],
  error: null,
  tipSite: null,
  tipProblem: null,
};

export type PopupNotice =
  | { readonly is: "error"; readonly error: PageError }
  | { readonly is: "frozen" }
  | { readonly is: "paused"; readonly busy: boolean }
  | { readonly is: "restoring"; readonly restore: RestoreView | null }
  | { readonly is: "unreachable"; readonly provider: string }
  | {
      readonly is: "approval";
      readonly approval: ApprovalView;
      readonly site: string;
      readonly busy: boolean;
    }
  | { readonly is: "topUp"; readonly state: TopUpView["state"]; readonly topUp: TopUpView }
  | { readonly is: "low"; readonly balance: Micros }
  | {
      readonly is: "phrase";
      readonly reminder: "calm" | "firm" | "urgent";
      readonly atStake: Micros;
      readonly busy: boolean;
    };

export interface PaymentRow {
  readonly id: string;
  readonly title: string;
  readonly merchantName: string;
  readonly time: string;
  readonly amount: Micros;
  /** What is particular about it, in words. Null if it is simply paid. */
  readonly standing: string | null;
  readonly struck: boolean;
  readonly failed: boolean;
  readonly canRefund: boolean;
  readonly refundUntil: string | null;
  readonly busy: boolean;
}

export interface AllowanceRow {
  readonly origin: string;
  readonly site: string;
  readonly merchantName: string;
  readonly limit: Micros;
  readonly left: Micros;
  /** Percent of the limit, a whole number, for the bar. */
  readonly leftPercent: number;
  readonly busy: boolean;
}

export interface BalancePart {
  readonly part: "coins" | "account" | "on_its_way" | "in_flight";
  readonly amount: Micros;
}

export interface HomeScreen {
  readonly is: "home";
  readonly currency: string;
  readonly playMoney: boolean;
  readonly balance: Micros;
  /** Null where there is none: "in flight: 0" would only worry. */
  readonly inFlight: Micros | null;
  /** What the balance is made of; nothing that is not there, but for the coins. */
  readonly parts: readonly BalancePart[];
  readonly canTopUp: boolean;
  readonly canLock: boolean;
  readonly pause: { readonly paused: boolean; readonly busy: boolean };
  readonly cameBack: boolean;
  readonly notices: readonly PopupNotice[];
  readonly tip: { readonly merchantName: string; readonly site: string; readonly busy: boolean } | null;
  readonly tipProblem: PageError | null;
  readonly payments: readonly PaymentRow[];
  readonly hiddenPayments: number;
  readonly allowances: readonly AllowanceRow[];
}

export interface TopUpScreen {
  readonly is: "topUp";
  readonly currency: string;
  readonly playMoney: boolean;
  readonly balance: Micros;
  readonly topUps: TopUpOffer;
  readonly busy: boolean;
  readonly error: PageError | null;
}

export type PopupScreen =
  | { readonly is: "connecting" }
  | { readonly is: "silent" }
  | { readonly is: "none"; readonly playMoney: boolean }
  | { readonly is: "locked" }
  | RememberedScreen
  | HomeScreen
  | TopUpScreen;

/** The background is not awake yet: the balance as it was last, where home will have it. */
export interface RememberedScreen {
  readonly is: "remembered";
  readonly currency: string;
  readonly playMoney: boolean;
  readonly balance: Micros;
}

export function screen(
  snapshot: WalletSnapshot | undefined,
  silent: boolean,
  local: PopupLocal,
  now: number,
  last?: LastBalance,
): PopupScreen {
  if (snapshot === undefined) {
    if (silent) return { is: "silent" };
    if (!last || (last.openUntil !== null && now >= last.openUntil)) return { is: "connecting" };
    return { is: "remembered", currency: last.currency, playMoney: last.playMoney, balance: last.total };
  }
  const playMoney = snapshot.provider.sandbox;
  if (snapshot.state === "none") return { is: "none", playMoney };
  if (snapshot.state === "locked") return { is: "locked" };
  const common = { currency: snapshot.currency, playMoney, balance: snapshot.balance.total };
  if (local.page === "topUp") {
    return {
      is: "topUp",
      ...common,
      topUps: topUpOffer(snapshot),
      busy: local.busy.includes("topUp"),
      error: local.error,
    };
  }
  const shown = local.showAll ? snapshot.payments : snapshot.payments.slice(0, PAYMENTS_SHOWN);
  return {
    is: "home",
    ...common,
    inFlight: snapshot.balance.inFlight > ZERO ? snapshot.balance.inFlight : null,
    parts: partsOf(snapshot.balance),
    cameBack: local.cameBack,
    canLock: snapshot.protection.hasPassphrase,
    canTopUp: !snapshot.frozen && snapshot.topUpAmounts.length > 0,
    notices: notices(snapshot, local, now),
    pause: { paused: snapshot.paused, busy: local.busy.includes("pause") },
    // A tip that is not paid is nothing to offer.
    tip: snapshot.paused
      ? null
      : local.tipSite && {
          merchantName: local.tipSite.merchantName,
          site: siteName(local.tipSite.origin),
          busy: local.busy.includes("tip"),
        },
    tipProblem: local.tipProblem,
    payments: shown.map((payment) => paymentRow(payment, local, now)),
    hiddenPayments: snapshot.payments.length - shown.length,
    allowances: snapshot.allowances.map((allowance) => allowanceRow(allowance, local)),
  };
}

function partsOf({ coins, account, onItsWay, inFlight }: WalletSnapshot["balance"]): BalancePart[] {
  const parts: BalancePart[] = [
    { part: "coins", amount: coins },
    { part: "account", amount: account },
    { part: "on_its_way", amount: onItsWay },
    { part: "in_flight", amount: inFlight },
  ];
  return parts.filter(({ part, amount }) => part === "coins" || amount > ZERO);
}

/** The most pressing first: what went wrong, what waits for the reader, what the reader waits for, what can wait. */
function notices(snapshot: WalletSnapshot, local: PopupLocal, now: number): PopupNotice[] {
  const list: PopupNotice[] = [];
  if (local.error) list.push({ is: "error", error: local.error });
  if (snapshot.frozen) list.push({ is: "frozen" });
  if (snapshot.paused) list.push({ is: "paused", busy: local.busy.includes("pause") });
  if (snapshot.restoring) list.push({ is: "restoring", restore: snapshot.restore });
  if (!snapshot.provider.reachable) list.push({ is: "unreachable", provider: snapshot.provider.name });
  for (const approval of snapshot.approvals) {
    if (approval.state !== "asking") continue;
    list.push({
      is: "approval",
      approval,
      site: siteName(approval.origin),
      busy: local.busy.includes(approval.id),
    });
  }
  const topUp = snapshot.topUps.find((candidate) => isTopUpNews(candidate, local, now));
  if (topUp) list.push({ is: "topUp", state: topUp.state, topUp });
  if (snapshot.balance.isLow) list.push({ is: "low", balance: snapshot.balance.total });
  if (snapshot.phraseReminder !== "none")
    list.push({
      is: "phrase",
      reminder: snapshot.phraseReminder,
      atStake: snapshot.balance.total,
      busy: local.busy.includes("phrase"),
    });
  return list;
}

function isTopUpNews(topUp: TopUpView, local: PopupLocal, now: number): boolean {
  if (local.dismissedTopUps.includes(topUp.id)) return false;
  if (topUp.state === "open") return true;
  if (topUp.state === "paid") return local.seenOpenTopUps.includes(topUp.id);
  // A charged back one is told by "frozen".
  return (
    topUp.state !== "charged_back" &&
    (local.seenOpenTopUps.includes(topUp.id) || now - topUp.at < TOP_UP_NEWS_MS)
  );
}

const STANDINGS = {
  pending: "popup_standing_pending",
  paid: null,
  refunding: "popup_standing_refunding",
  refunded: "popup_standing_refunded",
  failed: "popup_standing_failed",
} as const satisfies Record<PaymentView["state"], string | null>;

function paymentRow(payment: PaymentView, local: PopupLocal, now: number): PaymentRow {
  const { id, title, merchantName, amount, state, refundableUntil } = payment;
  const standing = payment.askedBack ? "popup_standing_asked" : STANDINGS[state];
  const canRefund = state === "paid" && refundableUntil !== null && refundableUntil > now;
  return {
    id,
    title: title || siteName(payment.origin),
    merchantName,
    amount,
    time: describeTime(payment.at, now),
    standing: standing === null ? null : t(standing),
    struck: state === "refunded" || state === "failed",
    failed: state === "failed",
    canRefund,
    refundUntil: canRefund ? describeTime(refundableUntil, refundableUntil + 60_000) : null,
    busy: local.busy.includes(id),
  };
}

function allowanceRow(allowance: AllowanceView, local: PopupLocal): AllowanceRow {
  const { origin, merchantName, limit, left } = allowance;
  const leftPercent = limit > ZERO ? Number((left * 100n) / limit) : 0;
  return {
    origin,
    site: siteName(origin),
    merchantName,
    limit,
    left,
    leftPercent: Math.min(100, leftPercent),
    busy: local.busy.includes(origin),
  };
}
