/**
 * What is newer than the backup of the devices that were taken over: outputs that were signed since (NUT-09), payments made
 * since, each asked for alone, their change, and refunds. Outputs of withdraws are asked for at the accounts origin, which
 * signed them for this account; everything else at the anonymous one, after random pauses, so that neither the moment nor
 * a shared request joins the account with it. Whether a coin that is found was spent nobody is asked here: check.ts.
 */
import { TuppenceError } from "../../../shared/errors.ts";
import { add, MAX_CHANGE_OUTPUTS, splitIntoCoins } from "../../../shared/money.ts";
import type { BlindSignature } from "../../../shared/protocol/cashu.ts";
import type { PaymentResult } from "../../../shared/protocol/x402.ts";
import type { BlankCoin } from "../cashu.ts";
import { makeBlankCoins, openCoins, outputsOf } from "../coins.ts";
import { type Context, knowProvider } from "../context.ts";
import type { DeviceKeys, PaymentKeys } from "../keys.ts";
import { askById } from "../payments.ts";
import type { StoreTables } from "../ports.ts";
import type { CoinRow, DeviceRow, PaymentRow } from "../rows.ts";
import { countIn, countOut } from "../spending.ts";
import { paymentRow, recordOfReceipt } from "./content.ts";
import { pauseBefore, pauseBetween } from "./pauses.ts";
import { changeDevice, countRestored, deviceRow, deviceRows } from "./rows.ts";

const PIECE = 50;
/**
 * So many unsigned blank coins in a row, and there are no more: a withdraw that was refused leaves a gap of up to forty. After
 * a backup, which is about a day old, fewer can have been refused than in a whole life.
 */
const COIN_GAP = 400;
const COIN_GAP_AFTER_BACKUP = 200;
/** Payments that were prepared and never sent, or were refused, leave gaps too. */
const PAYMENT_GAP = 40;

/** @throws TuppenceError provider_*: it goes on later, where it was */
export async function searchNewer(context: Context): Promise<void> {
  if ((await context.open()).row.recovery !== "searching") return;
  await pauseBefore(context);
  for (const { device, isSearched, takeOver } of await context.store.read(deviceRows)) {
    if (takeOver !== "done" || isSearched) continue;
    const { keys } = await context.open();
    const counting = await keys.device(device);
    await searchOutputs(context, counting);
    await searchPayments(context, counting);
    await searchRefunds(context, device);
    await changeDevice(context, device, (row) => ({ ...row, isSearched: true }));
  }
  await context.updateWallet((row) => (row.recovery === "searching" ? { ...row, recovery: "none" } : row));
}

async function searchOutputs(
  context: Context,
  { device, withdrawSeed, swapSeed }: DeviceKeys,
): Promise<void> {
  const { info } = await knowProvider(context);
  const keysets = (await context.store.read((tables) => tables.keysets.all())).filter(
    ({ unit }) => unit === info.unit,
  );
  for (const { id } of keysets) {
    for (const [name, seed] of [
      ["withdraw", withdrawSeed],
      ["swap", swapSeed],
    ] as const) {
      const key = `${name}:${id}`;
      for (;;) {
        const row = await context.store.read((tables) => deviceRow(tables, device));
        const cursor = row.outputs.find((one) => one.key === key) ?? { key, next: 0, afterLast: 0 };
        const gap = row.headVersion > 0 ? COIN_GAP_AFTER_BACKUP : COIN_GAP;
        if (cursor.next - cursor.afterLast >= gap) break;
        const blanks = await makeBlankCoins(context, seed, id, cursor.next, PIECE);
        const found = await findSigned(context, blanks, name);
        const moved = {
          key,
          next: cursor.next + PIECE,
          afterLast: found.lastIndex < 0 ? cursor.afterLast : cursor.next + found.lastIndex + 1,
        };
        await changeDevice(
          context,
          device,
          (kept) => ({ ...kept, outputs: [...kept.outputs.filter((one) => one.key !== key), moved] }),
          (tables) => putUnchecked(tables, found.coins),
        );
        if (name === "swap") await pauseBetween(context);
      }
    }
  }
}

async function findSigned(
  context: Context,
  blanks: readonly BlankCoin[],
  of: "withdraw" | "swap" | "payment",
): Promise<{ coins: CoinRow[]; lastIndex: number }> {
  const { keys, provider } = await context.open();
  const outputs = outputsOf(blanks, []);
  const signatures = await (of === "withdraw"
    ? provider.restoreWithdrawn(keys.account, outputs)
    : provider.restore(outputs));
  const signed = blanks.filter(({ B_ }) => signatures.has(B_));
  const coins = await openFound(
    context,
    signed,
    signed.map(({ B_ }) => signatures.get(B_)).filter((signature) => signature !== undefined),
  );
  return { coins, lastIndex: blanks.findLastIndex(({ B_ }) => signatures.has(B_)) };
}

async function openFound(
  context: Context,
  blanks: readonly BlankCoin[],
  signatures: readonly BlindSignature[],
): Promise<CoinRow[]> {
  const coins = await openCoins(
    context,
    blanks,
    signatures,
    signatures.map(({ amount }) => amount),
  );
  return coins.map((coin) => ({ ...coin, state: "unchecked" }));
}

