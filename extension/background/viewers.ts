/** Pages of ours that look at the wallet: each has a port, and gets one snapshot at once and one after every change. */
import { UI_PORT, type WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import type { Connection } from "../platform.ts";
import { isApprovalWindow, isOwnPage } from "./sender.ts";

/** More pages than a reader opens; beyond it new ones are turned away. */
const MAX_VIEWERS = 20;
/** A snapshot is made of many rows: it must not stand between a click on a page and its article. */
const TELL_AFTER_MS = 100;

export interface Viewers {
  accept(connection: Connection): void;
  /** Sends a snapshot soon, and not at once; changes in the meantime are one. */
  tell(): void;
  count(): number;
  /** Without the approval windows, which nobody opened to look at the wallet. */
  countOfWallet(): number;
}

export function gatherViewers(
  snapshot: () => Promise<WalletSnapshotJson>,
  pause: () => Promise<unknown> = () => new Promise((resolve) => setTimeout(resolve, TELL_AFTER_MS)),
): Viewers {
  const connections = new Set<Connection>();
  let isTelling = false;
  let isPausing = false;
  let isStale = false;
  let hasJoined = false;

  const tell = async (isUrgent: boolean) => {
    isStale = true;
    if (isPausing && isUrgent) hasJoined = true;
    if (isTelling) return;
    isTelling = true;
    try {
      for (let waits = !isUrgent; isStale && connections.size > 0; waits = true) {
        isPausing = waits;
        if (waits) await pause();
        isPausing = false;
        // Who joined in the pause may have asked for more before the change that this snapshot tells of, and is told again.
        isStale = hasJoined;
        hasJoined = false;
        const current = await snapshot();
        for (const connection of connections) connection.send(current);
      }
    } catch (error) {
      // Left open, a page would wait for ever; closed, it connects again, and says so where that does not help.
      for (const connection of connections) connection.close();
      connections.clear();
      throw error;
    } finally {
      isTelling = false;
      isPausing = false;
    }
  };

  return {
    accept(connection) {
      if (connection.name !== UI_PORT || !isOwnPage(connection.sender) || connections.size >= MAX_VIEWERS) {
        connection.close();
        return;
      }
      connections.add(connection);
      connection.onEnd(() => connections.delete(connection));
      tell(true).catch(reportError);
    },
    tell: () => void tell(false).catch(reportError),
    count: () => connections.size,
    countOfWallet: () => [...connections].filter(({ sender }) => !isApprovalWindow(sender)).length,
  };
}
