/**
 * The page's end of the port to the background: one snapshot at once and after every change. The background dies at
 * any moment, and the port with it; connecting again starts it, so the page does that by itself.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { safeParse } from "valibot";
import { UI_PORT, WalletSnapshot } from "../../../shared/protocol/ui.ts";

/** Pauses before the 1st, 2nd, 3rd … attempt; the last one for all that follow. A snapshot starts the count again. */
const RECONNECT_PAUSES_MS: readonly number[] = [0, 100, 400, 1_000, 2_000];
/** So many failures in a row, and the reader is told. */
const ATTEMPTS_BEFORE_SILENT = 4;

/** A port that opened and says nothing: a browser that installs us may start the background and lose what opened it. */
export const UNHEARD_AFTER_MS = 4_000;

export interface ConnectionPorts {
  /** Opens a port, and answers what closes it. `onEnd` comes once, when the other end is gone; not where this end closed it. */
  connect(name: string, onMessage: (message: unknown) => void, onEnd: () => void): () => void;
  after(milliseconds: number, run: () => void): void;
}

export interface Connection {
  /** Undefined until the first one arrives. The last one stays while the port is being opened again. */
  readonly snapshot: ReadonlySignal<WalletSnapshot | undefined>;
  /** The background does not answer at all. */
  readonly silent: ReadonlySignal<boolean>;
}

export function followWallet(ports: ConnectionPorts): Connection {
  const snapshot = signal<WalletSnapshot | undefined>(undefined);
  const silent = signal(false);
  let failures = 0;

  const open = (): void => {
    let isHeard = false;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      openAgain();
    };
    const hear = (message: unknown): void => {
      isHeard = take(message) || isHeard;
    };
    try {
      const close = ports.connect(UI_PORT, hear, end);
      ports.after(UNHEARD_AFTER_MS, () => {
        if (isHeard || isOver) return;
        close();
        end();
      });
    } catch {
      end();
    }
  };
  const take = (message: unknown): boolean => {
    const decoded = safeParse(WalletSnapshot, message);
    if (!decoded.success) return false;
    failures = 0;
    silent.value = false;
    snapshot.value = decoded.output;
    return true;
  };
  const openAgain = (): void => {
    const pause = RECONNECT_PAUSES_MS[Math.min(failures, RECONNECT_PAUSES_MS.length - 1)] ?? 0;
    failures += 1;
    silent.value = failures >= ATTEMPTS_BEFORE_SILENT;
    ports.after(pause, open);
  };

  open();
  return { snapshot, silent };
}
