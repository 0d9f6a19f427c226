/** The coins in the wallet's own store, looked at and changed behind its back, as only another copy of the wallet could. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { toHex } from "../../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import { makeOffer } from "../../shared/offer.ts";
import { type PaymentJson, SettleResponse } from "../../shared/protocol/x402.ts";
import type { Extension } from "./extension.ts";
import type { RunningProvider } from "./provider.ts";

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
  return v.parse(v.array(Coin), await inStore(extension, { type: "read" }));
}

/**
 * Hides from the wallet all free coins but `count` of this amount, until `putBack`, and gives these. Chosen and written in one
 * transaction: what the wallet takes for a swap in between would otherwise be written back after the swap, and be there twice.
 */
export async function keepOnly(extension: Extension, amount: bigint, count: number): Promise<DrawerCoin[]> {
  const coins = v.parse(v.array(Coin), await inStore(extension, { type: "keep only", amount, count }));
  const kept = coins.filter(({ state }) => state === "free");
  if (kept.length < count) throw new Error(`the drawer holds ${kept.length} coins of ${amount}`);
  return kept;
}

export async function putBack(extension: Extension): Promise<void> {
  await inStore(extension, { type: "put back" });
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

/** Gives all coins as they are after the action, which is one transaction with the reading. */
async function inStore(
  extension: Extension,
  action: { type: "read" } | { type: "keep only"; amount: bigint; count: number } | { type: "put back" },
): Promise<unknown> {
  const page = await extension.context.newPage();
  try {
    // A page of the extension that has nothing of its own to say.
    await page.goto(extension.url("extension/icons/16.png"));
    return await page.evaluate(async (wanted) => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const holder = "set aside";
      const database = await answerOf(indexedDB.open("tuppence"));
      const coins = database.transaction("coins", "readwrite").objectStore("coins");
      let left = wanted.type === "keep only" ? wanted.count : 0;
      for (const coin of await answerOf(coins.getAll())) {
        if (wanted.type === "keep only" && coin.state === "free") {
          if (coin.amount === wanted.amount && left > 0) left -= 1;
          else coins.put({ ...coin, state: "reserved", holder });
        }
        if (wanted.type === "put back" && coin.holder === holder) {
          const { holder: _, ...free } = coin;
          coins.put({ ...free, state: "free" });
        }
      }
      const all = await answerOf(coins.getAll());
      database.close();
      return all;
    }, action);
  } finally {
    await page.close();
  }
}
