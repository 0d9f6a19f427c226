/**
 * The wallet's store in the browser: IndexedDB through Dexie. A change of the schema is a new numbered version with its
 * migration; a version that was released is never edited.
 *
 * Transactions are durable against a worker that dies, not against a power cut within the same moment ("relaxed", the
 * browsers' default): what a cut may take is made again from the recovery phrase.
 */
import Dexie, { type Table } from "dexie";
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
  const tables = tablesOf(database);
  const names = Object.keys(VERSIONS[0]);
  return {
    // "!": never part of a transaction that happens to be under way.
    transaction: (body) => database.transaction("rw!", names, () => body(tables)),
    read: (body) => database.transaction("r!", names, () => body(tables)),
    close: async () => database.close(),
  };
}

function tablesOf(database: Dexie): StoreTables {
  return {
    wallet: table(database.table<WalletRow, string>("wallet")),
    counters: table(database.table<CounterRow, string>("counters")),
    pauses: table(database.table<PauseRow, string>("pauses")),
    coins: table(database.table<CoinRow, string>("coins")),
    payments: timedTable(database.table<PaymentRow, string>("payments")),
    withdrawals: table(database.table<WithdrawalRow, string>("withdrawals")),
    swaps: table(database.table<SwapRow, string>("swaps")),
    topUps: timedTable(database.table<TopUpRow, string>("topUps")),
    allowances: table(database.table<AllowanceRow, string>("allowances")),
    approvals: timedTable(database.table<ApprovalRow, string>("approvals")),
    merchants: table(database.table<MerchantRow, string>("merchants")),
    keysets: table(database.table<KeysetRow, string>("keysets")),
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