async function putUnchecked(tables: StoreTables, coins: readonly CoinRow[]): Promise<void> {
  const kept = await Promise.all(coins.map(({ secret }) => tables.coins.get(secret)));
  const missing = coins.filter((_, index) => kept[index] === undefined);
  await tables.coins.putAll(missing);
  await countRestored(tables, { coins: missing.length });
}

/** Those whose outcome the backup did not know, then those after the last that it knew. */
async function searchPayments(context: Context, { device, paymentId }: DeviceKeys): Promise<void> {
  for (;;) {
    const row = await context.store.read((tables) => deviceRow(tables, device));
    const [open] = row.openPayments;
    if (open === undefined && row.nextPayment - row.lastPayment >= PAYMENT_GAP) return;
    const counter = open ?? row.nextPayment;
    const found = await findPayment(context, await paymentId(counter), { device, counter });
    await changeDevice(
      context,
      device,
      (kept): DeviceRow =>
        open === undefined
          ? { ...kept, nextPayment: counter + 1, lastPayment: found ? counter + 1 : kept.lastPayment }
          : { ...kept, openPayments: kept.openPayments.filter((one) => one !== open) },
      async (tables) => {
        if (!found) return;
        await putUnchecked(tables, found.coins);
        await putFound(tables, found.payment);
      },
    );
    await pauseBetween(context);
  }
}

/** A budget that was taken over counts everything that was paid there since, asked about or not: it must never be exceeded. */
async function putFound(tables: StoreTables, payment: PaymentRow): Promise<void> {
  if (await tables.payments.get(payment.id)) return;
  const allowance = await tables.allowances.get(payment.origin);
  const isUnasked = allowance !== undefined && payment.at >= allowance.at && payment.order.kind === "article";
  const row: PaymentRow = { ...payment, fromAllowance: isUnasked };
  await tables.payments.put(row);
  await countRestored(tables, { receipts: 1 });
  if (row.state !== "paid") return;
  await countIn(tables, row);
  if (!isUnasked || !allowance.total) return;
  const { limit, spent } = allowance.total;
  const after = add(spent, row.amount);
  const isUsedUp = after >= limit;
  await tables.allowances.put({ ...allowance, total: { limit, spent: isUsedUp ? limit : after } });
}

async function findPayment(
  context: Context,
  id: string,
  place: { readonly device: number; readonly counter: number },
): Promise<{ readonly payment: PaymentRow; readonly coins: CoinRow[] } | undefined> {
  const result = await askById(context, { id });
  if (!result) return undefined;
  const { keys } = await context.open();
  const paymentKeys = await keys.payment(id);
  const change = await openChange(context, paymentKeys, result);
  const claims = recordOfReceipt(result.receipt, place, false);
  const row = claims && paymentRow(claims);
  if (!row || row.id !== id) return undefined;
  const refund = await findRefund(context, paymentKeys, row);
  return {
    payment: refund ? { ...row, state: "refunded" } : row,
    coins: [...change, ...(refund ?? [])],
  };
}

async function openChange(
  context: Context,
  keys: PaymentKeys,
  { change = [] }: PaymentResult,
): Promise<CoinRow[]> {
  const [first] = change;
  if (!first) return [];
  const seed = await keys.changeSeed();
  const blanks = await makeBlankCoins(
    context,
    seed,
    first.id,
    0,
    Math.min(change.length, MAX_CHANGE_OUTPUTS),
  );
  return openFound(context, blanks, change);
}

/** The coins of a refund; undefined where there was none. */
async function findRefund(
  context: Context,
  keys: PaymentKeys,
  { amount }: PaymentRow,
): Promise<CoinRow[] | undefined> {
  const count = splitIntoCoins(amount)?.length ?? 0;
  const seed = await keys.refundSeed();
  for (const { id } of await context.store.read((tables) => tables.keysets.all())) {
    const { coins } = await findSigned(context, await makeBlankCoins(context, seed, id, 0, count), "payment");
    if (coins.length > 0) return coins;
  }
  return undefined;
}

/** Payments that the backup knew as paid, and that were refunded after it: by the public list, which is read whole. */
async function searchRefunds(context: Context, device: number): Promise<void> {
  const { isRevokedLookedUp } = await context.store.read((tables) => deviceRow(tables, device));
  if (isRevokedLookedUp) return;
  const { keys, provider } = await context.open();
  const revoked = await provider.revoked().catch((error: unknown): readonly string[] => {
    // Longer than the wallet reads.
    if (error instanceof TuppenceError && error.code === "provider_answer_invalid") return [];
    throw error;
  });
  for (const id of revoked) {
    const payment = await context.store.read((tables) => tables.payments.get(id));
    if (payment?.state !== "paid" || (payment.device ?? 0) !== device) continue;
    await pauseBetween(context);
    const coins = await findRefund(context, await keys.payment(id), payment);
    if (!coins) continue;
    await changeDevice(
      context,
      device,
      (row) => row,
      async (tables) => {
        await putUnchecked(tables, coins);
        await countOut(tables, payment);
        await tables.payments.put({
          ...payment,
          state: "refunded",
          contentKey: undefined,
          contentKeySeal: undefined,
        });
      },
    );
  }
  await changeDevice(context, device, (row) => ({ ...row, isRevokedLookedUp: true }));
}
