/**
 * Coins back into the account, and the account paid out: to the micro, once, whatever is lost on the way, and nothing that a
 * card's owner may still call back.
 */
import { randomBytes } from "node:crypto";
import { parse } from "valibot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { merchantAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { chargeBackTopUp, findTopUp, gatewayAccount } from "../../server/topups/index.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { thumbprintOf } from "../../shared/jws.ts";
import { ClosureResponse } from "../../shared/protocol/provider.ts";
import { createMemoryStore, type ProviderPort, type WalletStore } from "../../wallet/core/index.ts";
import { openKeys } from "../../wallet/core/keys.ts";
import { makeAccount, startTestProvider, type TestAccount, type TestProvider } from "./provider.ts";
import { approve, makeReader, offerOf, type Reader, SITE, untilTrue, valueOf } from "./reader.ts";

const TIMEOUT_MS = 120_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

let provider: TestProvider;

beforeEach(async () => {
  provider = await startTestProvider({ TUPPENCE_MINT_THREADS: "0" });
  await provider.provider.deps.merchants.put({
    id: "the-lantern",
    name: "The Lantern",
    origins: [SITE],
    refundWindowSeconds: 3_600,
    sealKeys: [],
  });
});
afterEach(async () => {
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
  await provider.close();
});

it("puts all coins back, change too, and takes none again until it pays", {
  timeout: TIMEOUT_MS,
}, async () => {
  const reader = await readerWith(5_000_000n);
  await Promise.all([reader.pay(offerOf(provider, { amount: 13_000n })), approve(reader)]);
  await reader.wallet.depositAll();
  expect(await reader.coins()).toEqual([]);
  expect(await standing(reader)).toEqual({
    account: 4_987_000n,
    float: 0n,
    merchant: 13_000n,
    gateway: -5_000_000n,
  });
  expect(await reader.wallet.snapshot()).toMatchObject({
    resting: true,
    balance: { total: "4987000", account: "4987000", coins: "0" },
  });

  provider.clock.ahead += 2 * DAY_MS;
  for (let minutes = 0; minutes <= 30; minutes++) {
    await reader.wallet.resume();
    provider.clock.ahead += MINUTE_MS;
  }
  expect(await reader.coins(), "a visit brings none").toEqual([]);

  await Promise.all([reader.pay(offerOf(provider, { resource: `${SITE}/b` })), approve(reader)]);
  expect((await reader.wallet.snapshot()).resting).toBe(false);
  expect((await standing(reader)).merchant).toBe(63_000n);
});

it.each<[string, (client: ProviderPort) => Partial<ProviderPort>]>([
  ["the quote's request", () => ({ meltQuote: lost })],
  ["the quote's answer", ({ meltQuote }) => ({ meltQuote: (...asked) => meltQuote(...asked).then(lost) })],
  ["the deposit's request", () => ({ melt: lost })],
  ["the deposit's answer", ({ melt }) => ({ melt: (...asked) => melt(...asked).then(lost) })],
])("loses nothing and deposits once where %s is lost", { timeout: TIMEOUT_MS }, async (_, fault) => {
  const { store } = await readerWith(5_000_000n);
  const unlucky = makeReader(provider, {
    store,
    delays: "skipped",
    between: (client) => ({ ...client, ...fault(client) }),
  });
  await expect(unlucky.wallet.depositAll()).rejects.toMatchObject({ code: "provider_unreachable" });
  expect((await unlucky.wallet.snapshot()).balance.total, "still the reader's").toBe("5000000");

  const again = makeReader(provider, { store, delays: "skipped" });
  await again.wallet.resume();
  await again.wallet.depositAll();
  expect(await again.coins()).toEqual([]);
  expect(await standing(again)).toEqual({
    account: 5_000_000n,
    float: 0n,
    merchant: 0n,
    gateway: -5_000_000n,
  });
});

