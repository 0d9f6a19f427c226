/**
 * Writes one part of an account's backup, where there is room for it. How much room there is:
 *
 *   an account that never topped up   UNPAID_BYTES: accounts are free, and the ledger stands on the same disk
 *   any other                         what the operator says, in MAX_PARTS parts
 *   and beyond that                   RESERVE_BYTES for parts of the smallest size: who restores a wallet takes the number of
 *                                     its device by writing such a one, however full the devices before left it
 *   a part that is there already      always, where it does not grow
 */
import { TuppenceError } from "../../shared/errors.ts";
import { BACKUP_STEPS_BYTES } from "../../shared/protocol/provider.ts";
import type { AccountDeps } from "../accounts/index.ts";
import { hadTopUp } from "../topups/index.ts";
import { type Part, replacePart, type UsedRoom, usedRoom } from "./store.ts";
import type { InTurn } from "./turns.ts";

const UNPAID_BYTES = 262_144;
const RESERVE_BYTES = 2_097_152;
/** Whatever their size. */
const MAX_PARTS = 2_000;
const SMALLEST_PART_BYTES = Math.min(...BACKUP_STEPS_BYTES);
const RESERVE_PARTS = RESERVE_BYTES / SMALLEST_PART_BYTES;

/** @throws TuppenceError backup_full, backup_conflict, overloaded */
export async function writePart(
  deps: Pick<AccountDeps, "database" | "ledger" | "config">,
  inTurn: InTurn,
  accountId: string,
  part: Part,
): Promise<void> {
  const isPaid = await hadTopUp(deps, accountId);
  const mostBytes = isPaid ? deps.config.walletBackupBytes : UNPAID_BYTES;
  // Of writings at once each would see the room that the others take. So they come one after the other; where several
  // processes write to one database, each of the others may add one part while this one looks.
  await inTurn(accountId, async () => {
    const used = await usedRoom(deps.database, accountId, part.name);
    if (!fits(used, part.content.length, mostBytes, isPaid))
      throw new TuppenceError("backup_full", { mostBytes });
    if (!(await replacePart(deps.database, accountId, part))) throw new TuppenceError("backup_conflict");
  });
}

function fits(
  { others, replacedBytes }: UsedRoom,
  bytes: number,
  mostBytes: number,
  isPaid: boolean,
): boolean {
  if (replacedBytes !== undefined && bytes <= replacedBytes) return true;
  const hasReserve = isPaid && bytes === SMALLEST_PART_BYTES;
  if (others.bytes + bytes > mostBytes + (hasReserve ? RESERVE_BYTES : 0)) return false;
  return replacedBytes !== undefined || others.parts < MAX_PARTS + (hasReserve ? RESERVE_PARTS : 0);
}
