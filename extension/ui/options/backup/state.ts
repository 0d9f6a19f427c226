/** What the section on the backup shows, as data. */
import { type Micros, ZERO } from "../../../../shared/money.ts";
import type { PageError } from "../../../../shared/protocol/page.ts";
import type { RestoreView, WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { formatMoney } from "../../shared/money.ts";
import { describeTime } from "../../shared/time.ts";

/** What the reader asked for and waits for. */
export type BackupDoing = "saveBackup" | "takeOver" | null;

export interface BackupScreen {
  /** Null: it was never written. */
  readonly savedAt: string | null;
  readonly isUnsaved: boolean;
  /** Why it could not be written the last time. */
  readonly error: PageError | null;
  /** Null where nothing is being brought back. */
  readonly restore: RestoreView | null;
  /** In coins of other browsers; null where there are none. */
  readonly elsewhere: string | null;
}

export function backupScreen(
  {
    backup,
    restore,
    elsewhere,
    currency,
  }: Pick<WalletSnapshot, "backup" | "restore" | "currency"> & {
    readonly elsewhere: Micros;
  },
  now: number,
): BackupScreen {
  const { savedAt, isUnsaved, error } = backup;
  return {
    savedAt: savedAt === null ? null : describeTime(savedAt, now),
    isUnsaved,
    error,
    restore,
    elsewhere: elsewhere > ZERO ? formatMoney(elsewhere, currency) : null,
  };
}