it("gives the coins anew where the quote ended before anybody heard of them", {
  timeout: TIMEOUT_MS,
}, async () => {
  const store = await storeWithLostDeposit();
  provider.clock.ahead += DAY_MS;
  const again = makeReader(provider, { store, delays: "skipped" });
  await again.wallet.depositAll();
  expect((await standing(again)).account).toBe(5_000_000n);
});

it("finds out alone which coin was spent elsewhere, and asks nobody else about the others", {
  timeout: TIMEOUT_MS,
}, async () => {
  const reader = await readerWith(5_000_000n);
  const spent = (await reader.coins()).slice(0, 2);
  const copy = makeReader(provider, { delays: "skipped" });
  await copy.wallet.create({ kind: "ui", type: "createWallet" });
  await copy.wallet.resume();
  await copy.store.transaction((tables) => tables.coins.putAll(spent));
  await copy.wallet.depositAll();

  const asked: string[] = [];
  const watched = makeReader(provider, {
    store: reader.store,
    delays: "skipped",
    between: (client) => ({
      ...client,
      checkSpent: (ys) => {
        asked.push(...ys);
        return client.checkSpent(ys);
      },
    }),
  });
  await watched.wallet.depositAll();
  expect(asked).toEqual([]);
  expect((await standing(watched)).account).toBe(5_000_000n - valueOf(spent));
  expect((await watched.coins()).every(({ state }) => state === "spent")).toBe(true);
});

it("puts back what was withdrawn and had not arrived, too", { timeout: TIMEOUT_MS }, async () => {
  const store = createMemoryStore();
  const unlucky = makeReader(provider, {
    store,
    delays: "skipped",
    between: (client) => ({ ...client, mint: (...asked) => client.mint(...asked).then(lost) }),
  });
  await unlucky.wallet.create({ kind: "ui", type: "createWallet" });
  await unlucky.wallet.resume();
  await unlucky.topUp(5_000_000n).catch(() => undefined);
  expect(await unlucky.coins()).toEqual([]);
  const reader = makeReader(provider, { store, delays: "skipped" });
  await reader.wallet.depositAll();
  expect(await standing(reader)).toMatchObject({ account: 5_000_000n, float: 0n });
  expect(await reader.coins()).toEqual([]);
});

it("gives the account no coin that another device may have spent, until each was exchanged alone", {
  timeout: TIMEOUT_MS,
}, async () => {
  const reader = await readerWith(5_000_000n);
  await reader.wallet.saveBackup();
  const { phrase } = await reader.wallet.showPhrase();
  const given: unknown[] = [];
  const restored = makeReader(provider, {
    delays: "held",
    between: (client) => ({
      ...client,
      melt: (key, request) => {
        given.push(...request.inputs.map(({ secret }) => secret));
        return client.melt(key, request);
      },
    }),
  });
  await restored.wallet.create({ kind: "ui", type: "createWallet", phrase });
  await restored.wallet.resume();
  const inBackup = (await restored.coins()).map(({ secret }) => secret);
  expect(inBackup.length).toBeGreaterThan(0);
  for (const leave of [restored.wallet.depositAll, restored.wallet.closeAccount])
    await expect(leave()).rejects.toMatchObject({ code: "restore_unfinished" });
  expect(given).toEqual([]);
  await untilTrue(async () => {
    restored.releaseDelays();
    return (await restored.wallet.snapshot()).restore === null;
  });
  await restored.wallet.depositAll();
  expect((await standing(restored)).account).toBe(5_000_000n);
  expect(given.filter((secret) => inBackup.includes(String(secret)))).toEqual([]);
});

it("keeps the coins out of a frozen account, which would not give them back", {
  timeout: TIMEOUT_MS,
}, async () => {
  const reader = await readerWith(5_000_000n);
  const { topUps } = await reader.wallet.snapshot();
  const topUp = await findTopUp(provider.provider.deps, topUps[0]?.id ?? "");
  if (!topUp) throw new Error("no top-up");
  await chargeBackTopUp(provider.provider.deps, topUp);
  const before = await reader.coins();
  for (const leave of [reader.wallet.depositAll, reader.wallet.closeAccount])
    await expect(leave()).rejects.toMatchObject({ code: "account_frozen" });
  expect(await reader.coins()).toEqual(before);
  expect((await reader.wallet.snapshot()).resting).toBe(false);
  await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  expect((await standing(reader)).merchant, "they can be spent as ever").toBe(50_000n);
});

