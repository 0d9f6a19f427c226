/**
 * A wallet brought back by its phrase from the provider as an operator runs it: 1,000 coins and 5,000 payments in its backup.
 * In the extension, with the browser's own database, until all of it is here and can be spent, as a reader waits for it who
 * looks at the progress. Beside it the same wallet core with its store in memory: the difference is what the browser costs.
 * With that one also how many coins a second are exchanged afterwards, in the background, without the random pauses between them.
 */
import { randomBytes } from "node:crypto";
import { dayOf } from "../shared/calendar.ts";
import { signingKeyFromSeed } from "../shared/jws.ts";
import { micros } from "../shared/money.ts";
import { UI_PORT } from "../shared/protocol/ui.ts";
import { issueReceipt } from "../shared/receipt.ts";
import { launchExtension } from "../test/support/extension.ts";
import { createMemoryStore, createWallet, type Wallet, type WalletStore } from "../wallet/core/index.ts";
import { openKeys } from "../wallet/core/keys.ts";
import type { PaymentRow } from "../wallet/core/rows.ts";
import { createProviderClient } from "../wallet/provider/index.ts";
import { PRICE, type PreparedProvider, prepareProvider } from "./payments.ts";
import { startServer } from "./process.ts";
import type { Part } from "./row.ts";

const COINS = 1_000;
const PAYMENTS = 5_000;
const SITE = "https://lantern.example";
const MILLISECONDS_PER_SECOND = 1_000;
/** A year of reading. */
const SECONDS_BETWEEN_PAYMENTS = 6_300;

