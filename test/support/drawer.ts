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
  return v.parse(v.array(Coin), await inStore(extension, []));
}

export async function putCoins(extension: Extension, coins: readonly DrawerCoin[]): Promise<void> {
  await inStore(extension, coins);
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

/** Writes these rows over what is there, and gives all that is there then. */
async function inStore(extension: Extension, rows: readonly DrawerCoin[]): Promise<unknown> {
  const page = await extension.context.newPage();
  try {
    // A page of the extension that has nothing of its own to say.
    await page.goto(extension.url("extension/icons/16.png"));
    return await page.evaluate(async (changed) => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await answerOf(indexedDB.open("tuppence"));
      const coins = database.transaction("coins", "readwrite").objectStore("coins");
      for (const row of changed) coins.put(row);
      const all = await answerOf(coins.getAll());
      database.close();
      return all;
    }, rows);
  } finally {
    await page.close();
  }
}
