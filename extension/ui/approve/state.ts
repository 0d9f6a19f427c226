/**
 * What the approval window shows, as data. The question itself lives in the background's store and comes with the
 * snapshot; it moves on by itself:
 *
 *   short ──(balance is there)──> asking ──(Pay)──> paying ──> paid, and the window closes
 *                                   │                  └─────> failed
 *                                   └──(Not now, Escape)──> closed
 *
 * `short` is the article that costs more than there is, or the tip whose least amount does. The offer is kept.
 */
import type { ErrorCode } from "../../../shared/errors.ts";
import { add, isPayableInCoins, type Micros, micros, subtract, ZERO } from "../../../shared/money.ts";
import type { PrivacySituation } from "../../../shared/privacy.ts";
import type { PageError } from "../../../shared/protocol/page.ts";
import type { ApprovalView, BudgetView, TopUpView, WalletSnapshot } from "../../../shared/protocol/ui.ts";
import { exampleOf, formatMoney, parseMoney, shortMoney } from "../shared/money.ts";
import { siteName } from "../shared/site.ts";
import { t } from "../shared/text.tsx";
import { describeWithin } from "../shared/time.ts";
import { type TopUpOffer, topUpOffer } from "../shared/top-up-offer.ts";

/** For so long "Paid" stands before the window closes. */
export const PAID_SHOWN_MS = 900;
const TIP_PRESETS = 4;
const ALLOWANCE_CHOICES = 3;

const UNIT = 1_000_000n;
const EXAMPLE = micros(750_000);
/** Whole units in 1-2-5 steps; the limits that are offered are the first ones that reach the price. */
const LIMITS: readonly Micros[] = [1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n, 1_000n].map((units) =>
  micros(units * UNIT),
);
const TIPS: readonly Micros[] = [5n, 10n, 25n, 50n, 100n, 200n, 500n, 1_000n, 2_000n, 5_000n].map((cents) =>
  micros(cents * 10_000n),
);

/** What the reader did in this window. */
export interface ApproveLocal {
  readonly sent: "approve" | "decline" | null;
  readonly error: PageError | null;
  readonly dontAskAgain: boolean;
  readonly limit: Micros | null;
  readonly tip: Micros | null;
  /** Null while a preset is chosen. */
  readonly ownAmount: string | null;
  readonly toppingUp: boolean;
  /** The reader agrees that this goes beyond the monthly limit. */
  readonly beyondMonth: boolean;
}

export const LOCAL_AT_START: ApproveLocal = {
  sent: null,
  error: null,
  dontAskAgain: false,
  limit: null,
  tip: null,
  ownAmount: null,
  toppingUp: false,
  beyondMonth: false,
};

/** What stands on every screen with a question. */
export interface Question {
  readonly kind: ApprovalView["kind"];
  readonly merchantName: string;
  readonly site: string;
  readonly title: string;
  readonly currency: string;
}

export interface TipChoice {
  readonly presets: readonly Micros[];
  /** The preset that is chosen; null with an own amount. */
  readonly chosen: Micros | null;
  readonly ownAmount: string | null;
  readonly least: Micros;
  readonly most: Micros;
}

export interface AllowanceChoice {
  readonly choices: readonly Micros[];
  readonly checked: boolean;
  readonly limit: Micros;
}

/** What the payment goes beyond the monthly limit, and whether the reader agrees to that as well. */
export interface BeyondMonth {
  readonly over: Micros;
  readonly limit: Micros;
  readonly agreed: boolean;
}

/** Of a limit, what is left. */
export interface Left {
  readonly left: Micros;
  readonly limit: Micros;
}

export interface AskingScreen extends Question {
  readonly is: "asking";
  /** Nothing is paid, by the reader's own wish. */
  readonly paused: boolean;
  /** Why a site that has an allowance asks all the same. */
  readonly why: string | null;
  readonly beyond: BeyondMonth | null;
  /** Of the month, after this payment. */
  readonly monthAfter: Left | null;
  /** Of what the site is paid without asking; `of` says until when. */
  readonly siteLeft: (Left & { readonly of: BudgetView["of"] }) | null;
  /** Null while the reader's own amount is none; `problem` says why. */
  readonly amount: Micros | null;
  readonly problem: string | null;
  readonly balanceAfter: Micros | null;
  readonly refundWindow: string | null;
  /** The merchant's own words. */
  readonly refundPolicy: string | null;
  readonly tip: TipChoice | null;
  readonly allowance: AllowanceChoice | null;
  readonly declining: boolean;
  readonly error: PageError | null;
  readonly privacy: PrivacySituation;
}

export interface ShortScreen extends Question {
  readonly is: "short";
  readonly amount: Micros;
  readonly missing: Micros;
  /** Nothing can be topped up then. */
  readonly frozen: boolean;
  readonly topUps: TopUpOffer;
  /** The checkout page is open: the newest one that is. */
  readonly waitingFor: TopUpView | null;
  readonly busy: boolean;
  readonly error: PageError | null;
}

