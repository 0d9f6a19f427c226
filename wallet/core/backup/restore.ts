/**
 * After a restore from the phrase:
 *
 *   pending     the backup is read at the accounts origin: payments of all devices, and then, where their reader said that
 *               those are not used any more, their coins, allowances, and where they had come to count. The wallet
 *               takes a number of its own before it counts anything.
 *   searching   the wallet can be used; what is newer than the backup is looked for (search.ts)
 *   none        done. Coins that may have been spent since are exchanged one by one (check.ts), however long that takes.
 *
 * Every step is stored with what it found, so that a death costs that step and no more. The phrase alone does as well, where
 * there is no backup, or a damaged one: then everything is found by the search, without titles and settings.
 */
import { ZERO } from "../../../shared/money.ts";
import { type Context, deviceOf, knowProvider } from "../context.ts";
import { refreshKeysets } from "../keysets.ts";
import { type CoinRow, type DeviceRow, RESTORE_KEY, SETTINGS_KEY } from "../rows.ts";
import { refreshAccount } from "../stock.ts";
import { allowanceRow, CoinsPart, Head, headJson, settingsRow } from "./content.ts";
import { fetchHeads, ownInstance, type RemoteHead, takeNumber } from "./devices.ts";
import { mergeDevice, noteForgotten } from "./merge.ts";
import { fetchPart, fits, isConflict, isFull, listParts, markOf, writePart } from "./remote.ts";
import { changeDevice, changeOwnBackup, countRestored, deviceRow, restoreRow } from "./rows.ts";

/** A device that is said to be gone may still write while it is taken over. */
const MAX_TRIES = 4;

/** Does nothing if there is nothing to bring back. @throws TuppenceError provider_*: it is begun again later, where it was */
export function bringBack(context: Context): Promise<void> {
  return context.serially(async () => {
    if ((await context.open()).row.recovery !== "pending") return;
    await knowProvider(context);
    await refreshKeysets(context);
    await refreshAccount(context);
    const instance = await ownInstance(context);
    const versions = await listParts(context);
    const heads = await fetchHeads(context, versions);
    const others = heads.filter(({ head }) => head?.instance !== instance);
    await begin(context, others);
    await noteForgotten(context, others);
    for (const { head, version } of others) if (head) await mergeDevice(context, head, version, versions);
    await takeSettings(context, others);
    await haveNumber(context, instance, versions);
    if ((await context.open()).row.otherDevices === "gone") {
      await takeOverAll(context, others);
      await context.updateWallet((row) => ({ ...row, recovery: "searching" }));
    } else await context.updateWallet((row) => ({ ...row, recovery: "none" }));
  });
}

async function begin(context: Context, others: readonly RemoteHead[]): Promise<void> {
  const damagedParts = others.filter(({ head, isEmptied }) => head === undefined && !isEmptied).length;
  const receiptsInBackup = others.reduce(
    (sum, { head }) => sum + (head ? head.payments.count + head.recent.length : 0),
    0,
  );
  await context.store.transaction(async (tables) => {
    const before = await restoreRow(tables);
    await tables.backups.put(
      before
        ? { ...before, receiptsInBackup: Math.max(before.receiptsInBackup, receiptsInBackup) }
        : {
            key: RESTORE_KEY,
            kind: "restore",
            startedAt: context.nowMs(),
            receipts: 0,
            receiptsInBackup,
            coins: 0,
            damagedParts,
          },
    );
  });
  context.changed();
}

/** The reader's own, whichever device they were set on last; not over what was set here. */
async function takeSettings(context: Context, others: readonly RemoteHead[]): Promise<void> {
  const heads = others.flatMap(({ head }) => head ?? []).sort((a, b) => b.writtenAt - a.writtenAt);
  const settings = heads.find((head) => head.settings !== undefined)?.settings;
  if (!settings) return;
  await context.store.transaction(async (tables) => {
    if (!(await tables.settings.get(SETTINGS_KEY))) await tables.settings.put(settingsRow(settings));
  });
}

async function haveNumber(
  context: Context,
  instance: string,
  versions: ReadonlyMap<string, number>,
): Promise<void> {
  if (deviceOf((await context.open()).row) !== undefined) return;
  const { device, version } = await takeNumber(context, instance, versions);
  await changeOwnBackup(context, (row) => ({ ...row, version }));
  await context.updateWallet((row) => ({ ...row, device }));
}

