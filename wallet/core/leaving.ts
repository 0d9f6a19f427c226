/**
 * Coins back into the account, and the account's money back to where it came from. Each deposit (NUT-05) and the closure are
 * stored, with all that they send, before they are sent, and asked for again until there is an answer.
 *
 * A wallet whose coins were put back rests: it visits its account as ever, and takes no coins, until it is topped up or
 * pays again.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros, ZERO } from "../../shared/money.ts";
import { MAX_INPUTS } from "../../shared/protocol/fields.ts";
import { uncheckedCoins } from "./backup/check.ts";
import { type Context, isFinal, knowProvider, walletRow } from "./context.ts";
import { valueOf } from "./drawer.ts";
import { newId } from "./ids.ts";
import type { StoreTables } from "./ports.ts";
import type { CoinRow, DepositRow, WalletRow } from "./rows.ts";
import { finishCoins, refreshAccount } from "./stock.ts";
import { GATEWAY } from "./top-ups.ts";

/** The account may be empty by the time that it is closed, and hold something again by the time that the answer is here. */
const MAX_CLOSINGS = 3;

/**
 * All free coins. What is still on its way (change that was not signed, a payment without an answer) stays until it is here.
 * Not those that another device may have spent: the account would see in whose payments. And not into a frozen account,
 * which gives nothing back.
 * @throws TuppenceError restore_unfinished, account_frozen, provider_*: what is left goes on later
 */
export async function depositAll(context: Context): Promise<void> {
  await context.serially(async () => {
    if (await context.store.read(isRestoring)) throw new TuppenceError("restore_unfinished");
    await refreshAccount(context);
    if ((await context.open()).row.account?.frozen) throw new TuppenceError("account_frozen");
    await context.updateWallet((row) => ({ ...row, isResting: true }));
    await finishCoins(context);
    await finishDeposits(context);
    for (let most = MAX_INPUTS; ; ) {
      const deposit = await makeDeposit(context, most);
      if (!deposit) break;
      await runDeposit(context, deposit).catch((error: unknown) => {
        if (!isFinal(error) || error.code !== "coin_spent") throw error;
        most = 1;
      });
    }
    await refreshAccount(context);
  });
  context.changed();
}

async function isRestoring(tables: StoreTables): Promise<boolean> {
  const { recovery } = await walletRow(tables);
  return recovery !== "none" || (await uncheckedCoins(tables)).length > 0;
}

/**
 * Pays the account out, with what the coins are worth.
 * @throws TuppenceError restore_unfinished, account_not_final, account_frozen, provider_*
 */
export async function closeAccount(context: Context): Promise<{ readonly returned: Micros }> {
  await depositAll(context);
  for (let closings = 1; ; closings++) {
    const { account, closure: before } = (await context.open()).row;
    const isEmpty = account !== undefined && BigInt(account.balance) <= 0n;
    // Of another window, or of the one before.
    if (before?.state === "done" && isEmpty) return { returned: before.returned };
    const id = newId(context);
    const { closure } = await context.updateWallet((row) => ({
      ...row,
      closure:
        row.closure?.state === "created" ? row.closure : { state: "created", id, returned: paidOut(row) },
    }));
    await runClosure(context, closure?.id ?? id);
    if (closings === MAX_CLOSINGS) return { returned: paidOut((await context.open()).row) };
  }
}

/** By closings that are done, since the account was topped up last. */
function paidOut({ closure }: Pick<WalletRow, "closure">): Micros {
  return closure?.returned ?? ZERO;
}

/** What a dead process left of either. Not at the same time as anything else that touches the account. */
export async function goOnLeaving(context: Context): Promise<void> {
  await context.serially(() => finishDeposits(context));
  const { closure } = (await context.open()).row;
  if (closure?.state === "created") await runClosure(context, closure.id);
}