export type ApproveScreen =
  | { readonly is: "locked" }
  | { readonly is: "connecting" | "silent" | "gone" | "closed" }
  /** No question: what the reader asked for in the menu or with the keys cannot be. */
  | { readonly is: "problem"; readonly code: ErrorCode }
  | AskingScreen
  | ShortScreen
  | ({ readonly is: "paying" | "paid"; readonly amount: Micros } & Question)
  | ({ readonly is: "failed"; readonly error: PageError | null } & Question);

export function screen(
  snapshot: WalletSnapshot | undefined,
  silent: boolean,
  approvalId: string,
  local: ApproveLocal,
): ApproveScreen {
  if (snapshot === undefined) return { is: silent ? "silent" : "connecting" };
  const approval = snapshot.approvals.find(({ id }) => id === approvalId);
  if (snapshot.state === "locked") return { is: "locked" };
  // The background forgets a question soon after it is over.
  if (approval === undefined) return { is: local.sent === "decline" ? "closed" : "gone" };
  const { kind, merchantName, origin, title, state } = approval;
  const question: Question = {
    kind,
    merchantName,
    site: siteName(origin),
    title,
    currency: snapshot.currency,
  };
  switch (state) {
    case "declined":
      return { is: "closed" };
    case "approved":
    case "paying":
      return {
        is: "paying",
        ...question,
        amount: chosenAmount(approval, snapshot, local) ?? approval.amount,
      };
    case "paid":
      return { is: "paid", ...question, amount: chosenAmount(approval, snapshot, local) ?? approval.amount };
    case "failed":
      return { is: "failed", ...question, error: approval.error };
    case "asking":
      return unanswered(approval, question, snapshot, local);
  }
}

function unanswered(
  approval: ApprovalView,
  question: Question,
  snapshot: WalletSnapshot,
  local: ApproveLocal,
): ApproveScreen {
  const available = availableFor(approval, snapshot);
  const least = approval.kind === "tip" ? approval.least : approval.amount;
  if (available < least) {
    return {
      is: "short",
      ...question,
      amount: least,
      missing:
        approval.kind === "tip"
          ? subtract(least, available)
          : (approval.missing ?? subtract(least, available)),
      frozen: snapshot.frozen,
      topUps: topUpOffer(snapshot),
      waitingFor: snapshot.topUps.find(({ state }) => state === "open") ?? null,
      busy: local.toppingUp,
      error: local.error,
    };
  }
  const amount = chosenAmount(approval, snapshot, local);
  const problem =
    amount === null
      ? t("approve_problem_no_amount", { example: exampleOf(EXAMPLE) })
      : problemWith(amount, approval, available, snapshot.currency);
  if (local.sent === "approve" && amount !== null) return { is: "paying", ...question, amount };
  return {
    is: "asking",
    ...question,
    amount: problem === null ? amount : null,
    problem: approval.kind === "tip" ? problem : null,
    balanceAfter: amount !== null && problem === null ? subtract(available, amount) : null,
    paused: snapshot.paused,
    why: approval.kind === "article" ? whyAsked(approval.reason, snapshot.currency) : null,
    beyond: amount === null ? null : beyondMonth(approval, amount, local),
    monthAfter: amount === null ? null : monthAfter(approval, amount),
    siteLeft: approval.kind === "article" ? siteLeft(approval) : null,
    refundWindow: approval.refundWindowSeconds > 0 ? describeWithin(approval.refundWindowSeconds) : null,
    refundPolicy: approval.refundPolicy,
    tip: approval.kind === "tip" ? tipChoice(approval, snapshot, local) : null,
    allowance: approval.kind === "article" ? allowanceChoice(approval, local) : null,
    declining: local.sent === "decline",
    error: local.error,
    privacy: privacyOf(approval, amount, snapshot),
  };
}

/** Of the amount that the reader chose: where that is another than the question's, nobody has looked whether coins fit. */
function privacyOf(
  { privacy, amount: asked }: ApprovalView,
  amount: Micros | null,
  { balance }: WalletSnapshot,
): PrivacySituation {
  if (amount === null || amount === asked) return privacy;
  return { ...privacy, hasChange: true, isShort: amount > balance.coins };
}

export interface Approved {
  readonly amount: Micros;
  readonly allowance?: Micros;
  readonly beyondMonth?: boolean;
}

/**
 * What `decide` is sent for an approval of this screen. Undefined where there is nothing to approve. The amount goes along
 * always: whatever the page did to its offer meanwhile, the reader pays what stood here or nothing.
 */
export function approvalOf(asking: AskingScreen): Approved | undefined {
  if (asking.amount === null || asking.paused || asking.beyond?.agreed === false) return undefined;
  return {
    amount: asking.amount,
    ...(asking.beyond ? { beyondMonth: true } : {}),
    ...(asking.allowance?.checked ? { allowance: asking.allowance.limit } : {}),
  };
}

/** From the question's own figures, so that window and background cannot come to two results. */
function availableFor(approval: ApprovalView, snapshot: WalletSnapshot): Micros {
  const { balanceAfter, missing, amount } = approval;
  if (balanceAfter !== null) return add(balanceAfter, amount);
  if (missing !== null && missing <= amount) return subtract(amount, missing);
  return snapshot.balance.total;
}

