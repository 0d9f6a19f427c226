/** What the section "Spending" shows, as data: a month or a year as a chart, by site, and payment by payment. */

import { dayOf, monthOf, monthsOf } from "../../../../shared/calendar.ts";
import { add, type Micros, subtract, ZERO } from "../../../../shared/money.ts";
import type { RefundReason } from "../../../../shared/protocol/fields.ts";
import type {
  BudgetView,
  HistoryPage,
  HistoryPlace,
  PaymentDetail,
  PaymentView,
  SpendingView,
  UiRequestJson,
  WalletSnapshot,
} from "../../../../shared/protocol/ui.ts";
import { errorText } from "../../shared/error-text.ts";
import { dateFormat } from "../../shared/formats.ts";
import { type Route, writeRoute } from "../../shared/route.ts";
import { siteName } from "../../shared/site.ts";
import { type TextKey, t, textLocale } from "../../shared/text.tsx";

const STATES: readonly PaymentView["state"][] = ["pending", "paid", "refunding", "refunded", "failed"];

/** What the address asks for. */
export interface Place {
  /** "2026-11" or "2026": what the chart is of. */
  readonly period: string;
  /** Within it, what the list is of; null is all of it. */
  readonly day: string | null;
  readonly site: string | null;
  readonly state: PaymentView["state"] | null;
  /** Looks through everything, whatever the period. */
  readonly search: string;
  /** Set where one payment is looked at. */
  readonly paymentId: string | null;
}

export function placeOf({ path, chosen }: Route, now: number): Place {
  const period = /^\d{4}(-(0[1-9]|1[0-2]))?$/.test(chosen.period ?? "") ? chosen.period : undefined;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(chosen.day ?? "") ? chosen.day : undefined;
  const site = chosen.site;
  return {
    period: period ?? monthOf(dayOf(now)),
    day: day?.startsWith(period ?? "") ? day : null,
    site: site !== undefined && URL.canParse(site) && new URL(site).origin === site ? site : null,
    state: STATES.find((state) => state === chosen.state) ?? null,
    search: (chosen.search ?? "").slice(0, 100),
    paymentId: path[0] === "payment" ? (path[1] ?? null) : null,
  };
}

/** The chart's figures, and what they come to by site. */
export function spendingRequest({ period, site }: Place): UiRequestJson {
  return { kind: "ui", type: "spending", period, ...(site === null ? {} : { site }) };
}

/** The payments of this place, newest first; those after `after` of an answer before. */
export function historyRequest(
  { period, day, site, state, search }: Place,
  after: HistoryPlace | null = null,
): UiRequestJson {
  return {
    kind: "ui",
    type: "history",
    ...(search === "" ? { period: day ?? period } : { search }),
    ...(site === null ? {} : { site }),
    ...(state === null ? {} : { state }),
    ...(after === null ? {} : { after }),
  };
}

export function addressOf(place: Place, changed: Partial<Place> = {}): string {
  const { period, day, site, state, search } = { ...place, ...changed };
  return writeRoute("spending", [], {
    period,
    day: day ?? undefined,
    site: site ?? undefined,
    state: state ?? undefined,
    search,
  });
}

function paymentAddress(id: string): string {
  return writeRoute("spending", ["payment", id]);
}

export interface Bar {
  readonly key: string;
  /** "3" or "Nov": under the bar. */
  readonly label: string;
  /** "Tuesday, November 3": read aloud, and shown. */
  readonly name: string;
  readonly spent: Micros;
  readonly payments: number;
  /** Of the highest bar, in thousandths. */
  readonly height: number;
  readonly address: string;
  readonly chosen: boolean;
}

export interface SiteRow {
  readonly origin: string | null;
  readonly name: string;
  readonly spent: Micros;
  readonly payments: number;
  /** Of the first site, in thousandths. */
  readonly width: number;
  readonly address: string | null;
  readonly chosen: boolean;
}

export interface Overview {
  readonly title: string;
  readonly isYear: boolean;
  readonly currency: string;
  readonly spent: Micros;
  readonly payments: number;
  /** Null where there is no limit, or the month is not this one. */
  readonly budget: BudgetView | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly month: string;
  readonly year: string;
  /** The amount at the top of the chart. */
  readonly top: Micros;
  readonly bars: readonly Bar[];
  readonly sites: readonly SiteRow[];
}

