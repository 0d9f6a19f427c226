/** What other devices of the same phrase wrote, taken into this wallet: their payments with receipts, never what is here already. */
import { ZERO } from "../../../shared/money.ts";
import type { Context } from "../context.ts";
import { isUnfinished } from "../payments.ts";
import type { StoreTables } from "../ports.ts";
import type { PaymentRow } from "../rows.ts";
import { countIn, countOut, recountSite } from "../spending.ts";
import { type Head, type PaymentRecord, PaymentsPart, paymentRow } from "./content.ts";
import type { RemoteHead } from "./devices.ts";
import { fetchPart, nameOf } from "./remote.ts";
import { changeDevice, countRestored, deviceRow, ownBackup } from "./rows.ts";
import { union } from "./watch.ts";

/** Only the parts at versions that were not merged yet. Each is stored with how far it has come, so that a death costs one. */
export async function mergeDevice(
  context: Context,
  head: Head,
  headVersion: number,
  versions: ReadonlyMap<string, number>,
): Promise<void> {
  const { device } = head;
  const known = await context.store.read((tables) => deviceRow(tables, device));
  for (let index = 0; index < head.payments.parts; index++) {
    const version = versions.get(await nameOf(context, ["payments", device, index])) ?? 0;
    if (version !== 0 && known.paymentVersions[index] === version) continue;
    const part =
      version === 0 ? undefined : await fetchPart(context, ["payments", device, index], PaymentsPart);
    await merge(context, part?.content?.payments ?? [], (tables) =>
      part?.content ? Promise.resolve() : countRestored(tables, { damagedParts: 1 }),
    );
    await changeDevice(context, device, (row) => ({
      ...row,
      paymentVersions: Object.assign([...row.paymentVersions], { [index]: version }),
    }));
  }
  if (known.headVersion === headVersion) return;
  await merge(context, [...head.recent, ...head.changed], (tables) => forget(tables, head.forgotten));
  await changeDevice(context, device, (row) =>
    head.takenOver
      ? { ...row, headVersion, coinsValue: ZERO }
      : {
          ...row,
          headVersion,
          coinsValue: head.coins.value,
          // It is in use, whatever was believed of it: what it has now can be taken over anew.
          takeOver: "no",
          isRevokedLookedUp: false,
          isSearched: false,
        },
  );
}

async function merge(
  context: Context,
  records: readonly PaymentRecord[],
  also: (tables: StoreTables) => Promise<void>,
): Promise<void> {
  const rows = records.map(paymentRow).filter((row) => row !== undefined);
  // Past what notes changes: that these are in a backup is known.
  await context.ports.store.transaction(async (tables) => {
    const { forgotten } = await ownBackup(tables);
    const kept = await Promise.all(rows.map(({ id }) => tables.payments.get(id)));
    const merged = rows.flatMap((row, index) => {
      const before = kept[index];
      const after = forgotten.includes(row.id) ? undefined : mergeRow(before, row);
      return after ? [{ before, after }] : [];
    });
    const added = merged.flatMap(({ before, after }) => (before ? [] : [after]));
    const givenBack = merged.flatMap(({ before, after }) =>
      before?.state === "paid" && after.state === "refunded" ? [before] : [],
    );
    await tables.payments.putAll(merged.map(({ after }) => after));
    // What another device spent counts against the limits of all.
    await countIn(tables, ...added.filter(({ state }) => state === "paid"));
    await countOut(tables, ...givenBack);
    // Not what is merged once more: after a death, or where a head of a new version has what the last one had.
    await countRestored(tables, { receipts: added.length });
    await also(tables);
  });
  context.changed();
}

/** Before anything is merged: one device's head may forget what another one's still has. */
export async function noteForgotten(context: Context, heads: readonly RemoteHead[]): Promise<void> {
  const ids = heads.flatMap(({ head }) => head?.forgotten ?? []);
  if (ids.length === 0) return;
  await context.ports.store.transaction(async (tables) => {
    const own = await ownBackup(tables);
    await tables.backups.put({ ...own, forgotten: union(own.forgotten, ids) });
  });
}

/** Money that is still on its way stays, as where a site is forgotten here; its time comes with that device's next head. */
async function forget(tables: StoreTables, ids: readonly string[]): Promise<void> {
  const kept = await Promise.all(ids.map((id) => tables.payments.get(id)));
  const found = kept.filter((payment) => payment !== undefined && !isUnfinished(payment));
  const origins = new Set(found.flatMap((payment) => payment?.origin ?? []));
  await tables.payments.removeAll(found.flatMap((payment) => payment?.id ?? []));
  for (const origin of origins) await recountSite(tables, origin);
}

/** Undefined where the row that is here knows as much, or more. */
function mergeRow(kept: PaymentRow | undefined, found: PaymentRow): PaymentRow | undefined {
  if (!kept) return found;
  return kept.state === "paid" && found.state === "refunded"
    ? { ...kept, state: "refunded", contentKey: undefined, contentKeySeal: undefined }
    : undefined;
}
