/** The wallet's store in memory: for tests, simulation, and a command line that keeps nothing. */
import type { StoreTable, StoreTables, TimedStoreTable, TimeSpan, WalletStore } from "./ports.ts";
import type {
  AllowanceRow,
  ApprovalRow,
  BackupRow,
  CoinRow,
  CounterRow,
  DepositRow,
  KeysetRow,
  MerchantRow,
  PauseRow,
  PaymentRow,
  SettingsRow,
  SpendingRow,
  SwapRow,
  TopUpRow,
  WalletRow,
  WithdrawalRow,
} from "./rows.ts";

/** Transactions run one after the other; what a failed one wrote is taken back. */
export function createMemoryStore(): WalletStore {
  const rows = emptyRows();
  const tables = tablesOver(rows);
  let last: Promise<unknown> = Promise.resolve();
  const transaction = <T>(body: (tables: StoreTables) => Promise<T>): Promise<T> => {
    const run = last.then(async () => {
      const before = copyOf(rows);
      try {
        return await body(tables);
      } catch (error) {
        takeBack(rows, before);
        throw error;
      }
    });
    last = run.catch(() => undefined);
    return run;
  };
  return {
    transaction,
    read: transaction,
    close: async () => undefined,
    protection: async () => ({ hasPassphrase: false, isLocked: false, lockAfterMinutes: 0 }),
  };
}

interface Rows {
  readonly wallet: Map<string, WalletRow>;
  readonly counters: Map<string, CounterRow>;
  readonly pauses: Map<string, PauseRow>;
  readonly coins: Map<string, CoinRow>;
  readonly payments: Map<string, PaymentRow>;
  readonly withdrawals: Map<string, WithdrawalRow>;
  readonly swaps: Map<string, SwapRow>;
  readonly deposits: Map<string, DepositRow>;
  readonly topUps: Map<string, TopUpRow>;
  readonly allowances: Map<string, AllowanceRow>;
  readonly spending: Map<string, SpendingRow>;
  readonly settings: Map<string, SettingsRow>;
  readonly approvals: Map<string, ApprovalRow>;
  readonly merchants: Map<string, MerchantRow>;
  readonly keysets: Map<string, KeysetRow>;
  readonly backups: Map<string, BackupRow>;
}

function emptyRows(): Rows {
  return {
    wallet: new Map(),
    counters: new Map(),
    pauses: new Map(),
    coins: new Map(),
    payments: new Map(),
    withdrawals: new Map(),
    swaps: new Map(),
    deposits: new Map(),
    topUps: new Map(),
    allowances: new Map(),
    spending: new Map(),
    settings: new Map(),
    approvals: new Map(),
    merchants: new Map(),
    keysets: new Map(),
    backups: new Map(),
  };
}

/** The maps are copied, not the rows: a row is never changed in place. */
function copyOf(rows: Rows): Map<string, [string, object][]> {
  return new Map(Object.entries(rows).map(([name, map]: [string, Map<string, object>]) => [name, [...map]]));
}

function takeBack(rows: Rows, before: Map<string, [string, object][]>): void {
  for (const [name, map] of Object.entries(rows) as [string, Map<string, object>][]) {
    map.clear();
    for (const [key, row] of before.get(name) ?? []) map.set(key, row);
  }
}

function tablesOver(rows: Rows): StoreTables {
  const payments = timedTable<PaymentRow, keyof PaymentRow>(rows.payments, (row) => row.id);
  return {
    wallet: table(rows.wallet, (row) => row.key),
    counters: table(rows.counters, (row) => row.key),
    pauses: table(rows.pauses, (row) => row.key),
    coins: table(rows.coins, (row) => row.secret),
    payments,
    paymentSummaries: payments,
    withdrawals: table(rows.withdrawals, (row) => row.id),
    swaps: table(rows.swaps, (row) => row.id),
    deposits: table(rows.deposits, (row) => row.id),
    topUps: timedTable(rows.topUps, (row) => row.id),
    allowances: table(rows.allowances, (row) => row.origin),
    spending: table(rows.spending, (row) => row.key),
    settings: table(rows.settings, (row) => row.key),
    approvals: timedTable(rows.approvals, (row) => row.id),
    merchants: table(rows.merchants, (row) => row.id),
    keysets: table(rows.keysets, (row) => row.id),
    backups: table(rows.backups, (row) => row.key),
  };
}

function table<Row extends object, Index extends keyof Row>(
  rows: Map<string, Row>,
  keyOf: (row: Row) => string,
): StoreTable<Row, Index> {
  const put = (row: Row): void => void rows.set(keyOf(row), structuredClone(row));
  const copies = (found: Iterable<Row>): Row[] => [...found].map((row) => structuredClone(row));
  return {
    get: async (key) => structuredClone(rows.get(key)),
    put: async (row) => put(row),
    putAll: async (many) => many.forEach(put),
    remove: async (key) => void rows.delete(key),
    removeAll: async (keys) => {
      for (const key of keys) rows.delete(key);
    },
    where: async (index, value) => copies([...rows.values()].filter((row) => row[index] === value)),
    find: async (index, value, matches) =>
      copies(rows.values()).find((row) => row[index] === value && matches(row)),
    oneOfEach: async (index) => copies(new Map([...rows.values()].map((row) => [row[index], row])).values()),
    all: async () => copies(rows.values()),
    count: async () => rows.size,
  };
}

function timedTable<Row extends { readonly at: number }, Index extends keyof Row>(
  rows: Map<string, Row>,
  keyOf: (row: Row) => string,
): TimedStoreTable<Row, Index> {
  const newest = async (
    limit: number,
    { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, skip = 0 }: TimeSpan = {},
  ): Promise<Row[]> =>
    [...rows.values()]
      .filter(({ at }) => at >= from && at <= until)
      .sort((a, b) => b.at - a.at)
      .slice(skip, skip + limit)
      .map((row) => structuredClone(row));
  return { ...table<Row, Index>(rows, keyOf), newest };
}
