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
import type { ProviderPort } from "../../wallet/core/index.ts";
import { openKeys } from "../../wallet/core/keys.ts";
import { makeAccount, startTestProvider, type TestAccount, type TestProvider } from "./provider.ts";
import { approve, makeReader, offerOf, type Reader, SITE, valueOf } from "./reader.ts";

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
  const { store } = await readerWith(5_000_000n);
  const unlucky = makeReader(provider, {
    store,
    delays: "skipped",
    between: (client) => ({ ...client, melt: lost }),
  });
  await expect(unlucky.wallet.depositAll()).rejects.toMatchObject({ code: "provider_unreachable" });
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
  await reader.wallet.resume();
  expect(await backupParts(reader), "nor is it written again").toBe(0);

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

async function backupParts(reader: Reader): Promise<number> {
  const rows = await provider.provider.deps.database
    .$extendTables<{ wallet_backup_parts: { account_id: string } }>()
    .selectFrom("wallet_backup_parts")
    .selectAll()
    .where("account_id", "=", await accountOf(reader))
    .execute();
  return rows.length;
}
