/**
 * Budgets: what may be spent, and what of it without asking.
 *
 *   a site's allowance     up to so much a payment, a day, a month, without asking. Counts what was paid without asking.
 *   the monthly limit      over all sites. Counts everything that left the wallet for merchants, asked about or not, tips too.
 *
 * Both are judged in the transaction that takes the money, so that of two payments at once only one may fit. What the reader
 * has agreed to counts from that moment on, in the month of that moment, though its coins are reserved a little later.
 */

import { dayOf, monthOf } from "../../shared/calendar.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import type { UiRequestOf } from "../../shared/protocol/ui.ts";
import type { Context } from "./context.ts";
import type { StoreTables } from "./ports.ts";
import type { AllowanceRow, Order, PaymentRow, SettingsRow } from "./rows.ts";
import { readSettings } from "./settings.ts";
import { countIn, countOut, spentIn } from "./spending.ts";

export type BudgetName = "site_payment" | "site_day" | "site_month" | "site_total" | "month";

/** A limit, and what of it is left now. */
export interface Budget {
  readonly of: BudgetName;
  readonly limit: Micros;
  readonly left: Micros;
}

/** How things stand for a site at a moment. */
export interface Standing {
  readonly day: string;
  readonly settings: SettingsRow;
  readonly allowance: AllowanceRow | undefined;
  /** Of the allowance; empty where there is none. */
  readonly site: readonly Budget[];
  /** Undefined where the reader set no limit. */
  readonly month: Budget | undefined;
}

export async function standingAt(tables: StoreTables, origin: string, nowMs: number): Promise<Standing> {
  const day = dayOf(nowMs);
  const [settings, allowance, today, thisMonth, month] = await Promise.all([
    readSettings(tables),
    tables.allowances.get(origin),
    spentIn(tables, day, origin),
    spentIn(tables, monthOf(day), origin),
    monthTaken(tables, monthOf(day)),
  ]);
  return {
    day,
    settings,
    allowance,
    site: allowance ? budgetsOf(allowance, today.unasked, thisMonth.unasked) : [],
    month: monthBudget(settings, month),
  };
}

export function budgetsOf(
  { perPayment, perDay, perMonth, total }: AllowanceRow,
  unaskedToday: Micros,
  unaskedThisMonth: Micros,
): Budget[] {
  return [
    budget("site_payment", perPayment, ZERO),
    budget("site_day", perDay, unaskedToday),
    budget("site_month", perMonth, unaskedThisMonth),
    budget("site_total", total?.limit, total?.spent ?? ZERO),
  ].filter((found) => found !== undefined);
}

export function monthBudget({ monthlyLimit }: SettingsRow, taken: Micros): Budget | undefined {
  return budget("month", monthlyLimit, taken);
}

/** What was spent in a month at all sites, and what the reader has agreed to and is being made ready. */
export async function monthTaken(tables: StoreTables, month: string): Promise<Micros> {
  const [{ spent }, approved] = await Promise.all([
    spentIn(tables, month),
    tables.approvals.where("state", "approved"),
  ]);
  const agreed = approved.filter(({ day }) => day !== undefined && monthOf(day) === month);
  return add(spent, ...agreed.map(({ amount, order }) => amount ?? order.amount));
}

/** The first budget that this amount does not fit into: why the reader is asked. */
export function exceeded({ site, month }: Standing, amount: Micros): Budget | undefined {
  return [...site, ...(month ? [month] : [])].find(({ left }) => left < amount);
}

export function isBeyondMonth({ month }: Standing, amount: Micros): boolean {
  return month !== undefined && month.left < amount;
}

/** Within every budget, so without asking. A tip is always asked about: its amount is the reader's. */
export function isCovered(standing: Standing, order: Order): boolean {
  return (
    order.kind === "article" &&
    standing.allowance?.merchant === order.merchant &&
    exceeded(standing, order.amount) === undefined
  );
}

/** Within the transaction that reserves the payment, after which this much less is left. */
export async function takeBudget(tables: StoreTables, payment: PaymentRow): Promise<void> {
  await Promise.all([
    countIn(tables, payment),
    changeTotal(tables, payment, (spent) => add(spent, payment.amount)),
  ]);
}

/** Within the transaction in which the payment failed or its money came back. */
export async function giveBudgetBack(tables: StoreTables, payment: PaymentRow): Promise<void> {
  await Promise.all([
    countOut(tables, payment),
    changeTotal(tables, payment, (spent) =>
      spent < payment.amount ? ZERO : subtract(spent, payment.amount),
    ),
  ]);
}

/** Only the sum that the payment was taken from: another may have been agreed to since. */
async function changeTotal(
  tables: StoreTables,
  payment: PaymentRow,
  change: (spent: Micros) => Micros,
): Promise<void> {
  if (!payment.fromAllowance) return;
  const allowance = await tables.allowances.get(payment.origin);
  if (!allowance?.total || allowance.merchant !== payment.order.merchant || allowance.at > payment.at) return;
  const { limit, spent } = allowance.total;
  await tables.allowances.put({ ...allowance, total: { limit, spent: change(spent) } });
}

/** What the reader agrees to beside a payment: from now on so much a month at this site, without asking. */
export async function allowPerMonth(
  tables: StoreTables,
  { origin, merchant, merchantName }: Order,
  perMonth: Micros,
  nowMs: number,
): Promise<void> {
  const before = await tables.allowances.get(origin);
  const kept = before?.merchant === merchant ? before : undefined;
  await tables.allowances.put({
    origin,
    merchant,
    merchantName,
    perPayment: kept?.perPayment,
    perDay: kept?.perDay,
    perMonth,
    total: undefined,
    at: nowMs,
  });
}

/**
 * The allowance of a site that the reader has dealt with, as a whole.
 * @throws TuppenceError not_found, request_invalid where neither a day nor a month has an end
 */
export async function setAllowance(
  context: Context,
  { origin, perPayment, perDay, perMonth }: UiRequestOf<"setAllowance">,
): Promise<void> {
  if (perDay === null && perMonth === null) throw new TuppenceError("request_invalid");
  const nowMs = context.nowMs();
  await context.store.transaction(async (tables) => {
    const allowance = await tables.allowances.get(origin);
    const payment = await tables.paymentSummaries.find("origin", origin, ({ state }) => state !== "failed");
    const merchant = allowance ?? payment?.order;
    if (!merchant) throw new TuppenceError("not_found");
    await tables.allowances.put({
      origin,
      merchant: merchant.merchant,
      merchantName: merchant.merchantName,
      perPayment: perPayment ?? undefined,
      perDay: perDay ?? undefined,
      perMonth: perMonth ?? undefined,
      total: undefined,
      at: nowMs,
    });
  });
  context.changed();
}

function budget(of: BudgetName, limit: Micros | undefined, taken: Micros): Budget | undefined {
  return limit === undefined ? undefined : { of, limit, left: taken < limit ? subtract(limit, taken) : ZERO };
}
