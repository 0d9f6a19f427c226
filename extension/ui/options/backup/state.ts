/** What the section on the backup shows, as data. */
import { type Micros, subtract, ZERO } from "../../../../shared/money.ts";
import type { PageError } from "../../../../shared/protocol/page.ts";
import type { RestoreView, WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { formatMoney } from "../../shared/money.ts";
import { describeTime } from "../../shared/time.ts";

/** What the reader asked for and waits for. */
export type BackupDoing = "saveBackup" | "takeOver" | "depositAll" | "closeAccount" | "eraseWallet" | null;

/** Of which step it is asked whether the reader means it. */
export type BackupAsking = "closeAccount" | "eraseWallet" | null;

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
  readonly leaving: LeavingScreen;
}

export interface LeavingScreen {
  /** What lies in this browser as coins; null where nothing does. */
  readonly inCoins: string | null;
  /** What lies in the account; null where nothing does. */
  readonly inAccount: string | null;
  /** What goes into a frozen account is lost for the reader; coins stay theirs. */
  readonly frozen: boolean;
  /** Another browser may have spent what is being brought back: given to the account, that would show whose payments those were. */
  readonly restoring: boolean;
  readonly resting: boolean;
  /** How much went back when the account was closed; null where it was not. */
  readonly paidOut: string | null;
  /** Without the words nothing comes back: nobody removes a wallet that holds money before they are written down. */
  readonly canRemove: boolean;
}

export function backupScreen(snapshot: WalletSnapshot, now: number): BackupScreen {
  const { backup, restore, elsewhere, currency, balance, paidOut, resting } = snapshot;
  const { savedAt, isUnsaved, error } = backup;
  const moneyOrNull = (amount: Micros) => (amount > ZERO ? formatMoney(amount, currency) : null);
  return {
    savedAt: savedAt === null ? null : describeTime(savedAt, now),
    isUnsaved,
    error,
    restore,
    elsewhere: moneyOrNull(elsewhere),
    leaving: {
      inCoins: moneyOrNull(subtract(balance.total, balance.account)),
      inAccount: moneyOrNull(balance.account),
      frozen: snapshot.frozen,
      restoring: isRestoring(snapshot),
      resting,
      paidOut: paidOut === null ? null : formatMoney(paidOut, currency),
      canRemove: snapshot.phraseConfirmed || isEmpty(snapshot),
    },
  };
}

/** No money here, none that may come back from a payment, and none that is still being looked for. */
function isEmpty(snapshot: WalletSnapshot): boolean {
  const { total, onItsWay, inFlight } = snapshot.balance;
  return (
    total === ZERO &&
    onItsWay === ZERO &&
    inFlight === ZERO &&
    !snapshot.payments.some(({ state }) => state === "refunding") &&
    !isRestoring(snapshot)
  );
}

function isRestoring({ restoring, restore }: WalletSnapshot): boolean {
  return restoring || restore !== null;
}
