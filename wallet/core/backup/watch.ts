/**
 * Notes, in the same transaction as the change itself, that something is not in the backup yet: whoever changes coins,
 * payments, allowances or settings has nothing to remember. When the backup is written has nothing to do with it: after
 * the account was visited (stock.ts), whether or not something changed, so that the account hears of no payment.
 */
import type { StoreTable, StoreTables, WalletStore } from "../ports.ts";
import { OWN_BACKUP_KEY, type OwnBackupRow, type PaymentRow, WALLET_KEY } from "../rows.ts";

/** Of what was changed or forgotten since the last backup; of other devices' payments, ever. The newest. */
const MAX_NOTED = 5_000;

export const NEVER_SAVED: OwnBackupRow = {
  key: OWN_BACKUP_KEY,
  kind: "own",
  state: "saved",
  dueAt: undefined,
  savedAt: undefined,
  error: undefined,
  version: 0,
  sealedTo: 0,
  paymentParts: 0,
  sealedPayments: 0,
  coinParts: 0,
  changedCounters: [],
  changed: [],
  forgotten: [],
};

export function noteUnsaved(store: WalletStore): WalletStore {
  return {
    ...store,
    transaction: (body) =>
      store.transaction(async (tables) => {
        const changes: Changes = { isUnsaved: false, payments: [], removed: [] };
        const done = await body(noting(tables, changes));
        if (changes.isUnsaved) await mark(tables, changes);
        return done;
      }),
  };
}

interface Changes {
  isUnsaved: boolean;
  readonly payments: PaymentRow[];
  readonly removed: PaymentRow[];
}

async function mark(tables: StoreTables, { payments, removed }: Changes): Promise<void> {
  const [kept, wallet] = await Promise.all([
    tables.backups.get(OWN_BACKUP_KEY),
    tables.wallet.get(WALLET_KEY),
  ]);
  const own = kept?.kind === "own" ? kept : NEVER_SAVED;
  const device = wallet?.device ?? 0;
  const isOwn = (row: PaymentRow): boolean => (row.device ?? 0) === device;
  const sealed = [...payments, ...removed].filter((row) => isOwn(row) && row.counter < own.sealedTo);
  const next: OwnBackupRow = {
    ...own,
    state: "unsaved",
    changedCounters: union(
      own.changedCounters,
      sealed.map(({ counter }) => counter),
    ),
    changed: union(own.changed, idsOf(payments.filter((row) => !isOwn(row)))),
    forgotten: union(own.forgotten, idsOf(removed.filter((row) => !isOwn(row)))),
  };
  const isNew =
    own.state !== "unsaved" ||
    next.changedCounters !== own.changedCounters ||
    next.changed !== own.changed ||
    next.forgotten !== own.forgotten;
  if (isNew) await tables.backups.put(next);
}

function noting(tables: StoreTables, changes: Changes): StoreTables {
  const note = (): void => {
    changes.isUnsaved = true;
  };
  return {
    ...tables,
    coins: { ...tables.coins, ...whenWritten(tables.coins, note) },
    allowances: { ...tables.allowances, ...whenWritten(tables.allowances, note) },
    settings: { ...tables.settings, ...whenWritten(tables.settings, note) },
    payments: {
      ...tables.payments,
      put: (row) => {
        note();
        changes.payments.push(row);
        return tables.payments.put(row);
      },
      putAll: (rows) => {
        if (rows.length > 0) note();
        changes.payments.push(...rows);
        return tables.payments.putAll(rows);
      },
      remove: async (key) => {
        note();
        await noteRemoved(tables, [key], changes);
        return tables.payments.remove(key);
      },
      removeAll: async (keys) => {
        if (keys.length > 0) note();
        await noteRemoved(tables, keys, changes);
        return tables.payments.removeAll(keys);
      },
    },
  };
}

async function noteRemoved(
  tables: StoreTables,
  keys: readonly string[],
  { removed }: Changes,
): Promise<void> {
  const rows = await Promise.all(keys.map((key) => tables.payments.get(key)));
  removed.push(...rows.filter((row) => row !== undefined));
}

function whenWritten<Row, Index extends keyof Row>(
  table: StoreTable<Row, Index>,
  note: () => void,
): Pick<StoreTable<Row, Index>, "put" | "putAll" | "remove" | "removeAll"> {
  return {
    put: (row) => {
      note();
      return table.put(row);
    },
    putAll: (rows) => {
      if (rows.length > 0) note();
      return table.putAll(rows);
    },
    remove: (key) => {
      note();
      return table.remove(key);
    },
    removeAll: (keys) => {
      if (keys.length > 0) note();
      return table.removeAll(keys);
    },
  };
}

function idsOf(rows: readonly PaymentRow[]): string[] {
  return rows.map(({ id }) => id);
}

/** The same list where nothing is added. */
export function union<T>(known: readonly T[], more: readonly T[]): readonly T[] {
  const added = more.filter((value) => !known.includes(value));
  return added.length === 0 ? known : [...known, ...new Set(added)].slice(-MAX_NOTED);
}
