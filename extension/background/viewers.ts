/** Pages of ours that look at the wallet: each has a port, and gets one snapshot at once and one after every change. */
import { UI_PORT, type WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import type { Connection } from "../platform.ts";
import { isOwnPage } from "./sender.ts";

/** More pages than a reader opens; beyond it new ones are turned away. */
const MAX_VIEWERS = 20;

export interface Viewers {
  accept(connection: Connection): void;
  /** Sends a snapshot soon; changes in the meantime are one. */
  tell(): void;
  count(): number;
}

export function gatherViewers(snapshot: () => Promise<WalletSnapshotJson>): Viewers {
  const connections = new Set<Connection>();
  let isTelling = false;
  let isStale = false;

  const tell = async () => {
    isStale = true;
    if (isTelling) return;
    isTelling = true;
    try {
      while (isStale && connections.size > 0) {
        isStale = false;
        const current = await snapshot();
        for (const connection of connections) connection.send(current);
      }
    } finally {
      isTelling = false;
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
      tell().catch(reportError);
    },
    tell: () => void tell().catch(reportError),
    count: () => connections.size,
  };
}
