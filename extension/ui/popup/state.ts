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
  PaymentView,
  RestoreView,
  TipSite,
  TopUpView,
  WalletSnapshot,
} from "../../../shared/protocol/ui.ts";
import { siteName } from "../shared/site.ts";
import { describeTime } from "../shared/time.ts";

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
  /** Ids of payments, approvals and sites, and `topUp` or `tip`: asked for, not answered yet. */
  readonly busy: readonly string[];
  readonly error: PageError | null;
  readonly tipSite: TipSite | null;
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
};

export type PopupNotice =
  | { readonly is: "error"; readonly error: PageError }
  | { readonly is: "frozen" }
  | { readonly is: "restoring"; readonly restore: RestoreView | null }
  | { readonly is: "unreachable"; readonly provider: string }
  | {
      readonly is: "approval";
      readonly approval: ApprovalView;
      readonly site: string;
      readonly busy: boolean;
    }
  | { readonly is: "topUp"; readonly state: TopUpView["state"]; readonly topUp: TopUpView }
  | { readonly is: "phrase" };

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

export interface HomeScreen {
  readonly is: "home";
  readonly currency: string;
  readonly playMoney: boolean;
  readonly balance: Micros;
  /** Null where there is none: "in flight: 0" would only worry. */
  readonly inFlight: Micros | null;
  readonly canTopUp: boolean;
  readonly cameBack: boolean;
  readonly notices: readonly PopupNotice[];
  readonly tip: { readonly merchantName: string; readonly site: string; readonly busy: boolean } | null;
  readonly payments: readonly PaymentRow[];
  readonly hiddenPayments: number;
  readonly allowances: readonly AllowanceRow[];
}

export interface TopUpScreen {
  readonly is: "topUp";
  readonly currency: string;
  readonly playMoney: boolean;
  readonly balance: Micros;
  readonly amounts: readonly Micros[];
  readonly busy: boolean;
  readonly error: PageError | null;
}

export type PopupScreen =
  | { readonly is: "connecting" }
  | { readonly is: "silent" }
  | { readonly is: "none"; readonly playMoney: boolean }
  | HomeScreen
  | TopUpScreen;

export function screen(
  snapshot: WalletSnapshot | undefined,
  silent: boolean,
  local: PopupLocal,
  now: number,
): PopupScreen {
  if (snapshot === undefined) return { is: silent ? "silent" : "connecting" };
  const playMoney = snapshot.provider.sandbox;
  if (snapshot.state === "none") return { is: "none", playMoney };
  const common = { currency: snapshot.currency, playMoney, balance: snapshot.balance.total };
  if (local.page === "topUp") {
    return {
      is: "topUp",
      ...common,
      amounts: snapshot.topUpAmounts,
      busy: local.busy.includes("topUp"),
      error: local.error,
    };
  }
  const shown = local.showAll ? snapshot.payments : snapshot.payments.slice(0, PAYMENTS_SHOWN);
  return {
    is: "home",
    ...common,
    inFlight: snapshot.balance.inFlight > ZERO ? snapshot.balance.inFlight : null,
    cameBack: local.cameBack,
    canTopUp: !snapshot.frozen && snapshot.topUpAmounts.length > 0,
    notices: notices(snapshot, local, now),
    tip: local.tipSite && {
      merchantName: local.tipSite.merchantName,
      site: siteName(local.tipSite.origin),
      busy: local.busy.includes("tip"),
    },
    payments: shown.map((payment) => paymentRow(payment, local, now)),
    hiddenPayments: snapshot.payments.length - shown.length,
    allowances: snapshot.allowances.map((allowance) => allowanceRow(allowance, local)),
  };
}

/** The most pressing first: what went wrong, what waits for the reader, what the reader waits for, what can wait. */
function notices(snapshot: WalletSnapshot, local: PopupLocal, now: number): PopupNotice[] {
  const list: PopupNotice[] = [];
  if (local.error) list.push({ is: "error", error: local.error });
  if (snapshot.frozen) list.push({ is: "frozen" });
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
  if (!snapshot.phraseConfirmed) list.push({ is: "phrase" });
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

const STANDINGS: Readonly<Record<PaymentView["state"], string | null>> = {
  pending: "On its way",
  paid: null,
  refunding: "Coming back",
  refunded: "Money is back",
  failed: "Not charged",
};

function paymentRow(payment: PaymentView, local: PopupLocal, now: number): PaymentRow {
  const { id, title, merchantName, amount, state, refundableUntil } = payment;
  const canRefund = state === "paid" && refundableUntil !== null && refundableUntil > now;
  return {
    id,
    title: title || siteName(payment.origin),
    merchantName,
    amount,
    time: describeTime(payment.at, now),
    standing: STANDINGS[state],
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
