/**
 * Keeps the drawer stocked, so that payments find exact coins: takes change in, finishes what was begun, withdraws when
 * the drawer has run low, and breaks a large coin where small ones are missing. After a payment it waits a random
 * while, so that its requests do not stand beside the payment's; it waits for nothing where the reader waits.
 *
 * Coins of a keyset that signs no more are as good as others, and are exchanged all the same, so that nobody is told from
 * others by the age of their coins: a few at a time, each time at a random moment.
 */
import { TuppenceError } from "../../shared/errors.ts";
import {
  add,
  type Micros,
  micros,
  SMALLEST_COIN,
  splitIntoCoins,
  subtract,
  ZERO,
} from "../../shared/money.ts";
import { makeBlankCoins, openCoins } from "./coins.ts";
import { type Context, TRY_AGAIN_AFTER_MS } from "./context.ts";
import { chooseCoins, coinToBreak, composeCoins, DRAWER_VALUE, isPoorlyComposed, valueOf } from "./drawer.ts";
import { changePayment } from "./payments.ts";
import type { CoinRow } from "./rows.ts";
import { breakCoin, mergeCoins, renewCoins, runSwap } from "./swaps.ts";
import { openWithdrawals, quoteOf, runWithdrawal, withdraw } from "./withdrawals.ts";

const LEAST_DELAY_MS = 1_000;
const MOST_DELAY_MS = 15_000;
/** How many coins one swap merges. */
const MAX_MERGED_COINS = 60;
/** How many coins of an old keyset one swap exchanges. */
const MAX_RENEWED_COINS = 16;
/** How often one restocking breaks coins. */
const MAX_BREAKS = 5;

export interface Stock {
  /** At some moment in the next seconds. Many calls make one restocking. */
  restockSoon(): void;
  /** Now: also enough for a payment of `needed`, if there is one. Resolves when done; what failed is tried again later. */
  restock(needed?: Micros): Promise<void>;
}

export function keepStock(context: Context): Stock {
  let isComing = false;
  let isRenewing = false;
  const renewSoon = (): void => {
    if (isRenewing) return;
    isRenewing = true;
    context.inBackground(async () => {
      try {
        while ((await oldCoins(context)).length > 0) {
          await context.ports.scheduler.delay(Math.max(randomDelayMs(context), context.quietMs()));
          await context.serially(async () => {
            const coins = (await oldCoins(context)).slice(0, MAX_RENEWED_COINS);
            if (coins.length > 0) await renewCoins(context, coins);
          });
        }
      } finally {
        isRenewing = false;
      }
    });
  };
  const restock = async (needed: Micros = ZERO): Promise<void> => {
    renewSoon();
    try {
      await context.serially(() => restockNow(context, needed));
    } catch (error) {
      context.wakeAt(context.nowMs() + Math.max(TRY_AGAIN_AFTER_MS, context.quietMs()));
      throw error;
    }
  };
  return {
    restock,
    restockSoon: () => {
      if (isComing) return;
      isComing = true;
      context.inBackground(async () => {
        await context.ports.scheduler.delay(Math.max(randomDelayMs(context), context.quietMs()));
        isComing = false;
        await restock();
      });
    },
  };
}

async function restockNow(context: Context, needed: Micros): Promise<void> {
  if ((await context.open()).row.recovery === "pending") return;
  const faults: TuppenceError[] = [];
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TuppenceError)) throw error;
      faults.push(error);
    }
  };
  for (const withdrawal of await openWithdrawals(context))
    await attempt(() => runWithdrawal(context, withdrawal));
  // A payment's own swap is the payment's business.
  const swaps = await context.store.read(async (tables) =>
    (await tables.swaps.where("state", "created")).filter(({ paymentId }) => paymentId === undefined),
  );
  for (const swap of swaps) await attempt(() => runSwap(context, swap));
  await attempt(() => takeChangeIn(context));
  await attempt(() => refreshAccount(context));
  await attempt(() => withdrawWhatIsMissing(context, needed));
  await attempt(() => composeAnew(context, needed));
  const [fault] = faults;
  if (fault) throw fault;
}

