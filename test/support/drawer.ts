/** The coins in the wallet's own store, looked at and changed behind its back, as only another copy of the wallet could. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { tableNamed } from "../../extension/store/index.ts";
import { toHex } from "../../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import { makeOffer } from "../../shared/offer.ts";
import { type PaymentJson, SettleResponse } from "../../shared/protocol/x402.ts";
import type { Extension } from "./extension.ts";
import type { RunningProvider } from "./provider.ts";
import { openTable, sealedText, writeRows } from "./stored-rows.ts";

const Coin = v.looseObject({
  secret: v.string(),
  C: v.string(),
  keysetId: v.string(),
  amount: v.bigint(),
  state: v.picklist(["free", "reserved", "spent"]),
  holder: v.optional(v.string()),
});
export type DrawerCoin = v.InferOutput<typeof Coin>;

/** In the order in which the wallet reads, and so takes, them. */
export async function readCoins(extension: Extension): Promise<DrawerCoin[]> {
  return (await openTable(extension, COINS)).rows.map(({ row }) => v.parse(Coin, row));
}

/**
 * Hides from the wallet all free coins but `count` of this amount, until `putBack`, and gives these. What the wallet takes for
 * a swap meanwhile is left to it: a coin that is written back after its swap would be there twice.
 */
export async function keepOnly(extension: Extension, amount: bigint, count: number): Promise<DrawerCoin[]> {
  const coins = await changeCoins(extension, (all) => {
    let left = count;
    return all.map((coin) => {
      if (coin.state !== "free") return coin;
      if (coin.amount === amount && left-- > 0) return coin;
      return { ...coin, state: "reserved", holder: SET_ASIDE };
    });
  });
  const free = coins.filter(({ state }) => state === "free");
  if (free.length < count) throw new Error(`the drawer holds ${free.length} coins of ${amount}`);
  return free;
}

export async function putBack(extension: Extension): Promise<void> {
  await changeCoins(extension, (all) =>
    all.map((coin) => (coin.holder === SET_ASIDE ? { ...coin, state: "free", holder: undefined } : coin)),
  );
}

/** The free coins of this amount that the wallet would take first. */
export async function firstCoins(extension: Extension, amount: bigint, count: number): Promise<DrawerCoin[]> {
  const coins = (await readCoins(extension)).filter(
    (coin) => coin.state === "free" && coin.amount === amount,
  );
  if (coins.length < count) throw new Error(`the drawer holds ${coins.length} coins of ${amount}`);
  return coins.slice(0, count);
}

export function valueOf(coins: readonly DrawerCoin[]): bigint {
  return coins.reduce((total, { amount }) => total + amount, 0n);
}

/** Pays a merchant with these coins. The wallet whose coins they are knows nothing of it. */
export async function spendElsewhere(
  { origin }: RunningProvider,
  merchant: { readonly id: string; readonly origin: string },
  coins: readonly DrawerCoin[],
): Promise<void> {
  const { resource, accepts } = makeOffer({
    provider: origin,
    merchant: merchant.id,
    amount: valueOf(coins),
    currency: "USD",
    kind: "tip",
    title: "From another copy of the wallet",
    resource: `${merchant.origin}/`,
  });
  const [accepted] = accepts;
  const holder = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const payload: PaymentJson = {
    paymentId: toHex(randomBytes(16)),
    proofs: coins.map(({ amount, keysetId, secret, C }) => ({
      amount: Number(amount),
      id: keysetId,
      secret,
      C,
    })),
    holder: await thumbprintOf(holder.publicJwk),
    refundHash: toHex(randomBytes(32)),
  };
  const response = await fetch(`${origin}/x402/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      x402Version: 2,
      paymentPayload: { x402Version: 2, resource, accepted, payload },
      paymentRequirements: accepted,
    }),
  });
  const answer = v.parse(SettleResponse, await response.json());
  if (!answer.success) throw new Error(`the coins were not spent: ${answer.errorReason}`);
}

const COINS = tableNamed("coins");
const SET_ASIDE = "set aside";

/** Changes rows unless the wallet changed one of them since they were read; then it looks again. */
async function changeCoins(
  extension: Extension,
  change: (coins: readonly DrawerCoin[]) => readonly DrawerCoin[],
): Promise<DrawerCoin[]> {
  for (;;) {
    const { sealer, rows } = await openTable(extension, COINS);
    const coins = rows.map(({ row }) => v.parse(Coin, row));
    const after = change(coins);
    const changes = rows.flatMap(({ stored }, index) => {
      const changed = after[index];
      if (changed === undefined || changed === coins[index]) return [];
      return [{ before: stored, after: sealedText(sealer, COINS, changed) }];
    });
    if (await writeRows(extension, COINS, changes)) return [...after];
  }
}
