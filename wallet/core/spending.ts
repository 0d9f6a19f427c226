/**
 * What was spent, per day and per month, at each site and at all of them together. A payment counts from the moment in
 * which it is reserved, in the same transaction, and is taken out again, from the day and the month in which it was
 * counted, when it failed or was refunded. So a limit is judged by a few rows, and the history's chart is drawn from them.
 *
 * Nothing is ever "reset": another day has another row. A clock that is set back, or a journey across time zones,
 * comes to rows in which what was spent then still stands.
 */

import { monthOf } from "../../shared/calendar.ts";
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import type { StoreTables } from "./ports.ts";
import { ALL_SITES, type PaymentState, type PaymentSummary, type SpendingRow } from "./rows.ts";

/** What a period came to. */
export interface Spent {
  readonly spent: Micros;
  readonly unasked: Micros;
  readonly payments: number;
}

type Counted = Pick<PaymentSummary, "amount" | "day" | "origin" | "fromAllowance">;

const NOT_SPENT: readonly PaymentState[] = ["failed", "refunded"];

/** A day ("2026-11-29") or a month ("2026-11") at one site, or at all of them. */
export async function spentIn(tables: StoreTables, period: string, origin = ALL_SITES): Promise<Spent> {
  return (await tables.spending.get(keyOf(period, origin))) ?? { spent: ZERO, unasked: ZERO, payments: 0 };
}

/** Within the transaction that reserves the payment, or that restores them. */
export async function countIn(tables: StoreTables, ...counted: readonly Counted[]): Promise<void> {
  await changeRows(tables, counted, ({ spent, unasked, payments }, payment) => ({
    spent: add(spent, payment.amount),
    unasked: payment.fromAllowance ? add(unasked, payment.amount) : unasked,
    payments: payments + 1,
  }));
}

/** Within the transaction in which its money comes back. */
export async function countOut(tables: StoreTables, ...counted: readonly Counted[]): Promise<void> {
  await changeRows(tables, counted, ({ spent, unasked, payments }, payment) => ({
    spent: less(spent, payment.amount),
    unasked: payment.fromAllowance ? less(unasked, payment.amount) : unasked,
    payments: Math.max(0, payments - 1),
  }));
}

/** All of it anew, from the payments: after a restore, and for a store of the first version. */
export async function recount(tables: StoreTables): Promise<void> {
  const [before, payments] = await Promise.all([tables.spending.all(), tables.paymentSummaries.all()]);
  await tables.spending.removeAll(before.map(({ key }) => key));
  await tables.spending.putAll(countAll(payments));
}

/**
 * A site's rows anew, from those of its payments that are still kept. What was spent at all sites together stays: a limit
 * holds for what was forgotten, too.
 */
export async function recountSite(tables: StoreTables, origin: string): Promise<void> {
  const [before, payments] = await Promise.all([
    tables.spending.where("origin", origin),
    tables.paymentSummaries.where("origin", origin),
  ]);
  await tables.spending.removeAll(before.map(({ key }) => key));
  await tables.spending.putAll(countAll(payments).filter((row) => row.origin === origin));
}

/** What these payments come to, as rows. */
function countAll(payments: readonly PaymentSummary[]): SpendingRow[] {
  const rows = new Map<string, SpendingRow>();
  for (const payment of payments) {
    if (NOT_SPENT.includes(payment.state)) continue;
    for (const { period, origin } of placesOf(payment)) {
      const { spent, unasked, payments: count } = rows.get(keyOf(period, origin)) ?? emptyRow(period, origin);
      rows.set(keyOf(period, origin), {
        ...emptyRow(period, origin),
        spent: add(spent, payment.amount),
        unasked: payment.fromAllowance ? add(unasked, payment.amount) : unasked,
        payments: count + 1,
      });
    }
  }
  return [...rows.values()];
}

async function changeRows(
  tables: StoreTables,
  counted: readonly Counted[],
  change: (row: SpendingRow, payment: Counted) => Spent,
): Promise<void> {
  const places = counted.flatMap((payment) => placesOf(payment).map((place) => ({ payment, ...place })));
  // Each row once, however many payments it counts: a restore brings thousands.
  const rows = new Map<string, SpendingRow>();
  for (const { period, origin } of places) rows.set(keyOf(period, origin), emptyRow(period, origin));
  const kept = await Promise.all([...rows.keys()].map((key) => tables.spending.get(key)));
  for (const row of kept) if (row) rows.set(row.key, row);
  for (const { payment, period, origin } of places) {
    const row = rows.get(keyOf(period, origin));
    if (row) rows.set(row.key, { ...row, ...change(row, payment) });
  }
  await tables.spending.putAll([...rows.values()]);
}

/** Never below zero: whatever a row says, the coins that come back are not kept from the reader for it. */
function less(from: Micros, amount: Micros): Micros {
  return amount < from ? subtract(from, amount) : ZERO;
}

function placesOf({ day, origin }: Counted): { readonly period: string; readonly origin: string }[] {
  return [day, monthOf(day)].flatMap((period) => [
    { period, origin },
    { period, origin: ALL_SITES },
  ]);
}

function emptyRow(period: string, origin: string): SpendingRow {
  const unit = period.length === 10 ? "day" : "month";
  return {
    key: keyOf(period, origin),
    period,
    origin,
    series: seriesOf(unit, origin),
    spent: ZERO,
    unasked: ZERO,
    payments: 0,
  };
}

/** The rows of one site, or of all together, that make a chart over time. */
export function seriesOf(unit: "day" | "month", origin: string): string {
  return `${unit} ${origin}`;
}

function keyOf(period: string, origin: string): string {
  return `${period} ${origin}`;
}
