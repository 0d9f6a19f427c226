/** The encrypted backup at the provider, and what a restore brings back of it. `docs/PROTOCOL.md`, "Backup". */
import { TuppenceError } from "../../../shared/errors.ts";
import { type Context, TRY_AGAIN_AFTER_MS, walletRow } from "../context.ts";
import type { StoreTables } from "../ports.ts";
import { RESTORE_KEY } from "../rows.ts";
import { checkCoins, spentCoins, uncheckedCoins } from "./check.ts";
import { isFull } from "./remote.ts";
import { changeOwnBackup, ownBackup, restoreRow } from "./rows.ts";
import { writeBackup } from "./save.ts";
import { searchNewer } from "./search.ts";

export { bringBack } from "./restore.ts";

/**
 * Its moment passed while no browser ran. What woke the wallet now may well be a payment, beside which the account must not
 * hear of anything; so it waits for the next visit.
 */
const MISSED_AFTER_MS = 600_000;
/** More room is not there a minute later. */
const ROOM_AGAIN_AFTER_MS = 6 * 3_600_000;

export interface Backup {
  /** Writes it if the account was visited since the last one, and looks after other devices. @throws TuppenceError provider_*, backup_full */
  saveIfDue(): Promise<void>;
  /** Now, because the reader asks. */
  save(): Promise<void>;
  /** After the writings that were asked for before, and before those that come later. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Lets a restore go on in the background, if there is one. */
  goOnRestoring(): void;
}

/** @param onNewNumber what was counted ahead is of no use any more */
export function keepBackup(context: Context, onNewNumber: () => void): Backup {
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const run = last.then(work);
    last = run.catch(() => undefined);
    return run;
  };
  const save = () => alone(() => write(context, onNewNumber));
  let isRestoring = false;
  return {
    save,
    alone,
    // Judged when its turn has come: the account may have been closed while it waited.
    saveIfDue: () =>
      alone(async () => {
        if (await isDue(context)) await write(context, onNewNumber);
      }),
    goOnRestoring: () => {
      if (isRestoring) return;
      isRestoring = true;
      context.inBackground(async () => {
        try {
          if (!(await context.store.read(isUnderWay))) return;
          await saveTakenOver(context, save);
          await searchNewer(context);
          await checkCoins(context);
          await endRestore(context);
        } catch (error) {
          context.wakeAt(context.nowMs() + Math.max(TRY_AGAIN_AFTER_MS, context.quietMs()));
          throw error;
        } finally {
          isRestoring = false;
        }
      });
    },
  };
}

async function isDue(context: Context): Promise<boolean> {
  const { recovery, closure } = (await context.open()).row;
  // Of a closed account nothing is kept, unless its reader asks.
  if (recovery === "pending" || closure?.state === "done") return false;
  const { dueAt } = await context.store.read(ownBackup);
  const lateMs = dueAt === undefined ? -1 : context.nowMs() - dueAt;
  return lateMs >= 0 && lateMs <= MISSED_AFTER_MS;
}

/** Also where there is no restore, but another device took coins over from this one. */
async function isUnderWay(tables: StoreTables): Promise<boolean> {
  const [wallet, restore, unchecked, spent] = await Promise.all([
    walletRow(tables),
    restoreRow(tables),
    uncheckedCoins(tables),
    spentCoins(tables),
  ]);
  return wallet.recovery !== "none" || restore !== undefined || unchecked.length + spent.length > 0;
}

/** Unless another one was begun meanwhile. */
async function endRestore(context: Context): Promise<void> {
  await context.store.transaction(async (tables) => {
    const { recovery } = await walletRow(tables);
    if (recovery === "none") await tables.backups.remove(RESTORE_KEY);
  });
  context.changed();
}

/** What was taken over stands in nobody's backup but this one's, which has none yet. Without room for it the search goes on. */
async function saveTakenOver(context: Context, save: () => Promise<void>): Promise<void> {
  const { savedAt } = await context.store.read(ownBackup);
  if (savedAt !== undefined || (await context.open()).row.recovery !== "searching") return;
  await save().catch((error: unknown) => {
    if (!isFull(error)) throw error;
  });
}

async function write(context: Context, onNewNumber: () => void): Promise<void> {
  try {
    await writeBackup(context, onNewNumber);
  } catch (error) {
    if (!(error instanceof TuppenceError)) throw error;
    const afterMs = isFull(error) ? ROOM_AGAIN_AFTER_MS : TRY_AGAIN_AFTER_MS;
    const dueAt = context.nowMs() + Math.max(afterMs, context.quietMs());
    await changeOwnBackup(context, (row) => ({
      ...row,
      state: row.state === "saved" ? "saved" : "unsaved",
      dueAt,
      error: error.code,
    }));
    context.wakeAt(dueAt);
    context.changed();
    throw error;
  }
}
