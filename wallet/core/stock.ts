/**
 * Keeps the drawer stocked, so that payments find exact coins: takes change in, finishes what was begun, withdraws when
 * the drawer has run low, and breaks a large coin where small ones are missing. It waits for nothing where the reader waits.
 *
 * **The account must not hear of payments**, neither by what is asked of it nor by when (decision 34). So it is visited at
 * moments that were drawn before anybody knew what would be paid in between, about once a day, and each time gives the
 * same sum in the same coins, or all that it has, whatever the drawer holds. At once only after a top-up, and where a payment
 * finds too little in the drawer; then in whole sums of that size too. What the drawer lacks after payments it gets by
 * swaps, which no account takes part in.
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
import { changeOwnBackup } from "./backup/rows.ts";
import { drawNumber } from "./chance.ts";
import { makeBlankCoins, openCoins } from "./coins.ts";
import { type Context, TRY_AGAIN_AFTER_MS } from "./context.ts";
import { chooseCoins, coinToBreak, composeCoins, valueOf, WITHDRAWN_AT_ONCE } from "./drawer.ts";
import { changePayment } from "./payments.ts";
import type { CoinRow, SwapRow } from "./rows.ts";
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
/** How long until the account is visited again: drawn anew each time. */
const LEAST_BETWEEN_VISITS_MS = 12 * 3_600_000;
const MOST_BETWEEN_VISITS_MS = 36 * 3_600_000;
/** The moment passed while no browser ran. What woke the wallet now may well be a payment, so another is drawn. */
const VISIT_MISSED_AFTER_MS = 60_000;
const MOST_AFTER_MISSED_MS = 1_800_000;

export interface Stock {
  /** With what is in the drawer, at some moment in the next seconds. Many calls make one restocking. */
  restockSoon(): void;
  /**
   * Now, enough for a payment of `needed`; without one, with a visit to the account. Resolves when done; what failed is tried
   * again later.
   */
  restock(needed?: Micros): Promise<void>;
  /** The visit to the account, unless somebody made it since its time came. */
  visitIfDue(): Promise<void>;
  /** Now, with what is in the drawer. */
  tidy(): Promise<void>;
  /** When the account is visited next, milliseconds since 1970: by `restock`, whoever sees that it is time. */
  nextVisitMs(): Promise<number>;
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
  const restock = async (terms: Restocking): Promise<void> => {
    renewSoon();
    try {
      await context.serially(() => restockNow(context, terms));
    } catch (error) {
      context.wakeAt(laterMs(context));
      throw error;
    }
  };
  const tidy = () => restock({ needed: ZERO, visits: "no" });
  return {
    restock: (needed = ZERO) => restock({ needed, visits: needed === ZERO ? "now" : "no" }),
    visitIfDue: () => restock({ needed: ZERO, visits: "if due" }),
    tidy,
    nextVisitMs: async () => {
      const { row } = await context.open();
      const planned = row.visitAccountAt ?? (row.registered ? 0 : context.nowMs());
      if (context.nowMs() - planned <= VISIT_MISSED_AFTER_MS) return planned;
      const another = context.nowMs() + drawNumber(context, VISIT_MISSED_AFTER_MS, MOST_AFTER_MISSED_MS);
      await visitAgainAt(context, another);
      return another;
    },
    restockSoon: () => {
      if (isComing) return;
      isComing = true;
      context.inBackground(async () => {
        await context.ports.scheduler.delay(Math.max(randomDelayMs(context), context.quietMs()));
        isComing = false;
        await tidy();
      });
    },
  };
}

interface Restocking {
  readonly needed: Micros;
  /** The account, though nothing is needed. */
  readonly visits: "now" | "if due" | "no";
}

async function restockNow(context: Context, { needed, visits }: Restocking): Promise<void> {
  const { row } = await context.open();
  if (row.recovery === "pending") return;
  const faults: TuppenceError[] = [];
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TuppenceError)) throw error;
      faults.push(error);
    }
  };
  for (const swap of await openSwaps(context)) await attempt(() => runSwap(context, swap));
  await attempt(() => takeChangeIn(context));
  const isShort = valueOf(await freeCoins(context)) < needed;
  const isDue = visits === "if due" && (row.visitAccountAt ?? 0) <= context.nowMs();
  if (visits === "now" || isDue || isShort) await visitAccount(context, needed, attempt);
  // The backup that goes with a visit is written by whoever made it for its own sake; here a payment waits.
  if (isShort) context.wakeAt(laterMs(context));
  await attempt(() => composeAnew(context, needed));
  const [fault] = faults;
  if (fault) throw fault;
}

