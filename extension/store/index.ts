/**
 * The wallet's store in the browser: IndexedDB, whose schema and migrations are Dexie's. A change of the schema is a new
 * numbered version with its migration; a version that was released is never edited. Transactions are the browser's own
 * (docs/decisions/0006), because one of them stands between a click and its article. Rows are sealed (`sealed-rows.ts`,
 * `vault.ts`): while the wallet is locked, whatever is asked of the store is refused with `wallet_locked`.
 *
 * Transactions are durable against a worker that dies, not against a power cut within the same moment ("relaxed", the
 * browsers' default): what a cut may take is made again from the recovery phrase.
 */
import Dexie from "dexie";
import * as v from "valibot";
import type {
  PaymentIndex,
  StoreTables,
  TimedStoreTable,
  TimeSpan,
  WalletStore,
} from "../../wallet/core/ports.ts";
import type { PaymentRow } from "../../wallet/core/rows.ts";
import { answerOf } from "./answer-of.ts";
import { paymentsInTwo, type SummaryOf } from "./payments-in-two.ts";
import {
  createRowSealer,
  PLAIN_ROWS,
  type RowSealer,
  type StoredRow,
  type TableIndexes,
} from "./sealed-rows.ts";
import {
  keepForSession,
  makeRowKey,
  type Passphrase,
  type SessionPort,
  unwrap,
  unwrapByPassphrase,
  VAULT_KEY,
  VaultRow,
  wrapByDevice,
  wrapByPassphrase,
} from "./vault.ts";

export type { Passphrase, SessionPort } from "./vault.ts";

const VERSIONS: readonly Readonly<Record<string, string>>[] = [
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
  // Rows are sealed from here on. Those of the version before are sealed when the store is opened first.
  {
    spending: "key, period, origin, series",
    settings: "key",
    backups: "key",
    deposits: "id, state",
    vault: "key",
  },
  // From here on `payments` has what lists need, and the whole payment stands beside it. Of one that was written before and not
  // since, `payments` has all of it.
  { wholePayments: "id" },
];
const VAULT = "vault";
const TABLES: readonly TableIndexes[] = Object.entries(
  Object.assign({}, ...VERSIONS) as Record<string, string>,
)
  .filter(([table]) => table !== VAULT)
  .map(([table, schema]) => {
    const [key = "", ...indexes] = schema.split(", ");
    return { table, key, indexes };
  });
/** For tests and benchmarks, which look at the rows behind the wallet's back. */
export function tableNamed(name: string): TableIndexes {
  const found = TABLES.find(({ table }) => table === name);
  if (!found) throw new Error(`the store has no table ${name}`);
  return found;
}

const WHOLE_PAYMENTS = "wholePayments";

/** So many rows at once are sealed anew: few enough for the memory. */
const ROWS_AT_ONCE = 200;

/** The store, and its lock. Transactions of a locked store reject with `wallet_locked`. */
export interface LockableStore extends WalletStore {
  /** @throws TuppenceError passphrase_wrong */
  unlock(passphrase: string): Promise<void>;
  /** Without a passphrase it does nothing. */
  lock(): Promise<void>;
  /** @throws TuppenceError passphrase_wrong */
  verify(passphrase: string): Promise<void>;
  /**
   * Seals every row under a fresh key, kept by this passphrase from now on, or by this device again: what an older
   * passphrase opened does not open what is written from here on.
   * @throws TuppenceError wallet_locked
   */
  protect(by: Passphrase | "device"): Promise<void>;
  /** Everything in it is gone, the passphrase included. Works on a locked one. */
  erase(): Promise<void>;
}

/** By version, what brings its rows about from those of the version before, in the transaction that makes its tables. */
export type Upgrades = Readonly<Record<number, (tables: StoreTables) => Promise<void>>>;

/** What the store has to know of its rows, from the wallet's core. */
export interface RowShapes {
  readonly summaryOf: SummaryOf;
  readonly upgrades: Upgrades;
}