it("does not go on beside a question or a payment, which woke the wallet", {
  timeout: TIMEOUT_MS,
}, async () => {
  const store = await storeWithLostDeposit();
  provider.clock.ahead += 60 * MINUTE_MS;
  const asked: string[] = [];
  const again = makeReader(provider, {
    store,
    delays: "skipped",
    between: (client) => ({
      ...client,
      melt: (...request) => {
        asked.push("melt");
        return client.melt(...request);
      },
    }),
  });
  void again.pay(offerOf(provider)).catch(() => undefined);
  await untilTrue(async () => again.prompts.length > 0);
  await again.wallet.resume();
  expect(asked).toEqual([]);
  provider.clock.ahead += 11 * MINUTE_MS;
  await again.wallet.resume();
  expect(asked).toEqual(["melt"]);
});

it("pays out what is final, to the micro, and forgets the backup", { timeout: TIMEOUT_MS }, async () => {
  const reader = await readerWith(5_000_000n);
  await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  expect(await backupParts(reader)).toBeGreaterThan(0);
  // A card's owner may still call the top-up back.
  await expect(reader.wallet.closeAccount()).rejects.toMatchObject({ code: "account_not_final" });
  expect((await standing(reader)).account, "the coins are back in it").toBe(4_950_000n);

  provider.clock.ahead += DAY_MS;
  await reader.wallet.resume();
  expect((await standing(reader)).gateway, "what was refused is not done later, unasked").toBe(-5_000_000n);
  expect(await reader.wallet.closeAccount()).toEqual({ returned: "4950000" });
  expect(await standing(reader)).toEqual({ account: 0n, float: 0n, merchant: 50_000n, gateway: -50_000n });
  expect(await backupParts(reader)).toBe(0);
  expect(await reader.wallet.snapshot()).toMatchObject({ paidOut: "4950000", balance: { total: "0" } });
  expect(await reader.wallet.closeAccount(), "once more").toEqual({ returned: "4950000" });
  await reader.wallet.resume();
  expect(await backupParts(reader), "nor is it written again").toBe(0);

  // Whoever comes with the phrase now counts apart: the number is not given again.
  const { phrase } = await reader.wallet.showPhrase();
  const restored = makeReader(provider, { delays: "skipped" });
  await restored.wallet.create({ kind: "ui", type: "createWallet", phrase });
  await restored.wallet.resume();
  const device = await restored.store.read(async (tables) => (await tables.wallet.all())[0]?.device);
  expect(device).toBe(1);
  expect((await restored.wallet.snapshot()).restore?.damagedParts).toBe(0);

  // Another top-up, and it is a wallet like any other.
  await reader.topUp(2_000_000n);
  expect(await reader.wallet.snapshot()).toMatchObject({
    paidOut: null,
    resting: false,
    balance: { total: "2000000" },
  });
});

it("pays out once where the answer is lost, and tells how much when it is asked again", {
  timeout: TIMEOUT_MS,
}, async () => {
  const { store } = await readerWith(5_000_000n);
  provider.clock.ahead += DAY_MS;
  const unlucky = makeReader(provider, {
    store,
    delays: "skipped",
    between: (client) => ({
      ...client,
      closeAccount: (...asked) => client.closeAccount(...asked).then(lost),
    }),
  });
  await expect(unlucky.wallet.closeAccount()).rejects.toMatchObject({ code: "provider_unreachable" });
  const again = makeReader(provider, { store, delays: "skipped" });
  await again.wallet.resume();
  expect((await again.wallet.snapshot()).paidOut).toBe("5000000");
  expect(await standing(again)).toEqual({ account: 0n, float: 0n, merchant: 0n, gateway: 0n });
});

