/**
 * Writes this wallet's own parts of the backup. What is large goes first and the head last, which says what the others are.
 * Coins and head are written whether or not they changed, so that a backup does not tell whether anything was paid since the
 * last one; older payments only where a part is full, or changed. Nobody overwrites what is newer than he knows: a part is written from a version to the
 * next one, and whoever finds another version looks first who wrote it.
 *
 *   mine, an answer that was lost     goes on from that version
 *   taken over by another device      gives up the coins that it took, and goes on
 *   another wallet of the same number takes a new number (two of the first version had the same phrase)
 *   older than what was written here  the provider went back in time: everything is written again
 */
import { TuppenceError } from "../../../shared/errors.ts";
import { type Context, deviceOf, ownDevice } from "../context.ts";
import { valueOf } from "../drawer.ts";
import { isUnfinished } from "../payments.ts";
import type { StoreTables } from "../ports.ts";
import { PAYMENT_COUNTER } from "../prepared.ts";
import { type CoinRow, type PaymentRow, SETTINGS_KEY } from "../rows.ts";
import { refreshAccount } from "../stock.ts";
import {
  allowanceRecord,
  COINS_PER_PART,
  coinRecord,
  Head,
  type HeadJson,
  type PaymentRecord,
  paymentRecord,
  settingsRecord,
} from "./content.ts";
import { fetchHeads, ownInstance, takeNumber } from "./devices.ts";
import { mergeDevice, noteForgotten } from "./merge.ts";
import { fetchPart, fits, isConflict, listParts, markOf, nameOf, replacePart, writePart } from "./remote.ts";
import { changeOwnBackup, ownBackup, ownPart, ownParts, partKey } from "./rows.ts";

/** Of JSON: what stands in the head before it becomes a part of its own. */
const MOST_RECENT_LENGTH = 80_000;
/** Numbers that are looked at in one go: most of them may never have been used. */
const COUNTERS_AT_ONCE = 400;
/** Of other devices' payments that were changed here; the newest. */
const MAX_CHANGED = 60;
const MAX_FORGOTTEN = 500;
const MAX_ALLOWANCES = 150;
/** Whoever takes this one over writes into its head that it did. */
const TAKEN_OVER_BYTES = 200;
/** Others may have written meanwhile, or taken something over. */
const MAX_TRIES = 4;

/** @throws TuppenceError restore_unfinished, provider_*, backup_full: nothing is lost, it is tried again later */
export async function writeBackup(context: Context, onNewNumber: () => void): Promise<void> {
  if (deviceOf((await context.open()).row) === undefined) throw new TuppenceError("restore_unfinished");
  if (!(await context.open()).row.registered) await refreshAccount(context);
  for (let tries = 1; ; tries++) {
    const versions = await listParts(context);
    await settleHead(context, versions, onNewNumber);
    await mergeOthers(context, versions);
    try {
      await writeOwn(context, versions);
      return;
    } catch (error) {
      // Somebody was faster: by a takeover, or by an earlier, unanswered attempt of ours.
      if (!isConflict(error) || tries === MAX_TRIES) throw error;
    }
  }
}

async function writeOwn(context: Context, versions: ReadonlyMap<string, number>): Promise<void> {
  // Whatever changes from here on is in the next one, if it is not in this.
  await changeOwnBackup(context, (row) => ({ ...row, state: "saving" }));
  await forgetLostParts(context, versions);
  await rewriteChanged(context);
  await sealOlder(context);
  const { head, coins } = await collect(context);
  await writeCoins(context, coins, head.writtenAt);
  const own = await context.store.read(ownBackup);
  const version = await writePart(context, ["head", head.device, 0], head, own.version);
  await changeOwnBackup(context, (row) => ({
    ...row,
    version,
    savedAt: context.nowMs(),
    dueAt: undefined,
    error: undefined,
    state: row.state === "saving" ? "saved" : row.state,
  }));
  context.changed();
}