/** The first device is there, whether or not it ever wrote a backup. */
async function takeOverAll(context: Context, others: readonly RemoteHead[]): Promise<void> {
  const own = deviceOf((await context.open()).row);
  const found = new Map(others.map((remote) => [remote.device, remote]));
  if (own !== 0 && !found.has(0)) found.set(0, { device: 0, version: 0, head: undefined, isEmptied: false });
  for (const remote of found.values()) {
    const { takeOver } = await context.store.read((tables) => deviceRow(tables, remote.device));
    if (takeOver === "done") continue;
    if (remote.head) await takeOverDevice(context, own ?? 0, remote.version, remote.head);
    else await searchFromTheStart(context, remote.device);
  }
}

/** First it is said at the provider, from the version that was read, so that the other device cannot go on beside it unknowing. */
async function takeOverDevice(
  context: Context,
  own: number,
  readVersion: number,
  readHead: Head,
): Promise<void> {
  const { device } = readHead;
  let [version, head]: [number, Head] = [readVersion, readHead];
  for (let tries = 1; ; tries++) {
    const { coins: found, isWhole } = await fetchCoins(context, head);
    // Whoever took them before may have died before it had them in a backup of its own: they are looked at, and count for nothing.
    const isOthers = head.takenOver !== undefined && head.takenOver.by !== own;
    const coins = isOthers ? found.map((coin): CoinRow => ({ ...coin, state: "unchecked" })) : found;
    try {
      if (!head.takenOver) {
        const marks = await Promise.all(coins.map(({ secret }) => markOf(secret)));
        const said = { ...headJson(head), takenOver: { by: own, coins: marks } };
        // The other looks at what it has left, coin by coin, whether or not it was named.
        while (!fits(said) && marks.length > 0) marks.pop();
        // Without room to say so the coins are exchanged all the same: where both have one, it is whoever's comes first.
        version = await writePart(context, ["head", device, 0], said, version).catch((error: unknown) => {
          if (!isFull(error)) throw error;
          return version;
        });
      }
      await takeIn(context, head, coins, isWhole);
      await changeDevice(context, device, (row) => ({ ...row, headVersion: version }));
      return;
    } catch (error) {
      if (!isConflict(error) || tries === MAX_TRIES) throw error;
      const again = await fetchPart(context, ["head", device, 0], Head);
      if (!again?.content) return searchFromTheStart(context, device);
      [version, head] = [again.version, again.content];
      await mergeDevice(context, head, version, await listParts(context));
    }
  }
}

async function fetchCoins(context: Context, head: Head): Promise<{ coins: CoinRow[]; isWhole: boolean }> {
  const coins: CoinRow[] = [];
  let isWhole = true;
  for (let index = 0; index < head.coins.parts; index++) {
    const part = await fetchPart(context, ["coins", head.device, index], CoinsPart);
    // An older one than its head: a search finds what is missing in it.
    if (!part?.content || part.content.writtenAt < head.writtenAt) isWhole = false;
    for (const coin of part?.content?.coins ?? [])
      coins.push({ ...coin, state: "free", holder: undefined, isRestored: true });
  }
  return { coins, isWhole };
}

/** In one transaction: coins, allowances, and from where on to search. */
async function takeIn(
  context: Context,
  head: Head,
  coins: readonly CoinRow[],
  isWhole: boolean,
): Promise<void> {
  await changeDevice(
    context,
    head.device,
    (row): DeviceRow => ({
      ...row,
      takeOver: "done",
      coinsValue: ZERO,
      // Where coins are missing, they are among those that were signed, from the first on, or among the change.
      outputs: isWhole ? head.outputs.map(({ key, from }) => ({ key, next: from, afterLast: from })) : [],
      nextPayment: isWhole ? head.nextPayment : 0,
      lastPayment: isWhole ? head.nextPayment : 0,
      openPayments: isWhole ? head.openPayments : [],
    }),
    async (tables) => {
      const kept = await Promise.all(coins.map(({ secret }) => tables.coins.get(secret)));
      const missing = coins.filter((_, index) => kept[index] === undefined);
      await tables.coins.putAll(missing);
      await countRestored(tables, { coins: missing.length, damagedParts: isWhole ? 0 : 1 });
      for (const allowance of head.allowances) {
        if (!(await tables.allowances.get(allowance.origin)))
          await tables.allowances.put(allowanceRow(allowance));
      }
    },
  );
}

async function searchFromTheStart(context: Context, device: number): Promise<void> {
  await changeDevice(context, device, (row) => ({
    ...row,
    takeOver: "done",
    coinsValue: ZERO,
    outputs: [],
    nextPayment: 0,
    lastPayment: 0,
  }));
}
