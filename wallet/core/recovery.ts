/**
 * After a restore from the phrase: looks for what the provider still knows. Withdrawn and swapped coins by NUT-09, in
 * pieces, until nothing was signed for a while; payments by their ids, each asked for alone, until
 * none was seen for a while; change and refunds follow from the payments. Nothing else happens before this is done,
 * because it would use numbers that were used already.
 *
 * Blank coins that were withdrawn are known to be the account's, so they are asked about at the accounts origin, where that is
 * no news. Which coins are spent is asked at the other origin, last of all and about all of them mixed, in pieces of one
 * size that made-up ones fill: otherwise their number would say whose withdraw they came from.
 */
import { toHex } from "../../shared/bytes.ts";
import { readUnverified } from "../../shared/jws.ts";
import { add, MAX_CHANGE_OUTPUTS, micros, splitIntoCoins } from "../../shared/money.ts";
import type { PaymentResult } from "../../shared/protocol/x402.ts";
import { ReceiptClaims } from "../../shared/receipt.ts";
import { type BlankCoin, yOf } from "./cashu.ts";
import { makeBlankCoins, openCoins, outputsOf } from "./coins.ts";
import { type Context, knowProvider } from "./context.ts";
import type { PaymentKeys } from "./keys.ts";
import { refreshKeysets } from "./keysets.ts";
import { askById } from "./payments.ts";
import type { ProviderPort } from "./ports.ts";
import { PAYMENT_COUNTER } from "./prepared.ts";
import { resourceKeyOf } from "./reserve.ts";
import type { CoinRow, CounterRow, PaymentRow } from "./rows.ts";

const PIECE = 50;
const SECRET_BYTES = 32;
/** So many unsigned blank coins in a row, and there are no more: a withdraw that was refused leaves a gap of up to forty. */
const COIN_GAP = 400;
/** Payments that were prepared and never sent, or were refused, leave gaps too. */
const PAYMENT_GAP = 40;

/** Does nothing if it was done. @throws TuppenceError provider_*: it is begun again later */
export function recover(context: Context): Promise<void> {
  return context.serially(async () => {
    if ((await context.open()).row.recovery !== "pending") return;
    const { keys } = await context.open();
    await refreshKeysets(context);
    const { info } = await knowProvider(context);
    const keysets = await context.store.read((tables) => tables.keysets.all());
    const coins: CoinRow[] = [];
    // Quotes are asked for under keys that were never used: nobody withdraws once a second since 1970.
    const counters: CounterRow[] = [{ key: "quote", next: context.nowSeconds() }];
    for (const { id } of keysets.filter(({ unit }) => unit === info.unit)) {
      const { provider } = await context.open();
      const restoreWithdrawn: Restore = (outputs) => provider.restoreWithdrawn(keys.account, outputs);
      for (const [name, seed, restore] of [
        ["withdraw", keys.withdrawSeed, restoreWithdrawn] as const,
        ["swap", keys.swapSeed, provider.restore] as const,
      ]) {
        const found = await findCoins(context, seed, id, restore);
        coins.push(...found.coins);
        counters.push({ key: `${name}:${id}`, next: found.next });
      }
    }
    const found = await findPayments(context);
    counters.push({ key: PAYMENT_COUNTER, next: found.next });
    const held = await unspent(context, [...coins, ...found.coins]);
    await context.store.transaction(async (tables) => {
      await Promise.all([
        tables.coins.putAll(held),
        tables.payments.putAll(found.payments),
        tables.counters.putAll(counters),
      ]);
    });
    await context.updateWallet((row) => ({ ...row, recovery: "none" }));
  });
}

type Restore = ProviderPort["restore"];

async function findCoins(
  context: Context,
  seed: Uint8Array,
  keysetId: string,
  restore: Restore,
): Promise<{ coins: CoinRow[]; next: number }> {
  const coins: CoinRow[] = [];
  let next = 0;
  for (let first = 0; first - next < COIN_GAP; first += PIECE) {
    const blanks = await makeBlankCoins(context, seed, keysetId, first, PIECE);
    const signed = await openSigned(context, blanks, restore);
    coins.push(...signed.coins);
    if (signed.lastIndex >= 0) next = first + signed.lastIndex + 1;
  }
  return { coins, next };
}

/** The coins of those that were signed, spent or not. */
async function openSigned(
  context: Context,
  blanks: readonly BlankCoin[],
  restore: Restore,
): Promise<{ coins: CoinRow[]; lastIndex: number; signed: number }> {
  const signatures = await restore(outputsOf(blanks, []));
  const signed = blanks.filter(({ B_ }) => signatures.has(B_));
  const found = signed.map(({ B_ }) => signatures.get(B_)).filter((signature) => signature !== undefined);
  const lastIndex = blanks.findLastIndex(({ B_ }) => signatures.has(B_));
  const coins = await openCoins(
    context,
    signed,
    found,
    found.map(({ amount }) => amount),
  );
  return { coins, lastIndex, signed: signed.length };
}

