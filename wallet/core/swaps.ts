/**
 * Coins → fresh coins. The row, with the coins that it takes and the numbers that its blank coins derive from, is stored
 * before anything is sent, so that a swap whose answer was lost is asked for again (NUT-09).
 */
import { TuppenceError } from "../../shared/errors.ts";
import { type Micros, splitIntoCoins } from "../../shared/money.ts";
import type { BlindedMessageJson, BlindSignature } from "../../shared/protocol/cashu.ts";
import { yOf } from "./cashu.ts";
import { makeBlankCoins, openCoins, outputsOf } from "./coins.ts";
import { type Context, isFinal, ownDevice, takeNumbers } from "./context.ts";
import { composeCoins, valueOf } from "./drawer.ts";
import { newId } from "./ids.ts";
import { activeKeyset, hasKeysetEnded, refreshKeysets } from "./keysets.ts";
import type { CoinRow, PaymentRow, SwapRow } from "./rows.ts";

/** Takes a payment's coins back. @throws TuppenceError coin_spent if the payment came first; others: try again */
export async function swapBack(context: Context, payment: PaymentRow): Promise<void> {
  const earlier = await context.store.read(async (tables) =>
    (await tables.swaps.all()).filter(({ paymentId }) => paymentId === payment.id),
  );
  if (earlier.some(({ state }) => state === "done")) return;
  const open = earlier.find(({ state }) => state === "created");
  if (open) {
    try {
      return await runSwap(context, open);
    } catch (error) {
      if (!(await hasKeysetEnded(context, error, open.keysetId))) throw error;
    }
  }
  await swap(context, payment.coinSecrets, payment.id, (coins) => splitIntoCoins(valueOf(coins)) ?? []);
}

/** Breaks one coin into what the drawer lacks. */
export async function breakCoin(context: Context, coin: CoinRow): Promise<void> {
  await swap(context, [coin.secret], undefined, (_, others) => composeCoins(coin.amount, others));
}

/** Exchanges coins for as much in fresh ones, of the denominations that the drawer lacks without them. */
export async function renewCoins(context: Context, coins: readonly CoinRow[]): Promise<void> {
  const secrets = coins.map(({ secret }) => secret);
  await swap(context, secrets, undefined, (taken, free) =>
    composeCoins(
      valueOf(taken),
      free.filter(({ secret }) => !secrets.includes(secret)),
    ),
  );
}

/** Exchanges a coin for a fresh one of the same value, alone, so that nothing joins it with another. */
export async function exchangeCoin(context: Context, coin: CoinRow): Promise<void> {
  await swap(context, [coin.secret], undefined, () => [coin.amount]);
}

/** Makes fewer, larger coins of many. */
export async function mergeCoins(context: Context, coins: readonly CoinRow[]): Promise<void> {
  await swap(
    context,
    coins.map(({ secret }) => secret),
    undefined,
    (taken) => splitIntoCoins(valueOf(taken)) ?? [],
  );
}

/** A new swap; and another, should the keyset that the wallet knew have ended. */
async function swap(context: Context, ...terms: SwapTerms): Promise<void> {
  const made = await makeSwap(context, ...terms);
  try {
    await runSwap(context, made);
  } catch (error) {
    if (!(await hasKeysetEnded(context, error, made.keysetId))) throw error;
    await runSwap(context, await makeSwap(context, ...terms));
  }
}

/** Finishes a stored swap. On a final refusal the coins are free again, and it throws. */
export async function runSwap(context: Context, swap: SwapRow): Promise<void> {
  const { keys } = await context.open();
  const blanks = await makeBlankCoins(
    context,
    (await keys.device(swap.device ?? 0)).swapSeed,
    swap.keysetId,
    swap.firstCounter,
    swap.amounts.length,
  );
  const outputs = outputsOf(blanks, swap.amounts);
  const coins = await context.store.read((tables) =>
    Promise.all(swap.coinSecrets.map((secret) => tables.coins.get(secret))),
  );
  const inputs = coins
    .filter((coin) => coin !== undefined)
    .map(({ amount, keysetId, secret, C }) => ({ amount: Number(amount), id: keysetId, secret, C }));
  let signatures: readonly BlindSignature[];
  try {
    const { provider } = await context.open();
    signatures = await provider.swap(inputs, outputs).catch(async (error: unknown) => {
      if (!isFinal(error)) throw error;
      return (await restoreAll(context, outputs)) ?? Promise.reject(error);
    });
  } catch (error) {
    if (isFinal(error)) await giveUp(context, swap, error);
    throw error;
  }
  const fresh = await openCoins(context, blanks, signatures, swap.amounts);
  await context.store.transaction(async (tables) => {
    if ((await tables.swaps.get(swap.id))?.state !== "created") return;
    await Promise.all([
      tables.coins.removeAll(swap.coinSecrets),
      tables.coins.putAll(fresh),
      tables.swaps.put({ ...swap, state: "done" }),
    ]);
  });
  context.changed();
}