/** Makes sure that the head at the provider is ours, as we left it. */
async function settleHead(
  context: Context,
  versions: ReadonlyMap<string, number>,
  onNewNumber: () => void,
): Promise<void> {
  const { device } = await ownDevice(context);
  const own = await context.store.read(ownBackup);
  const listed = versions.get(await nameOf(context, ["head", device, 0])) ?? 0;
  if (listed === own.version) return;
  const found = await fetchPart(context, ["head", device, 0], Head);
  const head = found?.content;
  const instance = await ownInstance(context);
  if (head && head.instance !== instance) {
    await changeNumber(context, instance, versions);
    onNewNumber();
    return;
  }
  if (head?.takenOver) await giveUpCoins(context, head, head.takenOver);
  await changeOwnBackup(context, (row) => ({ ...row, version: found?.version ?? 0 }));
}

/**
 * Another device has them now, if it came to write down that it has them; otherwise it may be gone, and each is exchanged
 * here, which finds out. So is what came since: it may have been found as well.
 */
async function giveUpCoins(
  context: Context,
  { allowances }: Head,
  { by, coins: taken }: NonNullable<Head["takenOver"]>,
): Promise<void> {
  const taker = (await fetchPart(context, ["head", by, 0], Head))?.content;
  const hasThem = taker !== undefined && !taker.isEmpty;
  const free = await context.store.read((tables) => tables.coins.where("state", "free"));
  const marks = new Set(taken);
  const gone = new Set<string>();
  for (const { secret } of free) if (marks.has(await markOf(secret))) gone.add(secret);
  await context.store.transaction(async (tables) => {
    const still = await tables.coins.where("state", "free");
    const isGone = ({ secret }: CoinRow): boolean => hasThem && gone.has(secret);
    await tables.coins.removeAll(still.filter(isGone).map(({ secret }) => secret));
    const others = still.filter((coin) => !isGone(coin));
    await tables.coins.putAll(others.map((coin) => ({ ...coin, isRestored: true })));
    for (const { origin, at } of allowances) {
      const kept = await tables.allowances.get(origin);
      if (kept?.at === at) await tables.allowances.remove(origin);
    }
  });
  context.changed();
}

/** Two wallets of the first version counted with the same numbers; from here on they do not. */
async function changeNumber(
  context: Context,
  instance: string,
  versions: ReadonlyMap<string, number>,
): Promise<void> {
  const { device, version } = await takeNumber(context, instance, versions);
  await context.store.transaction(async (tables) => {
    const payments = await tables.paymentSummaries.newest(MAX_CHANGED);
    const parts = await ownParts(tables);
    await tables.backups.removeAll(parts.map(({ key }) => key));
    await tables.backups.put({
      ...(await ownBackup(tables)),
      version,
      sealedTo: (await tables.counters.get(PAYMENT_COUNTER))?.next ?? 0,
      paymentParts: 0,
      sealedPayments: 0,
      coinParts: 0,
      changedCounters: [],
      // They were made under the number that another has now.
      changed: payments.map(({ id }) => id),
    });
  });
  await context.updateWallet((row) => ({ ...row, device }));
}

async function mergeOthers(context: Context, versions: ReadonlyMap<string, number>): Promise<void> {
  const own = await ownDevice(context);
  const known = new Map<number, number>();
  const rows = await context.store.read((tables) => tables.backups.all());
  for (const row of rows) if (row.kind === "device") known.set(row.device, row.headVersion);
  const heads = await fetchHeads(
    context,
    versions,
    (device, version) => device !== own.device && known.get(device) !== version,
  );
  await noteForgotten(context, heads);
  for (const { version, head } of heads) if (head) await mergeDevice(context, head, version, versions);
}

/** Parts that are not there as they were written: the provider lost them, or went back in time. */
async function forgetLostParts(context: Context, versions: ReadonlyMap<string, number>): Promise<void> {
  const { device } = await ownDevice(context);
  for (const part of await context.store.read(ownParts)) {
    const [kind, index] = part.key.split(" ");
    if (kind !== "coins" && kind !== "payments") continue;
    const version = versions.get(await nameOf(context, [kind, device, Number(index)])) ?? 0;
    if (version === part.version) continue;
    await context.store.transaction((tables) => tables.backups.put({ ...part, version, isLost: true }));
  }
}

