/** The rows of the table `backups`, each as what it is. */
import type { Context } from "../context.ts";
import type { StoreTables } from "../ports.ts";
import {
  type DeviceRow,
  OWN_BACKUP_KEY,
  type OwnBackupRow,
  type OwnPartRow,
  RESTORE_KEY,
  type RestoreRow,
} from "../rows.ts";
import { NEVER_SAVED } from "./watch.ts";

type Tables = Pick<StoreTables, "backups">;

export async function ownBackup(tables: Tables): Promise<OwnBackupRow> {
  const row = await tables.backups.get(OWN_BACKUP_KEY);
  return row?.kind === "own" ? row : NEVER_SAVED;
}

export async function changeOwnBackup(
  context: Context,
  change: (row: OwnBackupRow) => OwnBackupRow,
): Promise<OwnBackupRow> {
  return context.store.transaction(async (tables) => {
    const changed = change(await ownBackup(tables));
    await tables.backups.put(changed);
    return changed;
  });
}

export const partKey = (kind: "coins" | "payments", index: number): string => `${kind} ${index}`;

export async function ownPart(tables: Tables, key: string): Promise<OwnPartRow | undefined> {
  const row = await tables.backups.get(key);
  return row?.kind === "part" ? row : undefined;
}

export async function ownParts(tables: Tables): Promise<OwnPartRow[]> {
  return (await tables.backups.all()).filter((row) => row.kind === "part");
}

const deviceKey = (device: number): string => `device ${device}`;

export async function deviceRow(tables: Tables, device: number): Promise<DeviceRow> {
  const row = await tables.backups.get(deviceKey(device));
  return row?.kind === "device"
    ? row
    : {
        key: deviceKey(device),
        kind: "device",
        device,
        headVersion: 0,
        paymentVersions: [],
        coinsValue: 0n as DeviceRow["coinsValue"],
        takeOver: "no",
        outputs: [],
        nextPayment: 0,
        lastPayment: 0,
        openPayments: [],
        isRevokedLookedUp: false,
        isSearched: false,
      };
}

export async function deviceRows(tables: Tables): Promise<DeviceRow[]> {
  const rows = (await tables.backups.all()).filter((row) => row.kind === "device");
  return rows.sort((a, b) => a.device - b.device);
}

/** One transaction over what is known of another device. */
export async function changeDevice(
  context: Context,
  device: number,
  change: (row: DeviceRow) => DeviceRow,
  also: (tables: StoreTables) => Promise<unknown> = async () => undefined,
): Promise<DeviceRow> {
  const changed = await context.store.transaction(async (tables) => {
    const next = change(await deviceRow(tables, device));
    await tables.backups.put(next);
    await also(tables);
    return next;
  });
  context.changed();
  return changed;
}

export async function restoreRow(tables: Tables): Promise<RestoreRow | undefined> {
  const row = await tables.backups.get(RESTORE_KEY);
  return row?.kind === "restore" ? row : undefined;
}

/** Counts on, where a restore is under way. */
export async function countRestored(
  tables: Tables,
  more: Partial<Pick<RestoreRow, "receipts" | "coins" | "damagedParts">>,
): Promise<void> {
  const row = await restoreRow(tables);
  if (!row) return;
  await tables.backups.put({
    ...row,
    receipts: row.receipts + (more.receipts ?? 0),
    coins: row.coins + (more.coins ?? 0),
    damagedParts: row.damagedParts + (more.damagedParts ?? 0),
  });
}
