/** Makes blank coins and opens signed ones, letting other work in between: each takes milliseconds on the curve. */
import { TuppenceError } from "../../shared/errors.ts";
import type { Micros } from "../../shared/money.ts";
import type { BlindedMessageJson, BlindSignature } from "../../shared/protocol/cashu.ts";
import { type BlankCoin, makeBlankCoin, unblind } from "./cashu.ts";
import type { Context } from "./context.ts";
import { activeKeyset, keysetOf } from "./keysets.ts";
import type { CoinRow } from "./rows.ts";

export async function makeBlankCoins(
  context: Context,
  seed: Uint8Array,
  keysetId: string,
  firstCounter: number,
  count: number,
): Promise<BlankCoin[]> {
  const blanks: BlankCoin[] = [];
  for (let index = 0; index < count; index++) {
    blanks.push(makeBlankCoin(seed, keysetId, firstCounter + index));
    await yieldToOthers(context);
  }
  return blanks;
}

export function outputsOf(blanks: readonly BlankCoin[], amounts: readonly Micros[]): BlindedMessageJson[] {
  return blanks.map(({ keysetId, B_ }, index) => ({
    amount: Number(amounts[index] ?? 0n),
    id: keysetId,
    B_,
  }));
}

/**
 * The coins of these signatures, in order.
 * @throws TuppenceError provider_answer_invalid: other amounts than asked for, or a signature by another key (NUT-12)
 */
export async function openCoins(
  context: Context,
  blanks: readonly BlankCoin[],
  signatures: readonly BlindSignature[],
  amounts: readonly Micros[],
): Promise<CoinRow[]> {
  if (signatures.length !== amounts.length || blanks.length < amounts.length)
    throw new TuppenceError("provider_answer_invalid", { answer: "signatures" });
  const coins: CoinRow[] = [];
  for (const [index, signature] of signatures.entries()) {
    const blank = blanks[index];
    const amount = amounts[index];
    if (!blank || amount === undefined || signature.amount !== amount)
      throw new TuppenceError("provider_answer_invalid", { answer: "signatures" });
    const { keys } = await keysetOf(context, blank.keysetId);
    const C = unblind(blank, signature, keys[amount.toString()] ?? "");
    if (C === undefined) throw new TuppenceError("provider_answer_invalid", { answer: "dleq" });
    coins.push({
      secret: blank.secret,
      C,
      keysetId: blank.keysetId,
      amount,
      state: "free",
      holder: undefined,
    });
    await yieldToOthers(context);
  }
  return coins;
}

/**
 * For change of so many coins, and no more: a reader may wait for them. How much change there is, and so how many coins
 * it is made of, the provider sees from the payment anyway. Goes on from those that were `made` before.
 */
export async function makeChangeBlanks(
  context: Context,
  changeSeed: Uint8Array,
  count: number,
  made: readonly BlankCoin[] = [],
): Promise<BlankCoin[]> {
  const { id } = await activeKeyset(context);
  const kept = made.filter(({ keysetId }) => keysetId === id);
  return [
    ...kept,
    ...(await makeBlankCoins(context, changeSeed, id, kept.length, Math.max(0, count - kept.length))),
  ];
}

/** A turn of the event loop, timers and messages included, so that a click never waits for a whole restocking. */
function yieldToOthers({ ports }: Context): Promise<void> {
  return ports.scheduler.delay(0);
}
