/**
 * Keeps the balance where the popup finds it before this background is awake: in the session's storage, which is memory and
 * answers first, only while the wallet is open; and on the disk, sealed, for the first popup after the browser's start. Of a
 * wallet that a passphrase keeps nothing is on the disk.
 */
import {
  LAST_BALANCE,
  type LastBalanceJson,
  type TestProvider,
  type WalletSnapshotJson,
} from "../../shared/protocol/ui.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import type { SessionPort } from "../store/index.ts";
import { writeLastBalance } from "../store/last-balance.ts";
import { inTurn } from "./in-turn.ts";

export interface LastBalanceKeeper {
  /** Keeps what the wallet has now, and answers the snapshot that says it. */
  keep(): Promise<WalletSnapshotJson>;
  /** For whoever locks or erases the wallet: it is gone when this resolves, and what was being kept does not come after. */
  forget(): Promise<void>;
}

/** Of one wallet, and of no other. */
interface Place {
  readonly testProvider: TestProvider;
  readonly session: SessionPort;
}

/** @param openUntil until when the wallet stays open without use; null where no passphrase keeps it */
export function keepLastBalance(
  wallet: Pick<Wallet, "snapshot">,
  place: Place,
  openUntil: () => Promise<number | null>,
): LastBalanceKeeper {
  // One after the other, each with a snapshot of its own turn: an older one never lies over a newer one.
  const oneAtATime = inTurn();
  return {
    keep: () =>
      oneAtATime(async () => {
        const snapshot = await wallet.snapshot();
        await write(place, snapshot, await openUntil());
        return snapshot;
      }),
    forget: () => oneAtATime(() => put(place, undefined, undefined)),
  };
}

function write(
  place: Place,
  { state, protection, balance, currency, provider }: WalletSnapshotJson,
  openUntil: number | null,
): Promise<void> {
  if (state !== "ready") return put(place, undefined, undefined);
  const last: LastBalanceJson = {
    total: balance.total,
    currency,
    playMoney: provider.sandbox,
    openUntil,
  };
  return put(place, protection.hasPassphrase ? undefined : last, last);
}

async function put(
  { testProvider, session }: Place,
  onDisk: LastBalanceJson | undefined,
  inSession: LastBalanceJson | undefined,
): Promise<void> {
  await Promise.all([writeLastBalance(testProvider, onDisk), session.write(LAST_BALANCE, inSession ?? null)]);
}