export const restore: Part = {
  name: "restore",
  async measure() {
    const prepared = await prepareProvider();
    const provider = await startServer("server/main.ts", [], {
      ...prepared.environment,
      TUPPENCE_SANDBOX_FINAL_SECONDS: "0",
    });
    try {
      const browserMs = await restoreInBrowser(prepared, await saveWallet(prepared));
      const phrase = await saveWallet(prepared);
      const began = performance.now();
      const { wallet } = openWallet(prepared);
      await wallet.create({ kind: "ui", type: "createWallet", phrase });
      await wallet.resume();
      const here = performance.now();
      const { balance, restore: step } = await wallet.snapshot();
      if (BigInt(balance.coins) !== PRICE * BigInt(COINS) || step?.receipts !== PAYMENTS)
        throw new Error(`not all of it was brought back: ${JSON.stringify({ balance, step })}`);
      let checkedFrom = 0;
      for (;;) {
        const now = (await wallet.snapshot()).restore;
        if (now === null) break;
        if (now.phase === "checking" && checkedFrom === 0) checkedFrom = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const checked = performance.now();
      if ((await wallet.snapshot()).balance.coins !== balance.coins) throw new Error("coins were lost");
      return [
        {
          name: "restore.coins_per_s",
          value: (COINS * MILLISECONDS_PER_SECOND) / browserMs,
          unit: "/s",
          baseline: `with ${PAYMENTS.toLocaleString("en-US")} receipts; with a store in memory ${((COINS * MILLISECONDS_PER_SECOND) / (here - began)).toFixed(0)}`,
        },
        { name: "restore.ms", value: Math.round(browserMs), unit: "ms" },
        {
          name: "restore.coins_checked_per_s",
          value: (COINS * MILLISECONDS_PER_SECOND) / (checked - checkedFrom),
          unit: "/s",
          baseline: "each alone, without the pauses",
        },
      ];
    } finally {
      await provider.end();
      await prepared.remove();
    }
  },
};

/** Milliseconds from the reader's click until every receipt and every coin is there. */
async function restoreInBrowser({ origin }: PreparedProvider, phrase: string): Promise<number> {
  const extension = await launchExtension();
  try {
    const page = await extension.welcomePage();
    return await page.evaluate(
      ({ port, request, coins, receipts }) =>
        new Promise<number>((resolve, reject) => {
          chrome.runtime
            .connect({ name: port })
            .onMessage.addListener(({ balance, restore: step, state }: Shown) => {
              if (state === "ready" && step === null)
                reject(new Error("the restore ended before all of it was seen"));
              if (balance.coins === coins && step?.receipts === receipts) resolve(performance.now() - began);
            });
          const began = performance.now();
          chrome.runtime
            .sendMessage(request)
            .then(({ error }) => error && reject(new Error(error.message)), reject);
        }),
      {
        port: UI_PORT,
        request: { kind: "ui", type: "createWallet", phrase, provider: origin },
        coins: String(PRICE * BigInt(COINS)),
        receipts: PAYMENTS,
      },
    );
  } finally {
    await extension.close();
  }
}

/** Of a snapshot, what tells how far it is. */
interface Shown {
  readonly state: string;
  readonly balance: { readonly coins: string };
  readonly restore: { readonly receipts: number } | null;
}

/** With coins that the provider knows, and payments that it does not: a restore takes their receipts as they are. */
async function saveWallet(prepared: PreparedProvider): Promise<string> {
  const { wallet, store } = openWallet(prepared);
  const { phrase } = await wallet.create({ kind: "ui", type: "createWallet" });
  await wallet.resume();
  // Only an account that was topped up has room for a backup of this size; its money is none of what is measured.
  const { checkoutUrl } = await wallet.topUp({ kind: "ui", type: "topUp", amount: micros(5_000_000) });
  await fetch(checkoutUrl, { method: "POST", body: new URLSearchParams({ decision: "approve" }) });
  await wallet.closeAccount();
  const coins = await prepared.coins(COINS);
  const payments = await makePayments(prepared, store);
  await store.transaction(async (tables) => {
    await tables.coins.putAll(
      coins.map(({ amount, id, secret, C }) => ({
        secret,
        C,
        keysetId: id,
        amount: micros(amount),
        state: "free",
        holder: undefined,
      })),
    );
    await tables.payments.putAll(payments);
    await tables.counters.put({ key: "payment", next: PAYMENTS });
  });
  await wallet.saveBackup();
  return phrase;
}

async function makePayments({ origin }: PreparedProvider, store: WalletStore): Promise<PaymentRow[]> {
  const [row] = await store.read((tables) => tables.wallet.all());
  const device = await (await openKeys(row?.seedHex ?? "")).device(0);
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const nowSeconds = Math.floor(Date.now() / MILLISECONDS_PER_SECOND);
  const payments: PaymentRow[] = [];
  for (let counter = 0; counter < PAYMENTS; counter++) {
    const id = await device.paymentId(counter);
    const resource = `${SITE}/${counter}`;
    const paidAtSeconds = nowSeconds - (PAYMENTS - counter) * SECONDS_BETWEEN_PAYMENTS;
    const holder = Buffer.from(randomBytes(32)).toString("base64url");
    const receipt = await issueReceipt(
      {
        iss: origin,
        aud: "the-lantern",
        jti: id,
        sub: holder,
        cnf: { jkt: holder },
        amount: PRICE,
        currency: "USD",
        resource,
        kind: "article",
        iat: paidAtSeconds,
      },
      key,
    );
    payments.push(paymentRow(id, counter, resource, receipt, paidAtSeconds));
  }
  return payments;
}

function paymentRow(
  id: string,
  counter: number,
  resourceUrl: string,
  receipt: string,
  paidAtSeconds: number,
): PaymentRow {
  const at = paidAtSeconds * MILLISECONDS_PER_SECOND;
  return {
    id,
    device: 0,
    counter,
    day: dayOf(at),
    state: "paid",
    order: {
      mode: "direct",
      kind: "article",
      title: `An article with a title of the usual length, number ${counter}`,
      merchant: "the-lantern",
      merchantName: "The Lantern",
      origin: SITE,
      resourceUrl,
      acceptedJson: "{}",
      resourceJson: "{}",
      amount: PRICE,
      least: PRICE,
      most: PRICE,
      refundWindowSeconds: 3_600,
      maxTimeoutSeconds: 60,
      seal: undefined,
      isPrivate: false,
    },
    origin: SITE,
    resourceKey: `the-lantern ${resourceUrl}`,
    amount: PRICE,
    at,
    requestKey: `bench ${counter}`,
    approvalId: undefined,
    fromAllowance: false,
    body: "",
    paymentJson: "",
    expiresAt: at,
    coinSecrets: [],
    coinsValue: PRICE,
    blanks: undefined,
    change: "none",
    changeSignatures: undefined,
    attempts: 0,
    receipt,
    paidAtSeconds,
    contentKey: undefined,
    contentKeySeal: undefined,
    refund: undefined,
    error: undefined,
    spentRetries: 0,
  };
}

function openWallet({ origin }: PreparedProvider): { wallet: Wallet; store: WalletStore } {
  const store = createMemoryStore();
  const clock = { nowMs: () => Date.now() };
  const wallet = createWallet({
    store,
    clock,
    random: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    connect: (anonymousOrigin) => createProviderClient({ anonymousOrigin, fetch, clock }),
    prompt: { open: async () => undefined },
    scheduler: {
      // A pause is there for privacy, and says nothing about speed.
      delay: () => new Promise((resolve) => void setImmediate(resolve)),
      wakeAt: () => undefined,
    },
    defaultProviderOrigin: origin,
  });
  return { wallet, store };
}