export function openStore(
  name: string,
  session: SessionPort,
  { summaryOf, upgrades }: RowShapes,
): LockableStore {
  const database = new Dexie(name);
  for (const [index, schema] of VERSIONS.entries()) {
    const version = database.version(index + 1).stores(schema);
    const upgrade = upgrades[index + 1];
    if (upgrade) version.upgrade(({ idbtrans }) => upgrade(tablesOf(idbtrans, PLAIN_ROWS, summaryOf)));
  }
  const names = TABLES.map(({ table }) => table);
  /** What rows are sealed with. Undefined while the wallet is locked, and before the store was opened. */
  let sealer: Promise<RowSealer> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const connect = async (): Promise<IDBDatabase> => {
    if (!database.isOpen()) await database.open();
    return database.backendDB();
  };
  /** Kept, because every click asks whether it is locked; only this store changes it. */
  let vaultRow: Promise<VaultRow | undefined> | undefined;
  const readVault = (): Promise<VaultRow | undefined> => {
    vaultRow ??= (async () => {
      const rows = (await connect()).transaction(VAULT, "readonly").objectStore(VAULT);
      const row = await answerOf(rows.get(VAULT_KEY));
      return row === undefined ? undefined : v.parse(VaultRow, row);
    })();
    vaultRow.catch(() => {
      vaultRow = undefined;
    });
    return vaultRow;
  };
  const sealAll = async (before: RowSealer | undefined, by: Passphrase | "device"): Promise<RowSealer> => {
    const rowKey = makeRowKey();
    const vault = await (by === "device" ? wrapByDevice(rowKey) : wrapByPassphrase(rowKey, by));
    const after = createRowSealer(rowKey);
    await runTransaction(
      (await connect()).transaction([...names, VAULT], "readwrite"),
      async (transaction) => {
        for (const table of TABLES)
          await sealAnew(transaction.objectStore(table.table), table, before, after);
        await answerOf(transaction.objectStore(VAULT).put(vault));
      },
    );
    vaultRow = Promise.resolve(vault);
    await keepForSession(session, by === "device" ? undefined : rowKey);
    return after;
  };
  const open = async (): Promise<RowSealer> => {
    const vault = await readVault();
    return vault ? createRowSealer(await unwrap(vault, session)) : sealAll(undefined, "device");
  };
  /** From this call on transactions wait for the new sealer; those that began under another are ended before it writes. */
  const replaceSealer = async (next: Promise<RowSealer>, otherwise?: Promise<RowSealer>): Promise<void> => {
    const made = next.catch((error: unknown) => {
      if (sealer === made) sealer = otherwise;
      throw error;
    });
    sealer = made;
    await made;
  };
  /** One after the other: whatever changes the key. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const run = last.then(work);
    last = run.catch(() => undefined);
    return run;
  };
  const run = async <T>(mode: IDBTransactionMode, body: (tables: StoreTables) => Promise<T>): Promise<T> => {
    for (;;) {
      if (!sealer) await replaceSealer(open());
      const current = sealer;
      const rows = await current;
      // The key was changed meanwhile. If it was not, nothing comes between this line and the transaction's beginning.
      if (rows === undefined || current !== sealer) continue;
      return runTransaction(database.backendDB().transaction(names, mode), (transaction) =>
        body(tablesOf(transaction, rows, summaryOf)),
      );
    }
  };
  return {
    transaction: (body) => run("readwrite", body),
    read: (body) => run("readonly", body),
    close: async () => database.close(),
    protection: async () => {
      const vault = await readVault();
      if (vault?.by !== "passphrase") return { hasPassphrase: false, isLocked: false, lockAfterMinutes: 0 };
      const { lockAfterMinutes } = vault;
      if (sealer) return { hasPassphrase: true, isLocked: false, lockAfterMinutes };
      const isLocked = await unwrap(vault, session).then(
        () => false,
        () => true,
      );
      return { hasPassphrase: true, isLocked, lockAfterMinutes };
    },
    unlock: (passphrase) =>
      inTurn(async () => {
        const vault = await readVault();
        if (vault?.by !== "passphrase") return;
        const rowKey = await unwrapByPassphrase(vault, passphrase);
        await keepForSession(session, rowKey);
        sealer = Promise.resolve(createRowSealer(rowKey));
      }),
    lock: () =>
      inTurn(async () => {
        if ((await readVault())?.by !== "passphrase") return;
        await keepForSession(session, undefined);
        sealer = undefined;
      }),
    verify: async (passphrase) => {
      const vault = await readVault();
      if (vault) await unwrapByPassphrase(vault, passphrase);
    },
    protect: (by) =>
      inTurn(async () => {
        if (!sealer) await replaceSealer(open());
        const before = sealer;
        const rows = await before;
        await replaceSealer(sealAll(rows, by), before);
      }),
    erase: () =>
      inTurn(async () => {
        const transaction = (await connect()).transaction([...names, VAULT], "readwrite");
        await runTransaction(transaction, async () => {
          await Promise.all(
            [...names, VAULT].map((table) => answerOf(transaction.objectStore(table).clear())),
          );
        });
        await keepForSession(session, undefined);
        vaultRow = undefined;
        sealer = undefined;
      }),
  };
}

/** Rows of the version before, which are not sealed at all, are sealed as well. */
async function sealAnew(
  rows: IDBObjectStore,
  of: TableIndexes,
  before: RowSealer | undefined,
  after: RowSealer,
): Promise<void> {
  const keys = await answerOf(rows.getAllKeys());
  for (let from = 0; from < keys.length; from += ROWS_AT_ONCE) {
    await Promise.all(
      keys.slice(from, from + ROWS_AT_ONCE).map(async (key) => {
        const stored = await answerOf<StoredRow>(rows.get(key));
        const row = before ? before.open(of, stored) : stored;
        await answerOf(rows.delete(key));
        await answerOf(rows.put(after.seal(of, row as object)));
      }),
    );
  }
}

/** All of it or nothing: commits when the body has ended, takes everything back when it throws. */
async function runTransaction<T>(
  transaction: IDBTransaction,
  body: (transaction: IDBTransaction) => Promise<T>,
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
    result = await body(transaction);
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

function tablesOf(transaction: IDBTransaction, sealer: RowSealer, summaryOf: SummaryOf): StoreTables {
  const open = <Row extends object, Index extends keyof Row>(name: string): TimedStoreTable<Row, Index> =>
    table(transaction.objectStore(name), tableNamed(name), sealer);
  const hasWhole = transaction.objectStoreNames.contains(WHOLE_PAYMENTS);
  return {
    wallet: open("wallet"),
    counters: open("counters"),
    pauses: open("pauses"),
    coins: open("coins"),
    // The first version's upgrade comes before there is a table for whole payments: there each stays in one row.
    payments: hasWhole
      ? paymentsInTwo(open("payments"), open(WHOLE_PAYMENTS), summaryOf)
      : open<PaymentRow, PaymentIndex>("payments"),
    paymentSummaries: open("payments"),
    withdrawals: open("withdrawals"),
    deposits: open("deposits"),
    swaps: open("swaps"),
    topUps: open("topUps"),
    allowances: open("allowances"),
    spending: open("spending"),
    settings: open("settings"),
    approvals: open("approvals"),
    merchants: open("merchants"),
    keysets: open("keysets"),
    backups: open("backups"),
  };
}

/** A table whose rows have no time has the order of time as well; the port's type does not show it. */
function table<Row extends object, Index extends keyof Row>(
  rows: IDBObjectStore,
  of: TableIndexes,
  sealer: RowSealer,
): TimedStoreTable<Row, Index> {
  const hashed = (key: string): IDBValidKey => sealer.indexed(of.table, of.key, key);
  const indexed = (index: Index, value: unknown): IDBValidKey =>
    sealer.indexed(of.table, String(index), value);
  const put = (row: Row): Promise<unknown> => answerOf(rows.put(sealer.seal(of, row)));
  const remove = (key: string): Promise<unknown> => answerOf(rows.delete(hashed(key)));
  // What lies on the disk is sealed, and is ours: it is read as what it was written as.
  const open = (stored: StoredRow) => sealer.open(of, stored) as Row;
  return {
    get: async (key) => {
      const stored = await answerOf<StoredRow | undefined>(rows.get(hashed(key)));
      return stored && open(stored);
    },
    put: async (row) => void (await put(row)),
    putAll: async (many) => void (await Promise.all(many.map(put))),
    remove: async (key) => void (await remove(key)),
    removeAll: async (keys) => void (await Promise.all(keys.map(remove))),
    where: async (index, value) =>
      (await answerOf<StoredRow[]>(rows.index(String(index)).getAll(indexed(index, value)))).map(open),
    find: (index, value, matches) =>
      findIn(rows.index(String(index)).openCursor(indexed(index, value)), open, matches),
    oneOfEach: (index) => oneOfEach(rows.index(String(index)), String(index), open),
    all: async () => (await answerOf<StoredRow[]>(rows.getAll())).map(open),
    count: () => answerOf(rows.count()),
    newest: (limit, span) => newestOf(rows, open, limit, span),
  };
}

/** From one value straight to the next: a cursor that is told to leave out what is the same walks through all of it. */
async function oneOfEach<Row>(
  rows: IDBIndex,
  name: string,
  open: (stored: StoredRow) => Row,
): Promise<Row[]> {
  const found: Row[] = [];
  let stored = await answerOf<StoredRow | undefined>(rows.get(IDBKeyRange.lowerBound("")));
  while (stored) {
    found.push(open(stored));
    stored = await answerOf<StoredRow | undefined>(rows.get(IDBKeyRange.lowerBound(stored[name], true)));
  }
  return found;
}

/**
 * In three answers of the browser, whatever the limit: a cursor would be one for each row, and they are slow where a page is
 * just being drawn.
 */
async function newestOf<Row>(
  rows: IDBObjectStore,
  open: (stored: StoredRow) => Row,
  limit: number,
  span: TimeSpan = {},
): Promise<Row[]> {
  const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, skip = 0 } = span;
  if (limit === 0 || from > until) return [];
  const end = skip + limit;
  const oldest = await newestKey(rows.index("at"), IDBKeyRange.bound(from, until), end - 1);
  const read = rows.index("at").getAll(IDBKeyRange.bound(oldest ?? from, until));
  // More than was asked for where several stand at the oldest one's moment.
  return (await answerOf<StoredRow[]>(read)).toReversed().slice(skip, end).map(open);
}

/** That of the row before which there are so many newer ones. */
function newestKey(index: IDBIndex, range: IDBKeyRange, newer: number): Promise<IDBValidKey | undefined> {
  const request = index.openKeyCursor(range, "prev");
  let left = newer;
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null || left === 0) return resolve(cursor?.key);
      cursor.advance(left);
      left = 0;
    };
  });
}

/** The first row for which `isWanted` says true. */
function findIn<Row>(
  request: IDBRequest<IDBCursorWithValue | null>,
  open: (stored: StoredRow) => Row,
  isWanted: (row: Row) => boolean,
): Promise<Row | undefined> {
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) return resolve(undefined);
      try {
        const row = open(cursor.value);
        if (isWanted(row)) resolve(row);
        else cursor.continue();
      } catch (error) {
        // A throw in here would reach nobody.
        reject(error);
      }
    };
  });
}
