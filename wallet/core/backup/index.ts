/** The encrypted backup at the provider, and what a restore brings back of it. `docs/PROTOCOL.md`, "Backup". */
import { TuppenceError } from "../../../shared/errors.ts";
import { type Context, TRY_AGAIN_AFTER_MS } from "../context.ts";
import { checkCoins } from "./check.ts";
import { changeOwnBackup, ownBackup } from "./rows.ts";
import { writeBackup } from "./save.ts";
import { searchNewer } from "./search.ts";

export { bringBack } from "./restore.ts";

/** So long after the last backup other devices' parts are looked at, though nothing changed here. */
const LOOK_AGAIN_AFTER_MS = 6 * 3_600_000;

export interface Backup {
  /** Writes what is due, and looks after other devices now and then. @throws TuppenceError provider_*, backup_full */
  saveIfDue(): Promise<void>;
  /** Now, because the reader asks. */
  save(): Promise<void>;
  /** Lets a restore go on in the background, if there is one. */
  goOnRestoring(): void;
}

/** @param onNewNumber what was counted ahead is of no use any more */
export function keepBackup(context: Context, onNewNumber: () => void): Backup {
  let last: Promise<unknown> = Promise.resolve();
  const save = (): Promise<void> => {
    const run = last.then(() => write(context, onNewNumber));
    last = run.catch(() => undefined);
    return run;
  };
  let isRestoring = false;
  return {
    save,
    saveIfDue: async () => {
      const { recovery } = (await context.open()).row;
      const { dueAt, state, savedAt } = await context.store.read(ownBackup);
      const nowMs = context.nowMs();
      const isDue =
        (dueAt !== undefined && dueAt <= nowMs) ||
        // Whoever wrote it died.
        state === "saving" ||
        (savedAt !== undefined && savedAt + LOOK_AGAIN_AFTER_MS <= nowMs);
      if (recovery !== "pending" && isDue) await save();
    },
    goOnRestoring: () => {
      if (isRestoring) return;
      isRestoring = true;
      context.inBackground(async () => {
        try {
          await saveTakenOver(context, save);
          await searchNewer(context);
          await checkCoins(context);
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

/** What was taken over stands in nobody's backup but this one's, which has none yet. */
async function saveTakenOver(context: Context, save: () => Promise<void>): Promise<void> {
  const { savedAt } = await context.store.read(ownBackup);
  if (savedAt === undefined && (await context.open()).row.recovery === "searching") await save();
}

async function write(context: Context, onNewNumber: () => void): Promise<void> {
  try {
    await writeBackup(context, onNewNumber);
  } catch (error) {
    if (!(error instanceof TuppenceError)) throw error;
    // More room is not there a minute later.
    const afterMs = error.code === "backup_full" ? LOOK_AGAIN_AFTER_MS : TRY_AGAIN_AFTER_MS;
    const dueAt = context.nowMs() + Math.max(afterMs, context.quietMs());
    await changeOwnBackup(context, (row) => ({
      ...row,
      state: row.state === "saved" ? "saved" : "unsaved",
      dueAt: row.dueAt ?? dueAt,
      error: error.code,
    }));
    context.wakeAt(dueAt);
    context.changed();
    throw error;
  }
}