async function unspent(context: Context, coins: readonly CoinRow[]): Promise<CoinRow[]> {
  const { provider } = await context.open();
  const asked = coins.map(({ secret }) => yOf(secret));
  const madeUp = Array.from({ length: (PIECE - (asked.length % PIECE)) % PIECE }, () =>
    yOf(toHex(context.ports.random.bytes(SECRET_BYTES))),
  );
  // Hashes, so that sorted is mixed.
  const ys = [...asked, ...madeUp].sort();
  const free = new Set<string>();
  for (let first = 0; first < ys.length; first += PIECE)
    for (const [y, isSpent] of await provider.checkSpent(ys.slice(first, first + PIECE)))
      if (!isSpent) free.add(y);
  return coins.filter((_, index) => free.has(asked[index] ?? ""));
}

async function findPayments(
  context: Context,
): Promise<{ payments: PaymentRow[]; coins: CoinRow[]; next: number }> {
  const { keys, provider } = await context.open();
  const payments: PaymentRow[] = [];
  const coins: CoinRow[] = [];
  let next = 0;
  for (let counter = 0; counter - next < PAYMENT_GAP; counter++) {
    const id = await keys.paymentId(counter);
    const result = await askById(context, { id });
    const claims = result && readUnverified(result.receipt, ReceiptClaims);
    if (!result || !claims) continue;
    next = counter + 1;
    const paymentKeys = await keys.payment(id);
    const change = result.change?.[0]
      ? await openSigned(
          context,
          await changeBlanks(context, paymentKeys, result.change[0].id),
          provider.restore,
        )
      : undefined;
    const refund = await findRefund(context, paymentKeys, claims);
    coins.push(...(change?.coins ?? []), ...refund.coins);
    payments.push(rowOf(counter, claims, result, refund.isRefunded));
  }
  return { payments, coins, next };
}

async function changeBlanks(context: Context, keys: PaymentKeys, keysetId: string): Promise<BlankCoin[]> {
  return makeBlankCoins(context, await keys.changeSeed(), keysetId, 0, MAX_CHANGE_OUTPUTS);
}

async function findRefund(
  context: Context,
  keys: PaymentKeys,
  { amount }: ReceiptClaims,
): Promise<{ coins: CoinRow[]; isRefunded: boolean }> {
  const count = splitIntoCoins(amount)?.length ?? 0;
  const { provider } = await context.open();
  const keysets = await context.store.read((tables) => tables.keysets.all());
  for (const { id } of keysets) {
    const { coins, signed } = await openSigned(
      context,
      await makeBlankCoins(context, await keys.refundSeed(), id, 0, count),
      provider.restore,
    );
    if (signed > 0) return { coins, isRefunded: true };
  }
  return { coins: [], isRefunded: false };
}

/** What the receipt tells; titles and names were kept nowhere else. */
function rowOf(
  counter: number,
  claims: ReceiptClaims,
  { receipt, change = [] }: PaymentResult,
  isRefunded: boolean,
): PaymentRow {
  const { origin } = new URL(claims.resource);
  return {
    id: claims.jti,
    counter,
    state: isRefunded ? "refunded" : "paid",
    order: {
      mode: "direct",
      kind: claims.kind,
      title: claims.resource.slice(0, 300),
      merchant: claims.aud,
      merchantName: claims.aud,
      origin,
      resourceUrl: claims.resource,
      acceptedJson: "{}",
      resourceJson: "{}",
      amount: claims.amount,
      least: claims.amount,
      most: claims.amount,
      refundWindowSeconds: 0,
      maxTimeoutSeconds: 0,
      seal: undefined,
      isPrivate: false,
    },
    origin,
    resourceKey: resourceKeyOf(claims.aud, claims.resource),
    amount: claims.amount,
    at: claims.iat * 1_000,
    requestKey: `restored ${claims.jti}`,
    approvalId: undefined,
    fromAllowance: false,
    body: "",
    paymentJson: "",
    expiresAt: claims.iat * 1_000,
    coinSecrets: [],
    coinsValue: add(claims.amount, ...change.map(({ amount }) => micros(amount))),
    blanks: undefined,
    change: "none",
    changeSignatures: undefined,
    attempts: 0,
    receipt,
    paidAtSeconds: claims.iat,
    contentKey: undefined,
    contentKeySeal: undefined,
    refund: undefined,
    error: undefined,
    spentRetries: 0,
  };
}