it("pays no account out twice, whoever asks how often at once, nor for another one's id", {
  timeout: TIMEOUT_MS,
}, async () => {
  const [account, other] = [await accountWith(3_000_000n), await accountWith(1_000_000n)];
  provider.clock.ahead += DAY_MS;
  const ids = Array.from({ length: 8 }, () => randomBytes(16).toString("hex"));
  const answers = await Promise.all(ids.flatMap((id) => [close(account, id), close(account, id)]));
  // Who came late found nothing; of the one that found it, both askers heard the same.
  const returned = new Map<string, bigint>();
  for (const answer of answers) {
    const { id, returned: amount } = parse(ClosureResponse, answer);
    if (amount > 0n) returned.set(id, amount);
  }
  expect([...returned.values()]).toEqual([3_000_000n]);
  const [id = ""] = [...returned.keys()];
  expect(await close(other, id)).toMatchObject({ code: "request_conflict" });
  expect(await close(account, id)).toEqual({ id, returned: "3000000" });
  expect(await provider.provider.deps.ledger.balance(readerAccount(other.id))).toBe(1_000_000n);
});

it("keeps a frozen account's money where it is", { timeout: TIMEOUT_MS }, async () => {
  const account = await accountWith(3_000_000n);
  const topUp = await findTopUp(provider.provider.deps, await account.topUp(1_000_000n));
  if (!topUp) throw new Error("no top-up");
  await chargeBackTopUp(provider.provider.deps, topUp);
  provider.clock.ahead += DAY_MS;
  expect(await close(account, randomBytes(16).toString("hex"))).toMatchObject({ code: "account_frozen" });
  expect(await provider.provider.deps.ledger.balance(readerAccount(account.id))).toBe(3_000_000n);
});

async function readerWith(amount: bigint): Promise<Reader> {
  const reader = makeReader(provider, { delays: "skipped" });
  await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  await reader.topUp(amount);
  return reader;
}

/** Of a wallet whose coins are on their way back, and nobody at the provider heard of it. */
async function storeWithLostDeposit(): Promise<WalletStore> {
  const { store } = await readerWith(5_000_000n);
  const unlucky = makeReader(provider, {
    store,
    delays: "skipped",
    between: (client) => ({ ...client, melt: lost }),
  });
  await expect(unlucky.wallet.depositAll()).rejects.toMatchObject({ code: "provider_unreachable" });
  return store;
}

async function accountWith(amount: bigint): Promise<TestAccount> {
  const account = await makeAccount(provider);
  await account.topUp(amount);
  return account;
}

async function close(account: TestAccount, id: string): Promise<unknown> {
  return (await account.call("POST", "/accounts/me/closure", { id, gateway: "sandbox" })).body;
}

async function lost(): Promise<never> {
  throw new TuppenceError("provider_unreachable");
}

/** What the ledger says. */
async function standing(reader: Reader) {
  const { ledger } = provider.provider.deps;
  const floats = [...(await ledger.balances("float:")).values()];
  return {
    account: await ledger.balance(readerAccount(await accountOf(reader))),
    float: floats.reduce((sum, value) => sum + value, 0n),
    merchant: await ledger.balance(merchantAccount("the-lantern")),
    gateway: await ledger.balance(gatewayAccount("sandbox")),
  };
}

async function accountOf(reader: Reader): Promise<string> {
  const [row] = await reader.store.read((tables) => tables.wallet.all());
  if (!row) throw new Error("no wallet");
  return thumbprintOf((await openKeys(row.seedHex)).account.publicJwk);
}

/** Those in which something stands: of the others only the name is kept. */
async function backupParts(reader: Reader): Promise<number> {
  const rows = await provider.provider.deps.database
    .$extendTables<{ wallet_backup_parts: { account_id: string; content: Uint8Array } }>()
    .selectFrom("wallet_backup_parts")
    .selectAll()
    .where("account_id", "=", await accountOf(reader))
    .execute();
  return rows.filter(({ content }) => content.length > 0).length;
}
