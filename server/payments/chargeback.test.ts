/** A stolen card: coins cannot be called back, so the loss is bounded before they are handed out. */
import { createHash, randomBytes } from "node:crypto";
import { Amount, getPubKeyFromPrivKey, signMintQuote } from "@cashu/cashu-ts";
import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toHex } from "../../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed, signJws, thumbprintOf } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { MintQuoteResponse, MintResponse } from "../../shared/protocol/cashu.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import {
  type Answer,
  MERCHANT,
  openShop,
  REFUND_WINDOW_SECONDS,
  type Shop,
  signatureJson,
} from "../../test/support/shop.ts";
import { applyGatewayEvent } from "../gateways/index.ts";
import { LOSS, merchantAccount, PAYOUT_CLEARING, readerAccount } from "../ledger/accounts.ts";
import { settleAll } from "../settlement/index.ts";
import { gatewayAccount, writeOff } from "../topups/index.ts";

/** The most that money which is not final may cost: $2. */
const LIMIT = 2_000_000;
const TOP_UP = 5_000_000;

let shop: Shop;
let card: SigningKey;
beforeEach(async () => {
  shop = await openShop({ TUPPENCE_PROVISIONAL_LIMIT: "2" });
  card = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

async function asAccount(method: "GET" | "POST", url: string, body?: unknown): Promise<Answer> {
  const bytes = body === undefined ? "" : JSON.stringify(body);
  const hash = createHash("sha256").update(bytes).digest("base64url");
  const claims = {
    aud: shop.accountsOrigin,
    htm: method,
    htu: url,
    body: hash,
    iat: Math.floor(shop.clock.now / 1_000),
  };
  const token = await signJws("tuppence-account+jwt", claims, card, "jwk");
  return shop.operator(method, url, body, token);
}

/** Tops up with the stolen card and has it approved. */
async function topUp(): Promise<string> {
  await asAccount("POST", "/accounts");
  const id = toHex(randomBytes(16));
  await asAccount("POST", "/topups", { id, amount: String(TOP_UP), gateway: "sandbox" });
  await applyGatewayEvent(shop.deps, "sandbox", { type: "approved", topUpId: id, amount: micros(TOP_UP) });
  return id;
}

/** True if the provider handed the coins out. */
async function withdraw(...amounts: number[]): Promise<boolean> {
  const key = new Uint8Array(randomBytes(32));
  const pubkey = toHex(getPubKeyFromPrivKey(key));
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  const asked = await asAccount("POST", "/v1/mint/quote/account", { amount: total, unit: "usd6", pubkey });
  const { quote } = v.parse(MintQuoteResponse, asked.json);
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), amounts);
  const outputs = blanks.map(({ output }) => output);
  const signature = signMintQuote(
    toHex(key),
    quote,
    outputs.map((output) => ({ ...output, amount: Amount.from(output.amount) })),
  );
  const answer = await asAccount("POST", "/v1/mint/account", { quote, outputs, signature });
  if (answer.status !== 200) return false;
  shop.bookCoins(
    openCoins(shop.deps, blanks, v.parse(MintResponse, answer.json).signatures.map(signatureJson)),
  );
  return true;
}

test("charged back after its coins are spent and paid out, it costs the provider the limit and not a micro more", async () => {
  const id = await topUp();
  expect(await withdraw(2_000_000, 1_000)).toBe(false);
  expect(await withdraw(2_000_000)).toBe(true);
  expect(await withdraw(1_000)).toBe(false);

  const made = await shop.makePayment(shop.purse());
  const offer = shop.offer({ amount: BigInt(LIMIT) });
  shop.bookPayment(made, await shop.settle(shop.directBody(offer, made.payment)));
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
  await settleAll(shop.deps, { now: shop.clock.now });

  await applyGatewayEvent(shop.deps, "sandbox", {
    type: "charged_back",
    topUpId: id,
    amount: micros(TOP_UP),
  });
  await applyGatewayEvent(shop.deps, "sandbox", {
    type: "charged_back",
    topUpId: id,
    amount: micros(TOP_UP),
  });
  const account = readerAccount(await thumbprintOf(card.publicJwk));
  const balances = async () => {
    const { trialBalance } = await shop.deps.ledger.audit();
    return new Map(trialBalance.map((row) => [row.account, row.balance]));
  };
  expect((await balances()).get(account)).toBe(BigInt(-LIMIT));
  expect((await balances()).get(gatewayAccount("sandbox"))).toBe(0n);
  expect((await balances()).get(PAYOUT_CLEARING)).toBe(1_800_000n);
  expect((await balances()).get(merchantAccount(MERCHANT))).toBe(0n);
  expect(await withdraw(1_000)).toBe(false);

  expect(await writeOff(shop.deps, await thumbprintOf(card.publicJwk), id)).toBe(BigInt(LIMIT));
  expect((await balances()).get(LOSS)).toBe(BigInt(-LIMIT));
  expect((await balances()).get(account)).toBe(0n);
});

test("coins that were withdrawn before the chargeback stay good: they are the merchant's by right", async () => {
  const id = await topUp();
  expect(await withdraw(50_000)).toBe(true);
  await applyGatewayEvent(shop.deps, "sandbox", {
    type: "charged_back",
    topUpId: id,
    amount: micros(TOP_UP),
  });
  const made = await shop.makePayment(shop.purse());
  shop.bookPayment(made, await shop.settle(shop.directBody(shop.offer(), made.payment)));
  expect(await shop.deps.ledger.balance(merchantAccount(MERCHANT))).toBe(50_000n);
});