/** Payments in older parts that were refunded or forgotten since, and parts that were lost. */
async function rewriteChanged(context: Context): Promise<void> {
  const { device } = await ownDevice(context);
  const own = await context.store.read(ownBackup);
  for (let index = 0; index < own.paymentParts; index++) {
    const key = partKey("payments", index);
    const part = await context.store.read((tables) => ownPart(tables, key));
    if (!part) continue;
    const isInPart = (counter: number): boolean => counter >= part.from && counter < part.to;
    if (!part.isLost && !own.changedCounters.some(isInPart)) continue;
    const ids = await idsBetween(context, part.from, part.to);
    const payments = recordsOf(await context.store.read((tables) => paymentsOf(tables, ids)));
    const version = await replacePart(context, ["payments", device, index], { payments }, part.version);
    await context.store.transaction(async (tables) => {
      await tables.backups.put({ ...part, version, isLost: false });
      // What changed once more meanwhile is written once more.
      const now = recordsOf(await paymentsOf(tables, ids));
      if (JSON.stringify(now) !== JSON.stringify(payments)) return;
      const kept = await ownBackup(tables);
      const changedCounters = kept.changedCounters.filter((counter) => !isInPart(counter));
      await tables.backups.put({ ...kept, changedCounters });
    });
  }
}

/** Moves the oldest payments of the head into parts of their own, until what is left is short. */
async function sealOlder(context: Context): Promise<void> {
  const { device } = await ownDevice(context);
  for (;;) {
    const { own, next } = await context.store.read(async (tables) => ({
      own: await ownBackup(tables),
      next: await nextPayment(tables),
    }));
    const end = Math.min(next, own.sealedTo + COUNTERS_AT_ONCE);
    const rows = await paymentsBetween(context, own.sealedTo, end);
    const firstOpen = rows.find(isUnfinished)?.counter ?? end;
    const records: PaymentRecord[] = [];
    let length = 0;
    let to = firstOpen;
    for (const record of recordsOf(rows.filter(({ counter }) => counter < firstOpen))) {
      length += JSON.stringify(record).length;
      if (length > MOST_RECENT_LENGTH) {
        to = record.counter;
        break;
      }
      records.push(record);
    }
    const isFull = length > MOST_RECENT_LENGTH || to - own.sealedTo === COUNTERS_AT_ONCE;
    if (!isFull || to === own.sealedTo) return;
    const index = own.paymentParts;
    const version = await replacePart(context, ["payments", device, index], { payments: records }, 0);
    const from = own.sealedTo;
    await context.store.transaction(async (tables) => {
      await tables.backups.put({
        key: partKey("payments", index),
        kind: "part",
        version,
        isLost: false,
        from,
        to,
      });
      const kept = await ownBackup(tables);
      await tables.backups.put({
        ...kept,
        sealedTo: to,
        paymentParts: index + 1,
        sealedPayments: kept.sealedPayments + records.length,
      });
    });
  }
}

async function collect(context: Context): Promise<{ head: HeadJson; coins: CoinRow[] }> {
  const { device } = await ownDevice(context);
  const instance = await ownInstance(context);
  const { own, next } = await context.store.read(async (tables) => ({
    own: await ownBackup(tables),
    next: await nextPayment(tables),
  }));
  const rows = await paymentsBetween(context, own.sealedTo, next);
  const seen = await context.store.read(async (tables) => ({
    coins: (await tables.coins.all()).filter(({ state }) => state !== "spent"),
    allowances: await tables.allowances.all(),
    settings: await tables.settings.get(SETTINGS_KEY),
    changed: await Promise.all(own.changed.slice(-MAX_CHANGED).map((id) => tables.payments.get(id))),
    outputs: await openOutputs(tables, device),
  }));
  const coins = seen.coins.sort((a, b) => (a.secret < b.secret ? -1 : 1));
  const recent = recordsOf(rows);
  const head: HeadJson = {
    v: 1,
    device,
    instance,
    writtenAt: context.nowMs(),
    outputs: seen.outputs,
    nextPayment: next,
    openPayments: rows.filter(isUnfinished).map(({ counter }) => counter),
    coins: {
      parts: Math.ceil(coins.length / COINS_PER_PART),
      value: valueOf(coins.filter(({ state }) => state !== "unchecked")).toString(),
    },
    payments: { parts: own.paymentParts, count: own.sealedPayments },
    recent,
    changed: recordsOf(seen.changed.filter((row) => row !== undefined)),
    forgotten: own.forgotten.slice(-MAX_FORGOTTEN),
    allowances: seen.allowances
      .sort((a, b) => b.at - a.at)
      .slice(0, MAX_ALLOWANCES)
      .map(allowanceRecord),
    ...(seen.settings && { settings: settingsRecord(seen.settings) }),
  };
  while (!fits(head, TAKEN_OVER_BYTES)) {
    const newest = head.recent.pop();
    // It is looked for by its id, should it come to a restore.
    if (newest) head.nextPayment = newest.counter;
    else if (!(head.forgotten.shift() ?? head.changed.shift() ?? head.allowances.pop())) break;
  }
  return { head, coins };
}