/** The signatures of outputs that were signed before, if all of them were. Not for what was withdrawn. */
export async function restoreAll(
  context: Context,
  outputs: readonly BlindedMessageJson[],
): Promise<BlindSignature[] | undefined> {
  const { provider } = await context.open();
  return allOf(await provider.restore(outputs), outputs);
}

/** In the order of the outputs; undefined unless each was found. */
export function allOf(
  found: ReadonlyMap<string, BlindSignature>,
  outputs: readonly BlindedMessageJson[],
): BlindSignature[] | undefined {
  const signatures = outputs.map(({ B_ }) => found.get(B_)).filter((signature) => signature !== undefined);
  return signatures.length === outputs.length ? signatures : undefined;
}

type SwapTerms = [
  coinSecrets: readonly string[],
  paymentId: string | undefined,
  /** The amounts of the fresh coins, from those that are given away and all that are free. */
  split: (coins: readonly CoinRow[], free: readonly CoinRow[]) => Micros[],
];

async function makeSwap(context: Context, ...[coinSecrets, paymentId, split]: SwapTerms): Promise<SwapRow> {
  const { id: keysetId } = await activeKeyset(context);
  const { device } = await ownDevice(context);
  const id = newId(context);
  return context.store.transaction(async (tables) => {
    const found = await Promise.all(coinSecrets.map((secret) => tables.coins.get(secret)));
    const coins = found.filter((coin) => coin !== undefined);
    const isOurs =
      coins.length === coinSecrets.length &&
      coins.every((coin) =>
        paymentId === undefined
          ? coin.state === "free" || coin.state === "unchecked"
          : coin.holder === paymentId,
      );
    // A payment took one of them meanwhile: there is nothing to swap.
    if (!isOurs) throw new TuppenceError("coin_spent", { here: true });
    const amounts = split(coins, await tables.coins.where("state", "free"));
    const firstCounter = await takeNumbers(tables, `swap:${keysetId}`, amounts.length);
    const swap: SwapRow = {
      id,
      state: "created",
      at: context.nowMs(),
      coinSecrets,
      device,
      keysetId,
      firstCounter,
      amounts,
      paymentId,
      error: undefined,
    };
    await tables.swaps.put(swap);
    // A payment's coins stay the payment's, so that it still counts them as its own.
    if (paymentId === undefined)
      await tables.coins.putAll(
        coins.map((coin) => ({
          ...coin,
          state: "reserved",
          holder: id,
          // Should the swap be refused, it is still one to be looked at.
          ...(coin.state === "unchecked" ? { isRestored: true } : {}),
        })),
      );
    return swap;
  });
}

async function giveUp(context: Context, swap: SwapRow, error: TuppenceError): Promise<void> {
  if (error.code === "keyset_unknown") await refreshKeysets(context);
  const spent = error.code === "coin_spent" ? await spentAmong(context, swap.coinSecrets) : new Set<string>();
  await context.store.transaction(async (tables) => {
    await tables.swaps.put({ ...swap, state: "failed", error: error.code });
    const coins = await Promise.all(swap.coinSecrets.map((secret) => tables.coins.get(secret)));
    const held = coins.filter((coin): coin is CoinRow => coin?.holder === swap.id);
    await tables.coins.putAll(
      held.map((coin) => ({ ...coin, state: spent.has(coin.secret) ? "spent" : "free", holder: undefined })),
    );
  });
  context.changed();
}

/** Asked only for coins that were sent together already: about others it would tell that they are one reader's. */
export async function spentAmong(context: Context, secrets: readonly string[]): Promise<Set<string>> {
  const { provider } = await context.open();
  const secretByY = new Map(secrets.map((secret) => [yOf(secret), secret]));
  const states = await provider.checkSpent([...secretByY.keys()]);
  return new Set([...secretByY].filter(([y]) => states.get(y) === true).map(([, secret]) => secret));
}
