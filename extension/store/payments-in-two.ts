/**
 * Payments on the disk, each in two rows: a short one, by which it is found and listed, and the whole one. A browser reads a
 * row as a whole, and of a payment in a list most would be read for nothing (docs/decisions/0053).
 */
import type { PaymentIndex, StoreTable, StoreTables, TimedStoreTable } from "../../wallet/core/ports.ts";
import type { PaymentRow, PaymentSummary } from "../../wallet/core/rows.ts";

export type SummaryOf = (payment: PaymentRow) => PaymentSummary;

export function paymentsInTwo(
  short: TimedStoreTable<PaymentSummary, PaymentIndex>,
  long: StoreTable<PaymentRow, never>,
  summaryOf: SummaryOf,
): StoreTables["payments"] {
  // What has no second row was written before there were two, whole.
  const wholeOf = async (row: PaymentSummary): Promise<PaymentRow> =>
    (await long.get(row.id)) ?? (row as PaymentRow);
  const wholeOfAll = async (rows: Promise<readonly PaymentSummary[]>): Promise<PaymentRow[]> =>
    Promise.all((await rows).map(wholeOf));
  return {
    get: async (id) => {
      const row = await short.get(id);
      return row && wholeOf(row);
    },
    put: async (row) => {
      await Promise.all([short.put(summaryOf(row)), long.put(row)]);
    },
    putAll: async (rows) => {
      await Promise.all([short.putAll(rows.map(summaryOf)), long.putAll(rows)]);
    },
    remove: async (id) => {
      await Promise.all([short.remove(id), long.remove(id)]);
    },
    removeAll: async (ids) => {
      await Promise.all([short.removeAll(ids), long.removeAll(ids)]);
    },
    where: (index, value) => wholeOfAll(short.where(index, value)),
    all: () => wholeOfAll(short.all()),
    newest: (limit, span) => wholeOfAll(short.newest(limit, span)),
  };
}
