/** A wallet's store that tells, after each transaction, which rows it wrote. */
import type { StoreTables, WalletStore } from "../../wallet/core/index.ts";
import type { AllowanceRow, PaymentRow, SettingsRow } from "../../wallet/core/rows.ts";

export interface Written {
  readonly payments: readonly PaymentRow[];
  readonly allowances: readonly AllowanceRow[];
  readonly settings: readonly SettingsRow[];
}

export function watchStore(store: WalletStore, onWritten: (written: Written) => void): WalletStore {
  return {
    ...store,
    transaction: async (body) => {
      const payments: PaymentRow[] = [];
      const allowances: AllowanceRow[] = [];
      const settings: SettingsRow[] = [];
      const result = await store.transaction((tables: StoreTables) =>
        body({
          ...tables,
          payments: { ...tables.payments, ...noting(tables.payments, payments) },
          allowances: { ...tables.allowances, ...noting(tables.allowances, allowances) },
          settings: { ...tables.settings, ...noting(tables.settings, settings) },
        }),
      );
      if (payments.length + allowances.length + settings.length > 0)
        onWritten({ payments, allowances, settings });
      return result;
    },
  };
}

function noting<Row>(
  table: { put(row: Row): Promise<void>; putAll(rows: readonly Row[]): Promise<void> },
  written: Row[],
) {
  return {
    put: (row: Row) => {
      written.push(row);
      return table.put(row);
    },
    putAll: (rows: readonly Row[]) => {
      written.push(...rows);
      return table.putAll(rows);
    },
  };
}