export function overview(
  place: Place,
  spending: SpendingView,
  snapshot: WalletSnapshot,
  now: number,
): Overview {
  const { period, site } = place;
  const isYear = period.length === 4;
  const thisMonth = monthOf(dayOf(now));
  const highest = highestOf(spending.over);
  return {
    title: periodName(period),
    isYear,
    currency: snapshot.currency,
    spent: spending.spent,
    payments: spending.payments,
    budget: period === thisMonth && site === null ? snapshot.month.budget : null,
    before: steppedTo(place, -1, spending.first ?? thisMonth, thisMonth),
    after: steppedTo(place, 1, spending.first ?? thisMonth, thisMonth),
    month: addressOf(place, { period: isYear ? monthWithin(period, thisMonth) : period, day: null }),
    year: addressOf(place, { period: period.slice(0, 4), day: null }),
    top: highest,
    bars: spending.over.map(({ period: key, spent, payments }) => ({
      key,
      label: isYear ? shortMonth(key) : String(Number(key.slice(8))),
      name: periodName(key),
      spent,
      payments,
      height: share(spent, highest),
      address: isYear
        ? addressOf(place, { period: key, day: null })
        : addressOf(place, { day: key === place.day ? null : key }),
      chosen: key === place.day,
    })),
    sites: siteRows(place, spending),
  };
}

function siteRows(place: Place, { sites, spent, payments }: SpendingView): SiteRow[] {
  const known = add(...sites.map((row) => row.spent));
  const forgotten = {
    spent: place.site === null && known < spent ? subtract(spent, known) : ZERO,
    payments: payments - sites.reduce((sum, row) => sum + row.payments, 0),
  };
  const most = highestOf([...sites, forgotten]);
  const rows = sites.map((row): SiteRow => {
    const chosen = row.origin === place.site;
    return {
      origin: row.origin,
      name: siteName(row.origin),
      spent: row.spent,
      payments: row.payments,
      width: share(row.spent, most),
      address: addressOf(place, { site: chosen ? null : row.origin }),
      chosen,
    };
  });
  if (forgotten.spent === ZERO) return rows;
  const rest: SiteRow = {
    origin: null,
    name: t("options_forgotten_sites"),
    ...forgotten,
    width: share(forgotten.spent, most),
    address: null,
    chosen: false,
  };
  return [...rows, rest];
}

function highestOf(parts: readonly { readonly spent: Micros }[]): Micros {
  return parts.map(({ spent }) => spent).toSorted((a, b) => (a < b ? 1 : -1))[0] ?? ZERO;
}

export interface HistoryRow {
  readonly id: string;
  readonly title: string;
  readonly site: string;
  readonly time: string;
  readonly amount: Micros;
  readonly standing: string | null;
  readonly struck: boolean;
  readonly address: string;
}

export interface HistoryDay {
  readonly day: string;
  readonly name: string;
  readonly rows: readonly HistoryRow[];
}

/** By day, newest first, as they come. */
export function historyDays(payments: readonly PaymentView[]): HistoryDay[] {
  const days: { day: string; name: string; rows: HistoryRow[] }[] = [];
  for (const payment of payments) {
    const day = dayOf(payment.at);
    const last = days.at(-1);
    const row = historyRow(payment);
    if (last?.day === day) last.rows.push(row);
    else days.push({ day, name: periodName(day), rows: [row] });
  }
  return days;
}

const STANDINGS: Readonly<Record<PaymentView["state"], TextKey | null>> = {
  pending: "payment_pending",
  paid: null,
  refunding: "payment_refunding",
  refunded: "payment_refunded",
  failed: "payment_failed",
};

function historyRow(payment: PaymentView): HistoryRow {
  const { id, title, origin, at, amount, state } = payment;
  const standing = payment.askedBack ? "payment_asked" : STANDINGS[state];
  return {
    id,
    title: title || siteName(origin),
    site: siteName(origin),
    time: dateFormat(textLocale(), { hour: "numeric", minute: "2-digit" }).format(at),
    amount,
    standing: standing === null ? null : t(standing),
    struck: state === "refunded" || state === "failed",
    address: paymentAddress(id),
  };
}

/** A page that was read again takes the place of what it covers of those that were read before. */
export function withFirstPage(before: HistoryPage, first: HistoryPage): HistoryPage {
  const end = first.payments.at(-1);
  if (first.next === null || end === undefined) return first;
  const ids = new Set(first.payments.map(({ id }) => id));
  const rest = before.payments.filter(({ id, at }) => !ids.has(id) && at <= end.at);
  if (rest.length === 0) return first;
  return { ...first, payments: [...first.payments, ...rest], next: before.next };
}

export interface Detail {
  readonly id: string;
  readonly title: string;
  readonly merchantName: string;
  readonly origin: string;
  readonly site: string;
  readonly time: string;
  readonly amount: Micros;
  readonly currency: string;
  readonly kind: PaymentView["kind"];
  /** What became of it, in words. */
  readonly said: string;
  readonly state: PaymentView["state"];
  readonly unasked: boolean;
  readonly privacy: PaymentDetail["privacy"];
  readonly article: string | null;
  /** Until when one click brings the money back; null where none does. */
  readonly refundUntil: string | null;
  /** There was a time for that, and it is over. */
  readonly refundOver: boolean;
  /** The merchant may have given it back since; only asking tells, and only the reader asks. */
  readonly canFetch: boolean;
  /** It was asked back, and the merchant decides. */
  readonly askedBack: boolean;
  /** The merchant's own words on refunds. */
  readonly refundPolicy: string | null;
  /** What the merchant was told, in words. */
  readonly toldReason: string | null;
  readonly receipt: PaymentDetail["receipt"];
  readonly issuedAt: string;
  readonly canForget: boolean;
}

