/**
 * Payments on the disk, each in two rows: a short one, by which it is found and listed, and the whole one. A browser reads a
 * row as a whole, and of a payment in a list most would be read for nothing (docs/decisions/0053).
 */
import type { StoreTable, StoreTables, TimedStoreTable } from "../../wallet/core/ports.ts";
import type { PaymentRow, PaymentSummary } from "../../wallet/core/rows.ts";

/** Whatever rows it has. */
export type AnyTable = TimedStoreTable<object, never>;

export type SummaryOf = (payment: PaymentRow) => PaymentSummary;

export function paymentsInTwo(
  summaries: AnyTable,
  whole: AnyTable,
  summaryOf: SummaryOf,
): StoreTables["payments"] {
  // What lies on the disk is ours, and was written as this.
  const short = summaries as unknown as TimedStoreTable<PaymentRow, keyof PaymentRow>;
  const long = whole as unknown as StoreTable<PaymentRow, never>;
  const wholeOf = async (row: PaymentRow): Promise<PaymentRow> => (await long.get(row.id)) ?? row;
  const wholeOfAll = async (rows: Promise<readonly PaymentRow[]>): Promise<PaymentRow[]> =>
    Promise.all((await rows).map(wholeOf));
  return {
    get: async (id) => (await long.get(id)) ?? short.get(id),
    put: async (row) => {
      await Promise.all([summaries.put(summaryOf(row)), long.put(row)]);
    },
    putAll: async (rows) => {
      await Promise.all([summaries.putAll(rows.map(summaryOf)), long.putAll(rows)]);
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
