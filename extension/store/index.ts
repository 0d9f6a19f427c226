/**
 * The wallet's store in the browser: IndexedDB, whose schema and migrations are Dexie's. A change of the schema is a new
 * numbered version with its migration; a version that was released is never edited. Transactions are the browser's own
 * (docs/decisions/0006), because one of them stands between a click and its article.
 *
 * Transactions are durable against a worker that dies, not against a power cut within the same moment ("relaxed", the
 * browsers' default): what a cut may take is made again from the recovery phrase.
 */
import Dexie from "dexie";
import type { StoreTable, StoreTables, TimedStoreTable, WalletStore } from "../../wallet/core/ports.ts";

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
  { backups: "key" },
] as const;

export function openStore(name: string): WalletStore {
  const database = new Dexie(name);
  for (const [index, schema] of VERSIONS.entries()) database.version(index + 1).stores(schema);
  const names = VERSIONS.flatMap((schema) => Object.keys(schema));
  const run = async <T>(mode: IDBTransactionMode, body: (tables: StoreTables) => Promise<T>): Promise<T> => {
    if (!database.isOpen()) await database.open();
    return runTransaction(database.backendDB().transaction(names, mode), body);
  };
  return {
    transaction: (body) => run("readwrite", body),
    read: (body) => run("readonly", body),
    close: async () => database.close(),
  };
}

/** All of it or nothing: commits when the body has ended, takes everything back when it throws. */
async function runTransaction<T>(
  transaction: IDBTransaction,
  body: (tables: StoreTables) => Promise<T>,
): Promise<T> {
  const ended = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was taken back"));
  });
  let isEnded = false;
  const noteEnd = () => {
    isEnded = true;
  };
  ended.then(noteEnd, noteEnd);
  let result: T;
  try {
    result = await body(tablesOf(transaction));
  } catch (error) {
    takeBack(transaction);
    throw error;
  }
  // A body that awaited something else: the browser committed without it what it had done so far.
  if (isEnded) await ended.then(() => Promise.reject(new Error("the transaction ended before its body")));
  transaction.commit();
  await ended;
  return result;
}

function takeBack(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // A request's own error was first.
  }
}

function tablesOf(transaction: IDBTransaction): StoreTables {
  const rows = (name: keyof StoreTables) => transaction.objectStore(name);
  return {
    wallet: table(rows("wallet")),
    counters: table(rows("counters")),
    pauses: table(rows("pauses")),
    coins: table(rows("coins")),
    payments: timedTable(rows("payments")),
    withdrawals: table(rows("withdrawals")),
    swaps: table(rows("swaps")),
    topUps: timedTable(rows("topUps")),
    allowances: table(rows("allowances")),
    approvals: timedTable(rows("approvals")),
    merchants: table(rows("merchants")),
    keysets: table(rows("keysets")),
    backups: table(rows("backups")),
  };
}

function table<Row, Index extends keyof Row & string>(rows: IDBObjectStore): StoreTable<Row, Index> {
  const put = (row: Row): Promise<unknown> => answerOf(rows.put(row));
  const remove = (key: string): Promise<unknown> => answerOf(rows.delete(key));
  return {
    get: (key) => answerOf(rows.get(key)),
    put: async (row) => void (await put(row)),
    putAll: async (many) => void (await Promise.all(many.map(put))),
    remove: async (key) => void (await remove(key)),
    removeAll: async (keys) => void (await Promise.all(keys.map(remove))),
    where: (index, value) => answerOf(rows.index(index).getAll(value)),
    all: () => answerOf(rows.getAll()),
  };
}

function timedTable<Row, Index extends keyof Row & string>(
  rows: IDBObjectStore,
): TimedStoreTable<Row, Index> {
  return { ...table<Row, Index>(rows), newest: (limit) => newestOf(rows, limit) };
}

function newestOf<Row>(rows: IDBObjectStore, limit: number): Promise<Row[]> {
  const newest: Row[] = [];
  const request = rows.index("at").openCursor(null, "prev");
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null || newest.length >= limit) return resolve(newest);
      newest.push(cursor.value);
      cursor.continue();
    };
  });
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