async function writeCoins(context: Context, coins: readonly CoinRow[], writtenAt: number): Promise<void> {
  const { device } = await ownDevice(context);
  const own = await context.store.read(ownBackup);
  const needed = Math.ceil(coins.length / COINS_PER_PART);
  // One that is not needed any more holds nothing that would come back.
  for (let index = 0; index < Math.max(needed, own.coinParts); index++) {
    const content = {
      writtenAt,
      coins: coins.slice(index * COINS_PER_PART, (index + 1) * COINS_PER_PART).map(coinRecord),
    };
    const key = partKey("coins", index);
    const part = await context.store.read((tables) => ownPart(tables, key));
    const version = await replacePart(context, ["coins", device, index], content, part?.version ?? 0);
    await context.store.transaction((tables) =>
      tables.backups.put({ key, kind: "part", version, isLost: false, from: 0, to: 0 }),
    );
  }
  if (own.coinParts < needed) await changeOwnBackup(context, (row) => ({ ...row, coinParts: needed }));
}

/** From where on a restore looks for outputs that were signed: what is under way is not in the drawer yet. */
async function openOutputs(tables: StoreTables, device: number): Promise<HeadJson["outputs"]> {
  const [counters, created, quoted, swaps] = await Promise.all([
    tables.counters.all(),
    tables.withdrawals.where("state", "created"),
    tables.withdrawals.where("state", "quoted"),
    tables.swaps.where("state", "created"),
  ]);
  const from = new Map(
    counters.filter(({ key }) => /^(withdraw|swap):/.test(key)).map(({ key, next }) => [key, next]),
  );
  const lower = (key: string, first: number): void => {
    from.set(key, Math.min(from.get(key) ?? first, first));
  };
  const isOwn = (row: { readonly device?: number }): boolean => (row.device ?? 0) === device;
  for (const row of [...created, ...quoted].filter(isOwn))
    lower(`withdraw:${row.keysetId}`, row.firstCounter);
  for (const row of swaps.filter(isOwn)) lower(`swap:${row.keysetId}`, row.firstCounter);
  return [...from].map(([key, first]) => ({ key, from: first })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function nextPayment(tables: StoreTables): Promise<number> {
  return (await tables.counters.get(PAYMENT_COUNTER))?.next ?? 0;
}

/** Own ones, by their numbers. */
async function paymentsBetween(context: Context, from: number, to: number): Promise<PaymentRow[]> {
  const ids = await idsBetween(context, from, to);
  return context.store.read((tables) => paymentsOf(tables, ids));
}

async function idsBetween(context: Context, from: number, to: number): Promise<string[]> {
  const device = await ownDevice(context);
  const ids: string[] = [];
  for (let counter = from; counter < to; counter++) ids.push(await device.paymentId(counter));
  return ids;
}

async function paymentsOf(tables: StoreTables, ids: readonly string[]): Promise<PaymentRow[]> {
  const rows = await Promise.all(ids.map((id) => tables.payments.get(id)));
  return rows.filter((row) => row !== undefined);
}

function recordsOf(rows: readonly PaymentRow[]): PaymentRecord[] {
  return rows.map(paymentRecord).filter((record) => record !== undefined);
}
