/** A wallet that nobody here wrote, against the real provider: what Cashu promises holds. */
import { randomBytes } from "node:crypto";
import {
  CheckStateEnum,
  getPubKeyFromPrivKey,
  hasValidDleq,
  MintOperationError,
  type Proof,
  Wallet,
} from "@cashu/cashu-ts";
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";
import { floatAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { chargeBackTopUp, findTopUp } from "../../server/topups/index.ts";
import { MeltQuoteResponse, MintQuoteResponse } from "../../shared/protocol/cashu.ts";
import { AccountResponse } from "../../shared/protocol/provider.ts";
import { makeAccount, startTestProvider, type TestAccount, type TestProvider } from "./provider.ts";

let provider: TestProvider;
let account: TestAccount;
let wallet: Wallet;
const seed = randomBytes(64);

beforeAll(async () => {
  provider = await startTestProvider();
  account = await makeAccount(provider);
  wallet = new Wallet(provider.accountsOrigin, { unit: "usd6", bip39seed: seed });
  await wallet.loadMint();
  await account.topUp(10_000_000n);
});

afterAll(async () => {
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
  await provider.close();
});

it("withdraws, and every signature carries its proof", async () => {
  const proofs = await withdraw(1_234_000);
  expect(sum(proofs)).toBe(1_234_000);
  const keyset = wallet.getKeyset();
  for (const proof of proofs) expect(hasValidDleq(proof, keyset)).toBe(true);
  expect(keyset.verify()).toBe(true);
  expect((await account.call("GET", "/accounts/me")).body).toMatchObject({ balance: "8766000" });
});

it("swaps, and the coins that were given are spent", async () => {
  const proofs = await withdraw(500_000);
  const { send, keep } = await wallet.send(123_000, proofs);
  expect(sum(send)).toBe(123_000);
  expect(sum([...send, ...keep])).toBe(500_000);
  const states = await wallet.checkProofsStates([...proofs, ...send]);
  expect(states.slice(0, proofs.length).some(({ state }) => state === CheckStateEnum.SPENT)).toBe(true);
  expect(states.slice(proofs.length).every(({ state }) => state === CheckStateEnum.UNSPENT)).toBe(true);
});

it("refuses coins that were spent, with Cashu's own number", async () => {
  const proofs = await withdraw(100_000);
  await wallet.receive(proofs);
  const refusal = await wallet.receive(proofs).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(MintOperationError);
  expect(refusal).toMatchObject({ code: 11001 });
});

it("restores what was withdrawn from the seed alone", async () => {
  const fresh = new Wallet(provider.accountsOrigin, { unit: "usd6", bip39seed: seed });
  await fresh.loadMint();
  const { proofs } = await fresh.restore(0, 200);
  expect(sum(proofs)).toBeGreaterThanOrEqual(1_234_000);
  const states = await fresh.checkProofsStates(proofs);
  const unspent = proofs.filter((_, index) => states[index]?.state === CheckStateEnum.UNSPENT);
  const float = await provider.provider.deps.ledger.balance(
    floatAccount(provider.provider.deps.mint.activeKeysetId()),
  );
  expect(BigInt(sum(unspent))).toBe(float);
});

it("deposits, and gets back what the coins were worth more", async () => {
  const proofs = await withdraw(200_000);
  const before = await balance();
  const quote = await wallet.createMeltQuote("account", {
    request: account.id,
    unit: "usd6",
    amount: 150_000,
  });
  expect(quote).toMatchObject({ state: "UNPAID" });
  const inputs = proofs.filter(({ amount }) => Number(amount) >= 200_000);
  const { quote: paid, change } = await wallet.meltProofs(
    "account",
    { ...quote, fee_reserve: 50_000 },
    inputs,
  );
  expect(paid).toMatchObject({ state: "PAID" });
  expect(sum(change)).toBe(50_000);
  expect(await balance()).toBe(before + 150_000n);
  expect(await wallet.mint.checkMeltQuote("account", quote.quote)).toMatchObject({ state: "PAID" });
});

it("takes no coins into a frozen account, out of which they would not come again, and answers for what it took before", async () => {
  const { deps } = provider.provider;
  const frozen = await makeAccount(provider);
  const topUp = await findTopUp(deps, await frozen.topUp(1_000_000n));
  if (!topUp) throw new Error("no top-up");
  const request = { request: frozen.id, unit: "usd6", amount: 100_000 };
  const [before, after] = await Promise.all([1, 2].map(() => meltQuote(request)));
  const [spent, kept] = [await withdraw(100_000), await withdraw(100_000)];
  const deposited = await melt(before, spent);
  expect(deposited).toMatchObject({ status: 200, body: { state: "PAID" } });
  await chargeBackTopUp(deps, topUp);

  expect(await melt(before, spent)).toEqual(deposited);
  expect(await melt(after, kept)).toMatchObject({ status: 403, body: { code: "account_frozen" } });
  expect(await deps.ledger.balance(readerAccount(frozen.id))).toBe(100_000n);
  const states = await wallet.checkProofsStates(kept);
  expect(states.every(({ state }) => state === CheckStateEnum.UNSPENT)).toBe(true);
  expect(await post("/v1/melt/quote/account", request)).toMatchObject({
    status: 403,
    body: { code: "account_frozen" },
  });
  expect(sum(await wallet.receive(kept))).toBe(100_000);
});

async function meltQuote(request: object): Promise<string> {
  return v.parse(MeltQuoteResponse, (await post("/v1/melt/quote/account", request)).body).quote;
}

async function melt(quote: string | undefined, coins: readonly Proof[]) {
  const inputs = coins.map(({ id, amount, secret, C }) => ({ id, amount: Number(amount), secret, C }));
  return post("/v1/melt/account", { quote, inputs });
}

async function post(path: string, body: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(provider.accountsOrigin + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

it("gives the same signatures when the same mint request comes again, and refuses other outputs for the quote", async () => {
  const { quote, privkey } = await makeQuote(50_000);
  const preview = await wallet.prepareMint("account", 50_000, quote, { privkey });
  const [first, second] = await Promise.all([wallet.completeMint(preview), wallet.completeMint(preview)]);
  expect(second).toEqual(first);
  const other = await wallet.prepareMint("account", 50_000, quote, { privkey });
  await expect(wallet.completeMint(other)).rejects.toMatchObject({ code: 20002 });
});

it("mints nothing for a stranger who knows the quote", async () => {
  const { quote } = await makeQuote(50_000);
  const preview = await wallet.prepareMint(
    "account",
    50_000,
    { quote: quote.quote },
    { privkey: randomBytes(32).toString("hex") },
  );
  await expect(wallet.completeMint(preview)).rejects.toMatchObject({ code: 20008 });
});

it("mints nothing that the account does not hold, and the money stays", async () => {
  const before = await balance();
  const { quote, privkey } = await makeQuote(900_000_000);
  expect(quote).toMatchObject({ state: "UNPAID" });
  const preview = await wallet.prepareMint("account", 900_000_000, quote, { privkey });
  await expect(wallet.completeMint(preview)).rejects.toMatchObject({ code: 20001 });
  expect(await balance()).toBe(before);
});

async function withdraw(amount: number): Promise<Proof[]> {
  const { quote, privkey } = await makeQuote(amount);
  return wallet.completeMint(await wallet.prepareMint("account", amount, quote, { privkey }));
}

/** The token goes in by a request of our own; the rest is the stock wallet's. */
async function makeQuote(amount: number) {
  const privkey = randomBytes(32).toString("hex");
  const pubkey = Buffer.from(getPubKeyFromPrivKey(Buffer.from(privkey, "hex"))).toString("hex");
  const payload = { amount, unit: "usd6", pubkey };
  const token = await account.token("POST", "/v1/mint/quote/account", JSON.stringify(payload));
  const response = await fetch(`${provider.accountsOrigin}/v1/mint/quote/account`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(payload),
  });
  const { quote } = v.parse(MintQuoteResponse, await response.json());
  return { quote: await wallet.mint.checkMintQuote("account", quote), privkey };
}

async function balance(): Promise<bigint> {
  return BigInt(v.parse(AccountResponse, (await account.call("GET", "/accounts/me")).body).balance);
}

function sum(proofs: readonly Proof[]): number {
  return proofs.reduce((total, { amount }) => total + Number(amount), 0);
}
