/** The coins in the wallet's own store, looked at and changed behind its back, as only another copy of the wallet could. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { createRowSealer, type RowSealer } from "../../extension/store/sealed-rows.ts";
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
  return (await openDrawer(extension)).coins.map(({ coin }) => coin);
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

interface OpenDrawer {
  readonly sealer: RowSealer;
  readonly coins: readonly { readonly stored: StoredText; readonly coin: DrawerCoin }[];
}

/** A row as it lies on the disk, its bytes as base64: a form that travels between browser and test. */
type StoredText = Readonly<Record<string, string>>;

const COINS = { table: "coins", key: "secret", indexes: ["state"] };
const SET_ASIDE = "set aside";

/** Opens the rows with the key of this device, which a page of the extension may use like the wallet itself. */
async function openDrawer(extension: Extension): Promise<OpenDrawer> {
  const { rowKey, rows } = await inStore(
    extension,
    async () => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await answerOf(indexedDB.open("tuppence"));
      const transaction = database.transaction(["coins", "vault"]);
      const [vault, coins] = await Promise.all([
        answerOf(transaction.objectStore("vault").get("vault")),
        answerOf(transaction.objectStore("coins").getAll()),
      ]);
      database.close();
      const key = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: vault.nonce },
        vault.deviceKey,
        vault.wrapped,
      );
      const text = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
      return {
        rowKey: text(new Uint8Array(key)),
        rows: coins.map((row: { sealed: Uint8Array }) => ({ ...row, sealed: text(row.sealed) })),
      };
    },
    undefined,
  );
  const sealer = createRowSealer(Buffer.from(rowKey, "base64"));
  const coins = v.parse(v.array(v.record(v.string(), v.string())), rows).map((stored) => ({
    stored,
    coin: v.parse(
      Coin,
      sealer.open(COINS, {
        ...stored,
        sealed: new Uint8Array(Buffer.from(stored.sealed ?? "", "base64")),
      }),
    ),
  }));
  return { sealer, coins };
}

/** Changes rows unless the wallet changed one of them since they were read; then it looks again. */
async function changeCoins(
  extension: Extension,
  change: (coins: readonly DrawerCoin[]) => readonly DrawerCoin[],
): Promise<DrawerCoin[]> {
  for (;;) {
    const { sealer, coins } = await openDrawer(extension);
    const after = change(coins.map(({ coin }) => coin));
    const changes = coins.flatMap(({ stored, coin }, index) => {
      const changed = after[index];
      if (changed === undefined || changed === coin) return [];
      const { sealed, ...indexes } = sealer.seal(COINS, changed) as { sealed: Uint8Array };
      return [{ before: stored, after: { ...indexes, sealed: Buffer.from(sealed).toString("base64") } }];
    });
    const isDone = await inStore(
      extension,
      async (wanted) => {
        const answerOf = <T>(request: IDBRequest<T>) =>
          new Promise<T>((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        const database = await answerOf(indexedDB.open("tuppence"));
        const rows = database.transaction("coins", "readwrite").objectStore("coins");
        try {
          for (const { before } of wanted) {
            const now = await answerOf(rows.get(before.secret ?? ""));
            if (now === undefined || btoa(String.fromCharCode(...now.sealed)) !== before.sealed) return false;
          }
          for (const { after } of wanted) {
            const sealed = Uint8Array.from(atob(after.sealed), (letter) => letter.charCodeAt(0));
            await answerOf(rows.put({ ...after, sealed }));
          }
          return true;
        } finally {
          database.close();
        }
      },
      changes,
    );
    if (isDone) return [...after];
  }
}

async function inStore<Given, Answer>(
  extension: Extension,
  work: (given: Given) => Promise<Answer>,
  given: Given,
): Promise<Answer> {
  const page = await extension.context.newPage();
  try {
    // A page of the extension that has nothing of its own to say.
    await page.goto(extension.url("extension/icons/16.png"));
    return await page.evaluate(work as never, given as never);
  } finally {
    await page.close();
  }
}