/** `live` is the same payment as the last snapshot has it: it may have moved on since. */
export function detail(
  { payment, unasked, privacy, receipt, refundWindowSeconds, refundPolicy, refundReason }: PaymentDetail,
  live: PaymentView | undefined,
  currency: string,
  now: number,
): Detail {
  const current = live ?? payment;
  const { id, title, merchantName, origin, at, amount, kind, state, refundableUntil, resource } = current;
  const { askedBack } = current;
  const isOpen = state === "paid" && refundableUntil !== null && refundableUntil > now;
  return {
    id,
    title: title || siteName(origin),
    merchantName,
    origin,
    site: siteName(origin),
    time: fullTime(at),
    amount,
    currency,
    kind,
    said: saidOf(current),
    state,
    unasked,
    privacy,
    article: /^https?:/.test(resource) ? resource : null,
    refundUntil: isOpen ? fullTime(refundableUntil) : null,
    refundOver: state === "paid" && !isOpen && refundWindowSeconds > 0,
    canFetch: state === "paid" && !isOpen,
    askedBack,
    refundPolicy,
    toldReason: refundReason === null ? null : t(REASONS[refundReason]),
    receipt,
    issuedAt: receipt === null ? "" : fullTime(receipt.issuedAt * 1_000),
    canForget: state !== "pending" && state !== "refunding",
  };
}

/** In the order in which they are offered. */
export const REASONS: Readonly<Record<RefundReason, TextKey>> = {
  not_as_described: "payment_reason_not_as_described",
  did_not_open: "payment_reason_did_not_open",
  already_have_it: "payment_reason_already_have_it",
  changed_mind: "payment_reason_changed_mind",
};

function saidOf({ state, error, unopened }: PaymentView): string {
  switch (state) {
    case "pending":
      return t("payment_said_pending");
    case "paid":
      return error === null
        ? t("payment_said_paid")
        : `${t("payment_said_paid")} ${errorText(error.code).join(" ")}`;
    case "refunding":
      return t(unopened ? "payment_said_refunding_unopened" : "payment_said_refunding");
    case "refunded":
      return t(unopened ? "payment_said_refunded_unopened" : "payment_said_refunded");
    case "failed":
      return error === null ? t("payment_said_failed") : errorText(error.code).join(" ");
  }
}

export function periodName(period: string): string {
  const [year = 1970, month = 1, day = 1] = period.split("-").map(Number);
  const parts: Intl.DateTimeFormatOptions =
    period.length === 4
      ? { year: "numeric" }
      : period.length === 7
        ? { year: "numeric", month: "long" }
        : { weekday: "long", month: "long", day: "numeric" };
  return dateFormat(textLocale(), parts).format(new Date(year, month - 1, day));
}

function shortMonth(month: string): string {
  const [year = 1970, number = 1] = month.split("-").map(Number);
  return dateFormat(textLocale(), { month: "short" }).format(new Date(year, number - 1, 1));
}

function fullTime(at: number): string {
  return dateFormat(textLocale(), { dateStyle: "long", timeStyle: "short" }).format(at);
}

/** The period before or after, within what there is; null where there is none. */
function steppedTo(place: Place, step: 1 | -1, first: string, last: string): string | null {
  const { period } = place;
  const length = period.length;
  const next = length === 4 ? String(Number(period) + step).padStart(4, "0") : stepMonth(period, step);
  if (step === -1 ? next < first.slice(0, length) : next > last.slice(0, length)) return null;
  return addressOf(place, { period: next, day: null });
}

function stepMonth(month: string, step: 1 | -1): string {
  const [year = 1970, number = 1] = month.split("-").map(Number);
  const months = monthsOf(String(year));
  const next = months[number - 1 + step];
  if (next !== undefined) return next;
  return step === 1 ? `${year + 1}-01` : `${year - 1}-12`;
}

function monthWithin(year: string, thisMonth: string): string {
  return thisMonth.startsWith(year) ? thisMonth : `${year}-12`;
}

/** In thousandths; at least one where there is anything. */
function share(part: Micros, whole: Micros): number {
  if (whole <= ZERO) return 0;
  const thousandths = Number((part * 1_000n) / whole);
  return part > ZERO ? Math.max(thousandths, 1) : 0;
}