async function runClosure(context: Context, id: string): Promise<void> {
  await context.serially(async () => {
    const { keys, provider, row } = await context.open();
    if (!row.registered) await refreshAccount(context);
    try {
      const { returned } = await provider.closeAccount(keys.account, { id, gateway: GATEWAY });
      await context.updateWallet((kept) => ({
        ...kept,
        closure:
          kept.closure?.id === id && kept.closure.state === "done"
            ? kept.closure
            : { state: "done", id, returned: add(paidOut(kept), returned) },
      }));
      await refreshAccount(context);
    } catch (error) {
      // The reader was told to ask again in a day or two; by then they may have changed their mind.
      if (isRefusal(error)) await context.updateWallet((kept) => ({ ...kept, closure: undefined }));
      throw error;
    } finally {
      context.changed();
    }
  });
}

function isRefusal(error: unknown): boolean {
  return isFinal(error) || (error instanceof TuppenceError && error.code === "account_not_final");
}

/** A refusal frees the coins, which are given anew then: of a quote that ended before its answer nothing can have come. */
async function finishDeposits(context: Context): Promise<void> {
  for (const deposit of await context.store.read((tables) => tables.deposits.where("state", "created")))
    await runDeposit(context, deposit).catch((error: unknown) => {
      if (!isFinal(error)) throw error;
    });
}

/** Undefined where no coin is left to give. */
async function makeDeposit(context: Context, most: number): Promise<DepositRow | undefined> {
  const id = newId(context);
  return context.store.transaction(async (tables) => {
    const free = await tables.coins.where("state", "free");
    const coins = free.filter(({ isRestored }) => !isRestored).slice(0, most);
    if (coins.length === 0) return undefined;
    const deposit: DepositRow = {
      id,
      state: "created",
      at: context.nowMs(),
      coinSecrets: coins.map(({ secret }) => secret),
      amount: valueOf(coins),
      quoteId: undefined,
      error: undefined,
    };
    await tables.deposits.put(deposit);
    await tables.coins.putAll(coins.map((coin) => ({ ...coin, state: "reserved", holder: id })));
    return deposit;
  });
}

async function runDeposit(context: Context, deposit: DepositRow): Promise<void> {
  const coins = await context.store.read((tables) =>
    Promise.all(deposit.coinSecrets.map((secret) => tables.coins.get(secret))),
  );
  const inputs = coins
    .filter((coin) => coin !== undefined)
    .map(({ amount, keysetId, secret, C }) => ({ amount: Number(amount), id: keysetId, secret, C }));
  try {
    const { keys, provider } = await context.open();
    const quote = deposit.quoteId ?? (await askForQuote(context, deposit));
    await provider.melt(keys.account, { quote, inputs });
  } catch (error) {
    if (isFinal(error)) await giveUp(context, deposit, error);
    throw error;
  }
  await context.store.transaction(async (tables) => {
    if ((await tables.deposits.get(deposit.id))?.state !== "created") return;
    await tables.coins.removeAll(deposit.coinSecrets);
    await tables.deposits.put({ ...deposit, state: "done" });
  });
  context.changed();
}

async function askForQuote(context: Context, deposit: DepositRow): Promise<string> {
  const { keys, provider } = await context.open();
  const { info } = await knowProvider(context);
  const { amount } = deposit;
  const { quote, amount: quoted } = await provider.meltQuote(keys.account, { amount, unit: info.unit });
  if (quoted !== amount) throw new TuppenceError("provider_answer_invalid", { answer: "quote" });
  await context.store.transaction((tables) => tables.deposits.put({ ...deposit, quoteId: quote }));
  return quote;
}

/**
 * The coins are free again. Which of several was spent is found out by giving each alone: to ask about them at the anonymous
 * origin would show it whose they are.
 */
async function giveUp(context: Context, deposit: DepositRow, error: TuppenceError): Promise<void> {
  const isSpent = error.code === "coin_spent" && deposit.coinSecrets.length === 1;
  await context.store.transaction(async (tables) => {
    await tables.deposits.put({ ...deposit, state: "failed", error: error.code });
    const coins = await Promise.all(deposit.coinSecrets.map((secret) => tables.coins.get(secret)));
    const held = coins.filter((coin): coin is CoinRow => coin?.holder === deposit.id);
    await tables.coins.putAll(
      held.map((coin) => ({ ...coin, state: isSpent ? "spent" : "free", holder: undefined })),
    );
  });
  context.changed();
}
