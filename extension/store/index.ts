/**
 * The wallet's store in the browser: IndexedDB through Dexie. A change of the schema is a new numbered version with its
 * migration; a version that was released is never edited.
 *
 * Transactions are durable against a worker that dies, not against a power cut within the same moment ("relaxed", the
 * browsers' default): what a cut may take is made again from the recovery phrase.
 */
import Dexie, { type Table, type Transaction } from "dexie";
import type { StoreTable, StoreTables, TimedStoreTable, WalletStore } from "../../wallet/core/ports.ts";
import type {
  AllowanceRow,
  ApprovalRow,
  CoinRow,
  CounterRow,
  KeysetRow,
  MerchantRow,
  PauseRow,
  PaymentRow,
  SwapRow,
  TopUpRow,
  WalletRow,
  WithdrawalRow,
} from "../../wallet/core/rows.ts";

const VERSIONS = [
  {
    wallet: "key",
    counters: "key",
    pauses: "key",
    coins: "secret, state",
    payments: "id, state, change, resourceKey, origin, requestKey, at",
    withdrawals: "id, state",
    swaps: "id, state",
    topUps: "id, state, at",
    allowances: "origin",
    approvals: "id, state, requestKey, at",
    merchants: "id",
    keysets: "id",
  },
] as const;

export function openStore(name: string): WalletStore {
  const database = new Dexie(name);
  for (const [index, schema] of VERSIONS.entries()) database.version(index + 1).stores(schema);
  const names = Object.keys(VERSIONS[0]);
  return {
    // "!": never part of a transaction that happens to be under way.
    transaction: (body) => database.transaction("rw!", names, (transaction) => body(tablesOf(transaction))),
    read: (body) => database.transaction("r!", names, (transaction) => body(tablesOf(transaction))),
    close: async () => database.close(),
  };
}

/**
 * Each table bound to its transaction. Left to itself Dexie finds the transaction by the asynchronous zone that it keeps for
 * every promise; in a real browser, with several transactions at once, it lost it after a native `await`, and the
 * operation ran beside the transaction instead of inside.
 */
function tablesOf(transaction: Transaction): StoreTables {
  return {
    wallet: table(transaction.table<WalletRow, string>("wallet")),
    counters: table(transaction.table<CounterRow, string>("counters")),
    pauses: table(transaction.table<PauseRow, string>("pauses")),
    coins: table(transaction.table<CoinRow, string>("coins")),
    payments: timedTable(transaction.table<PaymentRow, string>("payments")),
    withdrawals: table(transaction.table<WithdrawalRow, string>("withdrawals")),
    swaps: table(transaction.table<SwapRow, string>("swaps")),
    topUps: timedTable(transaction.table<TopUpRow, string>("topUps")),
    allowances: table(transaction.table<AllowanceRow, string>("allowances")),
    approvals: timedTable(transaction.table<ApprovalRow, string>("approvals")),
    merchants: table(transaction.table<MerchantRow, string>("merchants")),
    keysets: table(transaction.table<KeysetRow, string>("keysets")),
  };
}

function table<Row, Index extends keyof Row & string>(rows: Table<Row, string>): StoreTable<Row, Index> {
  return {
    get: async (key) => rows.get(key),
    put: async (row) => void (await rows.put(row)),
    putAll: async (many) => void (await rows.bulkPut([...many])),
    remove: async (key) => rows.delete(key),
    removeAll: async (keys) => rows.bulkDelete([...keys]),
    where: async (index, value) => rows.where(index).equals(value).toArray(),
    all: async () => rows.toArray(),
  };
}

function timedTable<Row, Index extends keyof Row & string>(
  rows: Table<Row, string>,
): TimedStoreTable<Row, Index> {
  return {
    ...table<Row, Index>(rows),
    newest: async (limit) => rows.orderBy("at").reverse().limit(limit).toArray(),
  };
}
