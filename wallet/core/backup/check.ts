/**
 * Coins that another device had: it may have spent them since, and may have them still. Each is exchanged for a fresh one,
 * alone and in random order: a request with two of them would tell that two payments, which had spent them, were one
 * reader's. One that is spent is gone; no other question is asked about it.
 */
import { TuppenceError } from "../../../shared/errors.ts";
import { drawNumber } from "../chance.ts";
import type { Context } from "../context.ts";
import type { StoreTables } from "../ports.ts";
import type { CoinRow } from "../rows.ts";
import { exchangeCoin } from "../swaps.ts";
import { pauseBefore, pauseBetween } from "./pauses.ts";

/** @throws TuppenceError provider_*: it goes on later, with the coins that are left */
export async function checkCoins(context: Context): Promise<void> {
  await context.store.transaction(dropSpent);
  if ((await coinsToCheck(context)).length > 0) await pauseBefore(context);
  for (;;) {
    const isLeft = await context.serially(async () => {
      const coins = await coinsToCheck(context);
      const coin = coins[drawNumber(context, 0, coins.length)];
      if (coin) await checkCoin(context, coin);
      return coins.length > 1;
    });
    if (!isLeft) return;
    await pauseBetween(context);
  }
}

export async function uncheckedCoins(tables: Pick<StoreTables, "coins">): Promise<CoinRow[]> {
  const [unchecked, free] = await Promise.all([
    tables.coins.where("state", "unchecked"),
    tables.coins.where("state", "free"),
  ]);
  return [...unchecked, ...free.filter(({ isRestored }) => isRestored)];
}

/** Known to be spent by whoever died before it dropped them. */
export async function spentCoins(tables: Pick<StoreTables, "coins">): Promise<CoinRow[]> {
  return (await tables.coins.where("state", "spent")).filter(({ isRestored }) => isRestored);
}

async function dropSpent(tables: Pick<StoreTables, "coins">): Promise<void> {
  await tables.coins.removeAll((await spentCoins(tables)).map(({ secret }) => secret));
}

function coinsToCheck(context: Context): Promise<CoinRow[]> {
  return context.store.read(uncheckedCoins);
}

async function checkCoin(context: Context, coin: CoinRow): Promise<void> {
  try {
    await exchangeCoin(context, coin);
  } catch (error) {
    if (!(error instanceof TuppenceError) || error.code !== "coin_spent") throw error;
    await context.store.transaction(async (tables) => {
      // Where a payment of ours took it meanwhile, that finds out.
      if ((await tables.coins.get(coin.secret))?.state === "spent") await tables.coins.remove(coin.secret);
    });
    context.changed();
  }
}