/** Null: the reader's own words are no amount. */
function chosenAmount(approval: ApprovalView, snapshot: WalletSnapshot, local: ApproveLocal): Micros | null {
  if (approval.kind === "article") return approval.amount;
  if (local.ownAmount !== null) return parseMoney(local.ownAmount, snapshot.currency) ?? null;
  return local.tip ?? tipAtStart(approval, availableFor(approval, snapshot));
}

/** What the page suggests, or the most of the presets that the balance reaches. */
function tipAtStart(approval: ApprovalView, available: Micros): Micros {
  const affordable = tipPresets(approval).filter(
    (preset) => preset <= available && preset <= approval.amount,
  );
  return affordable.at(-1) ?? approval.least;
}

function problemWith(
  amount: Micros,
  approval: ApprovalView,
  available: Micros,
  currency: string,
): string | null {
  if (amount < approval.least)
    return t("approve_problem_least", { amount: formatMoney(approval.least, currency) });
  if (amount > approval.most)
    return t("approve_problem_most", { amount: formatMoney(approval.most, currency) });
  if (!isPayableInCoins(amount)) return t("approve_problem_too_fine");
  if (amount > available) return t("approve_problem_balance", { amount: formatMoney(available, currency) });
  return null;
}

function tipChoice(approval: ApprovalView, snapshot: WalletSnapshot, local: ApproveLocal): TipChoice {
  return {
    presets: tipPresets(approval),
    chosen: local.ownAmount === null ? chosenAmount(approval, snapshot, local) : null,
    ownAmount: local.ownAmount,
    least: approval.least,
    most: approval.most,
  };
}

/** The suggested amount among its neighbours, within the range. */
export function tipPresets({
  amount,
  least,
  most,
}: Pick<ApprovalView, "amount" | "least" | "most">): readonly Micros[] {
  const within = [...TIPS, amount, least].filter((tip) => tip >= least && tip <= most && tip > ZERO);
  const sorted = [...new Set(within)].sort((a, b) => (a < b ? -1 : 1));
  const start = Math.max(0, Math.min(sorted.indexOf(amount) - 1, sorted.length - TIP_PRESETS));
  return sorted.slice(start, start + TIP_PRESETS);
}

/**
 * Null where no offered limit reaches the price, or where a site's limit for a month would not help: this does not fit into
 * one for a day or a payment, or into that of all sites.
 */
function allowanceChoice(approval: ApprovalView, local: ApproveLocal): AllowanceChoice | null {
  const { amount, budgets, reason } = approval;
  if (reason?.of === "site_day" || reason?.of === "site_payment" || reason?.of === "month") return null;
  // What the site was paid without asking already counts in another limit for this month, too.
  const month = budgets.find(({ of }) => of === "site_month" || of === "site_total");
  const used = month === undefined ? ZERO : subtract(month.limit, month.left);
  const choices = LIMITS.filter((limit) => limit >= add(used, amount)).slice(0, ALLOWANCE_CHOICES);
  const [first] = choices;
  if (first === undefined) return null;
  const limit = local.limit !== null && choices.includes(local.limit) ? local.limit : first;
  return { choices, checked: local.dontAskAgain, limit };
}

function whyAsked(reason: BudgetView | null, currency: string): string | null {
  if (reason === null) return null;
  const values = { limit: shortMoney(reason.limit, currency), left: formatMoney(reason.left, currency) };
  switch (reason.of) {
    case "site_payment":
      return t("approve_over_site_payment", values);
    case "site_day":
      return t(reason.left > ZERO ? "approve_over_site_day" : "approve_over_site_day_empty", values);
    case "site_month":
      return t(reason.left > ZERO ? "approve_over_site_month" : "approve_over_site_month_empty", values);
    case "site_total":
      return t(reason.left > ZERO ? "approve_over_site_total" : "approve_over_site_total_empty", values);
    // That is said with what is asked for beside the payment.
    case "month":
      return null;
  }
}

function monthOf({ budgets }: ApprovalView): BudgetView | undefined {
  return budgets.find(({ of }) => of === "month");
}

function beyondMonth(approval: ApprovalView, amount: Micros, local: ApproveLocal): BeyondMonth | null {
  const month = monthOf(approval);
  if (month === undefined || amount <= month.left) return null;
  return { over: subtract(amount, month.left), limit: month.limit, agreed: local.beyondMonth };
}

function monthAfter(approval: ApprovalView, amount: Micros): Left | null {
  const month = monthOf(approval);
  if (month === undefined) return null;
  return { limit: month.limit, left: amount < month.left ? subtract(month.left, amount) : ZERO };
}

/** The budget of which least is left. */
function siteLeft({ budgets }: ApprovalView): AskingScreen["siteLeft"] {
  const site = budgets.filter(({ of }) => of === "site_day" || of === "site_month" || of === "site_total");
  return site.toSorted((a, b) => (a.left < b.left ? -1 : 1))[0] ?? null;
}
