/**
 * Account → coins: a mint quote locked to a key of ours (NUT-04, NUT-20), then the coins. Everything that it needs is
 * stored before the first call; asking again gives the same quote and the same signatures.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import type { BlindSignature, MintQuoteResponse } from "../../shared/protocol/cashu.ts";
import type { AccountResponse } from "../../shared/protocol/provider.ts";
import { quotePublicKey, signQuote } from "./cashu.ts";
import { makeBlankCoins, openCoins, outputsOf } from "./coins.ts";
import { type Context, isFinal, knowProvider, ownDevice, takeNumbers, walletRow } from "./context.ts";
import { newId } from "./ids.ts";
import { activeKeyset, hasKeysetEnded, refreshKeysets } from "./keysets.ts";
import type { WithdrawalRow } from "./rows.ts";
import { allOf } from "./swaps.ts";

/** @throws TuppenceError the provider's refusal, after which the withdraw is over, or provider_*: it goes on later */
export async function withdraw(context: Context, amounts: readonly Micros[]): Promise<void> {
  const row = await makeWithdrawal(context, amounts);
  try {
    await runWithdrawal(context, row);
  } catch (error) {
    if (!(await hasKeysetEnded(context, error, row.keysetId))) throw error;
    await runWithdrawal(context, await makeWithdrawal(context, amounts));
  }
}

async function makeWithdrawal(context: Context, amounts: readonly Micros[]): Promise<WithdrawalRow> {
  const { id: keysetId } = await activeKeyset(context);
  const { device } = await ownDevice(context);
  const id = newId(context);
  return context.store.transaction(async (tables) => {
    const made: WithdrawalRow = {
      id,
      state: "created",
      at: context.nowMs(),
      device,
      quoteCounter: await takeNumbers(tables, "quote", 1),
      quoteId: undefined,
      keysetId,
      firstCounter: await takeNumbers(tables, `withdraw:${keysetId}`, amounts.length),
      amounts,
      error: undefined,
    };
    await tables.withdrawals.put(made);
    return made;
  });
}

/** Begun, and neither finished nor refused. */
export function openWithdrawals(context: Context): Promise<WithdrawalRow[]> {
  return context.store.read(async (tables) => [
    ...(await tables.withdrawals.where("state", "created")),
    ...(await tables.withdrawals.where("state", "quoted")),
  ]);
}

/** Finishes a stored withdraw. */
export async function runWithdrawal(context: Context, stored: WithdrawalRow): Promise<void> {
  let row = stored;
  try {
    if (row.quoteId === undefined) row = await askForQuote(context, row);
    await collect(context, row, row.quoteId ?? "");
  } catch (error) {
    // `later` from here is a limit or too little in the account: this quote is given up, a new one is made when it may pass.
    const isOver =
      isFinal(error) ||
      (error instanceof TuppenceError &&
        (error.code === "withdraw_limit" || error.code === "insufficient_balance"));
    if (isOver)
      await context.store.transaction((tables) =>
        tables.withdrawals.put({ ...row, state: "failed", error: error.code }),
      );
    if (isOver && error.code === "keyset_unknown") await refreshKeysets(context);
    throw error;
  }
}

async function askForQuote(context: Context, row: WithdrawalRow): Promise<WithdrawalRow> {
  const { quote } = await quoteOf(context, row);
  const quoted: WithdrawalRow = { ...row, state: "quoted", quoteId: quote };
  await context.store.transaction((tables) => tables.withdrawals.put(quoted));
  return quoted;
}

/** The provider makes one for a key, and tells how it stands when it is asked again. */
export async function quoteOf(context: Context, row: WithdrawalRow): Promise<MintQuoteResponse> {
  const { keys, provider } = await context.open();
  const { info } = await knowProvider(context);
  const pubkey = quotePublicKey(await (await keys.device(row.device ?? 0)).quoteKey(row.quoteCounter));
  const amount = add(...row.amounts);
  const quote = await provider.mintQuote(keys.account, { amount, unit: info.unit, pubkey });
  if (quote.amount !== amount || quote.pubkey !== pubkey)
    throw new TuppenceError("provider_answer_invalid", { answer: "quote" });
  return quote;
}

async function collect(context: Context, row: WithdrawalRow, quote: string): Promise<void> {
  const { keys, provider } = await context.open();
  const device = await keys.device(row.device ?? 0);
  const blanks = await makeBlankCoins(
    context,
    device.withdrawSeed,
    row.keysetId,
    row.firstCounter,
    row.amounts.length,
  );
  const outputs = outputsOf(blanks, row.amounts);
  const signature = signQuote(await device.quoteKey(row.quoteCounter), quote, outputs);
  const signatures: readonly BlindSignature[] = await provider
    .mint(keys.account, { quote, outputs, signature })
    .catch(async (error: unknown) => {
      // It may have been issued to an earlier, unanswered attempt.
      if (!isFinal(error)) throw error;
      const found = await provider.restoreWithdrawn(keys.account, outputs);
      return allOf(found, outputs) ?? Promise.reject(error);
    });
  const coins = await openCoins(context, blanks, signatures, row.amounts);
  const total = add(...row.amounts);
  await context.store.transaction(async (tables) => {
    if ((await tables.withdrawals.get(row.id))?.state === "done") return;
    const wallet = await walletRow(tables);
    await Promise.all([
      tables.coins.putAll(coins),
      tables.withdrawals.put({ ...row, state: "done" }),
      tables.wallet.put({ ...wallet, account: wallet.account && debited(wallet.account, total) }),
    ]);
  });
  await context.reload();
}

/** What the wallet shows of the account until it asks again. */
function debited(account: AccountResponse, amount: Micros): AccountResponse {
  const withdrawable = account.withdrawable > amount ? subtract(account.withdrawable, amount) : ZERO;
  return { ...account, balance: (BigInt(account.balance) - amount).toString(), withdrawable };
}
