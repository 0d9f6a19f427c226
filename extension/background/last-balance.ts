/**
 * Keeps the balance where the popup finds it before this background is awake: on the disk, sealed; of a wallet that a
 * passphrase keeps only in the session's storage, which is memory, and only while it is open.
 */
import { LAST_BALANCE, type LastBalanceJson, type WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import { writeSession } from "../platform.ts";
import { writeLastBalance } from "../store/last-balance.ts";
import { inTurn } from "./in-turn.ts";

export interface LastBalanceKeeper {
  /** Keeps what the wallet has now, and answers the snapshot that says it. */
  keep(): Promise<WalletSnapshotJson>;
  /** For whoever locks or erases the wallet: it is gone when this resolves, and what was being kept does not come after. */
  forget(): Promise<void>;
}

/** @param openUntil until when the wallet stays open without use; null where no passphrase keeps it */
export function keepLastBalance(
  wallet: Pick<Wallet, "snapshot">,
  openUntil: () => Promise<number | null>,
): LastBalanceKeeper {
  // One after the other, each with a snapshot of its own turn: an older one never lies over a newer one.
  const oneAtATime = inTurn();
  return {
    keep: () =>
      oneAtATime(async () => {
        const snapshot = await wallet.snapshot();
        await write(snapshot, await openUntil());
        return snapshot;
      }),
    forget: () => oneAtATime(() => put(undefined, undefined)),
  };
}

function write(
  { state, protection, balance, currency, provider }: WalletSnapshotJson,
  openUntil: number | null,
): Promise<void> {
  if (state !== "ready") return put(undefined, undefined);
  const last: LastBalanceJson = {
    total: balance.total,
    currency,
    playMoney: provider.sandbox,
    openUntil,
  };
  return protection.hasPassphrase ? put(undefined, last) : put(last, undefined);
}

async function put(onDisk: LastBalanceJson | undefined, inSession: LastBalanceJson | undefined) {
  await Promise.all([writeLastBalance(onDisk), writeSession(LAST_BALANCE, inSession ?? null)]);
}