/** The provider's signatures on change, made into coins. */
export async function takeChangeIn(context: Context): Promise<void> {
  const { keys } = await context.open();
  const owed = await context.store.read(async (tables) =>
    (await tables.payments.where("change", "pending")).filter(({ changeSignatures }) => changeSignatures),
  );
  for (const payment of owed) {
    const { blanks, changeSignatures } = payment;
    if (!blanks || !changeSignatures) continue;
    const amounts = splitIntoCoins(subtract(payment.coinsValue, payment.amount)) ?? [];
    const blankCoins = await makeBlankCoins(
      context,
      await (await keys.payment(payment.id)).changeSeed(),
      blanks.keysetId,
      0,
      amounts.length,
    );
    const coins = await openCoins(context, blankCoins, changeSignatures, amounts);
    await changePayment(
      context,
      payment.id,
      (row) => (row.change === "pending" ? { ...row, change: "done", changeSignatures: undefined } : row),
      (tables) => tables.coins.putAll(coins),
    );
  }
}

/** Registers the account, if that has not happened yet, and looks at its balance. */
export async function refreshAccount(context: Context): Promise<void> {
  const { keys, provider, row } = await context.open();
  // Coins that were signed and did not arrive are the reader's, and stay in what the account shows until they are here.
  const debited = await debitedAhead(context);
  const fetched = row.registered
    ? await provider.account(keys.account)
    : await provider.register(keys.account);
  const account = {
    ...fetched,
    balance: (BigInt(fetched.balance) + debited).toString(),
    withdrawable: add(fetched.withdrawable, debited),
  };
  await context.updateWallet((kept) => ({ ...kept, account, registered: true }));
}

/** What the account was debited for by withdraws whose coins are not here yet. */
async function debitedAhead(context: Context): Promise<Micros> {
  const open = await openWithdrawals(context);
  const quoted = open.filter(({ quoteId }) => quoteId !== undefined);
  const quotes = await Promise.all(quoted.map((row) => quoteOf(context, row)));
  return add(
    ...quoted.filter((_, index) => quotes[index]?.state === "ISSUED").flatMap(({ amounts }) => amounts),
  );
}

async function withdrawWhatIsMissing(context: Context, needed: Micros): Promise<void> {
  // One at a time: what could not be finished now brings the same coins when it can.
  if ((await openWithdrawals(context)).length > 0) return;
  const { row } = await context.open();
  const coins = await freeCoins(context);
  const value = valueOf(coins);
  const isLow = value * 2n < DRAWER_VALUE || isPoorlyComposed(coins);
  const wanted = [isLow ? DRAWER_VALUE - value : 0n, needed - value].reduce((a, b) => (a > b ? a : b));
  const possible = row.account?.withdrawable ?? ZERO;
  const amount = wanted < possible ? wanted : possible;
  const payable = micros(amount - (amount % SMALLEST_COIN));
  if (payable > 0n) await withdraw(context, composeCoins(payable, coins));
}

async function composeAnew(context: Context, needed: Micros): Promise<void> {
  if (needed > 0n) {
    const coins = await freeCoins(context);
    if (valueOf(coins) >= needed && !chooseCoins(coins, needed)) {
      await mergeCoins(
        context,
        coins.toSorted((a, b) => (a.amount < b.amount ? -1 : 1)).slice(0, MAX_MERGED_COINS),
      );
    }
    // The large coins that the payment waits for are not broken into small ones now: the next restocking does that.
    return;
  }
  for (let breaks = 0; breaks < MAX_BREAKS; breaks++) {
    const coin = coinToBreak(await freeCoins(context));
    if (!coin) return;
    await breakCoin(context, coin);
  }
}

/** Of keysets that sign no more, smallest first. */
async function oldCoins(context: Context): Promise<CoinRow[]> {
  return context.store.read(async (tables) => {
    const ended = (await tables.keysets.all()).filter(({ active }) => !active).map(({ id }) => id);
    if (ended.length === 0) return [];
    const free = await tables.coins.where("state", "free");
    return free
      .filter(({ keysetId }) => ended.includes(keysetId))
      .sort((a, b) => (a.amount < b.amount ? -1 : 1));
  });
}

function freeCoins(context: Context) {
  return context.store.read((tables) => tables.coins.where("state", "free"));
}

function randomDelayMs(context: Context): number {
  const [high = 0, low = 0] = context.ports.random.bytes(2);
  return LEAST_DELAY_MS + Math.floor(((high * 256 + low) / 65_536) * (MOST_DELAY_MS - LEAST_DELAY_MS));
}
