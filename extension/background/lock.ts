/**
 * The lock of a wallet that a passphrase keeps: opened by the reader, closed by the reader or by itself after a while without
 * use. When the last use was stands in the session's storage, because the background dies in between, and the alarm that
 * closes it rings late on a computer that slept: so every use looks at the time first.
 */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { MIN_PASSPHRASE_CHARACTERS, POPUP_PAGE, type UiRequestOf } from "../../shared/protocol/ui.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import { closeWindow, extensionUrl, focusWindow, moveAlarm, openWindow } from "../platform.ts";
import type { LockableStore, SessionPort } from "../store/index.ts";
import { inTurn } from "./in-turn.ts";

export const LOCK_ALARM = "lock";

const STORED_AS = "last-use";
const MINUTE_MS = 60_000;
/** The time of a use is written down once in so long. */
const NOTED_EVERY_MS = 5_000;
const WINDOW_PIXELS = { width: 380, height: 420 };
/** How long a page waits for the reader to unlock the wallet. */
const PATIENCE_MS = 120_000;

export interface Lock {
  /** The reader does something with the wallet: it is locked if that was too long ago, otherwise it stays open. */
  use(): Promise<void>;
  /** As `use`, for a page's request: a locked wallet asks the reader to unlock it. @throws TuppenceError wallet_locked */
  admit(): Promise<void>;
  /** Locks the wallet if it is time. */
  check(): Promise<void>;
  windowClosed(windowId: number): void;
  unlock(passphrase: string): Promise<void>;
  lock(): Promise<void>;
  /** @throws TuppenceError passphrase_wrong, where one keeps the wallet and this is not it */
  verify(passphrase: string | undefined): Promise<void>;
  protect(request: UiRequestOf<"protect">): Promise<void>;
  erase(): Promise<void>;
  /** Until when the wallet stays open if nobody uses it (milliseconds since 1970); null where no passphrase keeps it. */
  openUntil(): Promise<number | null>;
}

interface LockPorts {
  /** Of this wallet alone. */
  readonly session: SessionPort;
  /** Takes away what the popup shows before the background is awake. */
  readonly forgetBalance: () => Promise<void>;
}

export function keepLock(
  store: LockableStore,
  wallet: Pick<Wallet, "forget" | "resume">,
  { session, forgetBalance }: LockPorts,
): Lock {
  let notedAt = 0;
  let asking: { readonly windowId: number; readonly ended: PromiseWithResolvers<void> } | undefined;

  const note = async (lockAfterMinutes: number): Promise<void> => {
    const now = Date.now();
    if (now - notedAt < NOTED_EVERY_MS) return;
    notedAt = now;
    await session.write(STORED_AS, now);
    await moveAlarm(LOCK_ALARM, now + lockAfterMinutes * MINUTE_MS);
  };
  const close = async (): Promise<void> => {
    await store.lock();
    await forgetBalance();
    wallet.forget();
  };
  /** Zero where no use was noted: long ago. */
  const readLastUse = async (): Promise<number> => {
    const lastUse = v.safeParse(v.number(), await session.read(STORED_AS));
    return lastUse.success ? lastUse.output : 0;
  };
  /** Locks the wallet if it is time, and says how it stands then. */
  const judge = async () => {
    const protection = await store.protection();
    if (!protection.hasPassphrase || protection.isLocked) return protection;
    if (Date.now() - (await readLastUse()) < protection.lockAfterMinutes * MINUTE_MS) return protection;
    await close();
    return { ...protection, isLocked: true };
  };
  const use = async (): Promise<boolean> => {
    const { hasPassphrase, isLocked, lockAfterMinutes } = await judge();
    if (hasPassphrase && !isLocked) await note(lockAfterMinutes);
    return isLocked;
  };
  const opened = async (lockAfterMinutes: number): Promise<void> => {
    notedAt = 0;
    await note(lockAfterMinutes);
    wallet.forget();
    asking?.ended.resolve();
    wallet.resume().catch(reportError);
  };
  /** One window, whoever asks. */
  const oneAtATime = inTurn();
  const showWindow = async () => {
    if (asking && (await focusWindow(asking.windowId))) return asking;
    const { width, height } = WINDOW_PIXELS;
    const windowId = await openWindow(`${extensionUrl(POPUP_PAGE)}?unlock`, width, height);
    if (windowId === undefined) throw new TuppenceError("wallet_locked");
    asking = { windowId, ended: Promise.withResolvers() };
    return asking;
  };
  const askToUnlock = async (): Promise<void> => {
    const { windowId, ended } = await oneAtATime(showWindow);
    const patience = setTimeout(() => ended.reject(new TuppenceError("wallet_locked")), PATIENCE_MS);
    await ended.promise.finally(() => {
      clearTimeout(patience);
      asking = undefined;
    });
    await closeWindow(windowId);
  };

  return {
    use: async () => void (await use()),
    admit: async () => {
      if (await use()) await askToUnlock();
    },
    check: async () => void (await judge()),
    windowClosed: (windowId) => {
      if (asking?.windowId === windowId) asking.ended.reject(new TuppenceError("wallet_locked"));
    },
    unlock: async (passphrase) => {
      await store.unlock(passphrase);
      await opened((await store.protection()).lockAfterMinutes);
    },
    lock: close,
    verify: async (passphrase) => {
      if ((await store.protection()).hasPassphrase) await store.verify(passphrase ?? "");
    },
    protect: async ({ current, passphrase, lockAfterMinutes }) => {
      const before = await store.protection();
      if (before.isLocked) throw new TuppenceError("wallet_locked");
      if (before.hasPassphrase) await store.verify(current ?? "");
      if (passphrase !== null && [...passphrase.normalize("NFKC")].length < MIN_PASSPHRASE_CHARACTERS)
        throw new TuppenceError("passphrase_weak");
      // Before and after: who dies in between leaves no balance of a wallet that is locked now.
      await forgetBalance();
      await store.protect(passphrase === null ? "device" : { passphrase, lockAfterMinutes });
      await forgetBalance();
      await opened(lockAfterMinutes);
    },
    erase: async () => {
      await forgetBalance();
      await store.erase();
      await forgetBalance();
      wallet.forget();
    },
    openUntil: async () => {
      const { hasPassphrase, lockAfterMinutes } = await store.protection();
      return hasPassphrase ? (await readLastUse()) + lockAfterMinutes * MINUTE_MS : null;
    },
  };
}