async function visitAccount(
  context: Context,
  needed: Micros,
  attempt: (work: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  // Should the process die or something fail meanwhile, it is soon gone on with.
  await visitAgainAt(context, context.nowMs());
  for (const withdrawal of await openWithdrawals(context))
    await attempt(() => runWithdrawal(context, withdrawal));
  let done = 0;
  for (const work of [() => refreshAccount(context), () => withdrawNext(context, needed)])
    await attempt(async () => {
      await work();
      done += 1;
    });
  // The account has heard of this wallet just now; so its backup may follow, and tells it nothing more.
  if (done === 2) await changeOwnBackup(context, (row) => ({ ...row, dueAt: context.nowMs() }));
  const isOver = done === 2 && (await openWithdrawals(context)).length === 0;
  const between = drawNumber(context, LEAST_BETWEEN_VISITS_MS, MOST_BETWEEN_VISITS_MS);
  await visitAgainAt(context, isOver ? context.nowMs() + between : laterMs(context));
}

async function visitAgainAt(context: Context, visitAccountAt: number): Promise<void> {
  await context.updateWallet((row) => ({ ...row, visitAccountAt }));
}

function laterMs(context: Context): number {
  return context.nowMs() + Math.max(TRY_AGAIN_AFTER_MS, context.quietMs());
}

/** Coins that were asked for and are not here yet, as far as they come now. */
export async function finishCoins(context: Context): Promise<void> {
  const works = [
    ...(await openSwaps(context)).map((swap) => () => runSwap(context, swap)),
    () => takeChangeIn(context),
    ...(await openWithdrawals(context)).map((withdrawal) => () => runWithdrawal(context, withdrawal)),
  ];
  for (const work of works)
    await work().catch((error: unknown) => {
      if (!(error instanceof TuppenceError)) throw error;
    });
}

/** A payment's own swap is the payment's business. */
function openSwaps(context: Context): Promise<SwapRow[]> {
  return context.store.read(async (tables) =>
    (await tables.swaps.where("state", "created")).filter(({ paymentId }) => paymentId === undefined),
  );
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

/** Not what the drawer lacks: that is what was paid. */
async function withdrawNext(context: Context, needed: Micros): Promise<void> {
  // One at a time: what could not be finished now brings the same coins when it can.
  if ((await openWithdrawals(context)).length > 0) return;
  if (needed > 0n) await context.updateWallet((kept) => ({ ...kept, isResting: false }));
  const { row } = await context.open();
  if (row.isResting) return;
  const missing = needed - valueOf(await freeCoins(context));
  const times =
    needed === ZERO ? 1n : missing > 0n ? (missing + WITHDRAWN_AT_ONCE - 1n) / WITHDRAWN_AT_ONCE : 0n;
  const wanted = times * WITHDRAWN_AT_ONCE;
  const possible = row.account?.withdrawable ?? ZERO;
  const amount = wanted < possible ? wanted : possible;
  const payable = micros(amount - (amount % SMALLEST_COIN));
  if (payable > 0n) await withdraw(context, composeCoins(payable, []));
}

async function composeAnew(context: Context, needed: Micros): Promise<void> {
  if (needed > 0n) {
    const coins = await freeCoins(context);
    if (valueOf(coins) >= needed && !chooseCoins(coins, needed)) {
      await mergeCoins(
        context,
        coins
          .filter(mayBeTogether)
          .sort((a, b) => (a.amount < b.amount ? -1 : 1))
          .slice(0, MAX_MERGED_COINS),
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
      .filter((coin) => ended.includes(coin.keysetId) && mayBeTogether(coin))
      .sort((a, b) => (a.amount < b.amount ? -1 : 1));
  });
}

/** One that another device may have spent is exchanged alone: beside others it would join that payment with them. */
function mayBeTogether({ isRestored }: CoinRow): boolean {
  return !isRestored;
}

function freeCoins(context: Context) {
  return context.store.read((tables) => tables.coins.where("state", "free"));
}

function randomDelayMs(context: Context): number {
  return drawNumber(context, LEAST_DELAY_MS, MOST_DELAY_MS);
}
