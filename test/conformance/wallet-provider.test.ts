/** The wallet core against the real provider, and the sums: what readers hold is what the ledger says they hold. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { floatAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { grantRefund } from "../../server/payments/grant.ts";
import { readRefund } from "../../server/payments/record.ts";
import { toBase64url } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { readUnverified, type SigningKey, signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import { splitIntoCoins, subtract, ZERO } from "../../shared/money.ts";
import { ReceiptClaims, verifyHolderProof } from "../../shared/receipt.ts";
import { openKeys } from "../../wallet/core/keys.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import {
  approve,
  makeReader,
  merchantHolds,
  offerOf,
  type Reader,
  type ReaderOptions,
  SITE,
  sealOf,
  senderAt,
  untilTrue,
  valueOf,
} from "./reader.ts";

let provider: TestProvider;
let sealKey: SigningKey;

beforeEach(async () => {
  provider = await startTestProvider({ TUPPENCE_MINT_THREADS: "0" });
  sealKey = await signingKeyFromSeed(randomBytes(32));
  await provider.provider.deps.merchants.put({
    id: "the-lantern",
    name: "The Lantern",
    origins: [SITE],
    refundWindowSeconds: 3_600,
    sealKeys: [sealKey.publicJwk],
  });
});

afterEach(async () => {
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
  await provider.close();
});

it("pays an article with exact coins, once, and nobody holds more or less than the ledger says", async () => {
  const reader = await readerWith(5_000_000n);
  const [result] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  const claims = readUnverified(result.receipt ?? "", ReceiptClaims);
  expect(claims).toMatchObject({ amount: 50_000n, aud: "the-lantern", resource: `${SITE}/article` });
  expect(await merchantHolds(provider)).toBe(50_000n);
  await addsUp([reader], 4_950_000n);
  const [payment] = await reader.payments();
  expect(payment).toMatchObject({ state: "paid", blanks: undefined });

  const again = await reader.pay(offerOf(provider));
  expect(again).toEqual(result);
  expect(await merchantHolds(provider)).toBe(50_000n);
});

it("pays with change where no coins fit, and the change is in the drawer", async () => {
  const reader = await readerWith(1_000_000n);
  // One coin of one unit, and nothing else.
  await reader.store.transaction(async (tables) => {
    const [largest, ...others] = (await tables.coins.all())
      .filter(({ state }) => state === "free")
      .sort((a, b) => Number(b.amount - a.amount));
    await tables.coins.putAll(others.map((coin) => ({ ...coin, state: "reserved", holder: "set aside" })));
    expect(largest?.amount).toBeGreaterThan(50_000n);
  });
  await Promise.all([reader.pay(offerOf(provider, { amount: 13_000n })), approve(reader)]);
  // One blank for each coin of the change: a reader waits for them, and more would tell the provider no less.
  const [payment] = await reader.payments();
  const change = payment && splitIntoCoins(subtract(payment.coinsValue, payment.amount));
  expect(change?.length).toBeGreaterThan(1);
  expect(payment?.blanks?.count).toBe(change?.length);
  await reader.store.transaction(async (tables) => {
    const aside = (await tables.coins.all()).filter(({ holder }) => holder === "set aside");
    await tables.coins.putAll(aside.map((coin) => ({ ...coin, state: "free", holder: undefined })));
  });
  await reader.wallet.resume();
  expect(await merchantHolds(provider)).toBe(13_000n);
  await addsUp([reader], 987_000n);
});

it("leaves a busy provider alone for as long as it asks, and pays then, once", async () => {
  const RETRY_AFTER_SECONDS = 95;
  const triedAt: number[] = [];
  const reader = makeReader(provider, {
    delays: "skipped",
    between: (client) => ({
      ...client,
      settle: async (body) => {
        triedAt.push(Date.now() + provider.clock.ahead);
        if (triedAt.length === 1)
          throw new TuppenceError("overloaded", { retryAfterSeconds: RETRY_AFTER_SECONDS });
        return client.settle(body);
      },
    }),
  });
  await fill(reader, 1_000_000n);
  // Nobody waits for so long: the page hears of it, and the payment goes on.
  const told = expect(reader.pay(offerOf(provider, { maxTimeoutSeconds: 600 }))).rejects.toMatchObject({
    code: "overloaded",
  });
  await Promise.all([told, approve(reader)]);
  await untilTrue(async () => (await reader.payments())[0]?.state === "paid");
  const [first = 0, second = 0] = triedAt;
  expect(triedAt).toHaveLength(2);
  expect(second - first).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1_000);
  expect(await merchantHolds(provider)).toBe(50_000n);
});

it("does not restock before a busy provider wants to be asked again", async () => {
  const RETRY_AFTER_SECONDS = 95;
  const askedAt: number[] = [];
  let isBusy = false;
  const reader = makeReader(provider, {
    delays: "skipped",
    between: (client) => ({
      ...client,
      swap: async (inputs, outputs) => {
        askedAt.push(Date.now() + provider.clock.ahead);
        if (isBusy && askedAt.length === 1)
          throw new TuppenceError("rate_limited", { retryAfterSeconds: RETRY_AFTER_SECONDS });
        return client.swap(inputs, outputs);
      },
    }),
  });
  await fill(reader, 1_000_000n);
  await reader.store.transaction(async (tables) => {
    const small = (await tables.coins.all()).filter(({ amount }) => amount <= 100_000n);
    await tables.coins.removeAll(small.map(({ secret }) => secret));
  });
  isBusy = true;
  askedAt.length = 0;
  // Without small coins a large one is broken, after each payment.
  await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  await untilTrue(async () => askedAt.length === 1);
  await Promise.all([reader.pay(offerOf(provider, { resource: `${SITE}/next` })), approve(reader)]);
  await untilTrue(async () => askedAt.length === 2);
  const [first = 0, second = 0] = askedAt;
  expect(second - first).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1_000);
});

it("takes the money back, and the article is not bought any more", async () => {
  const reader = await readerWith(1_000_000n);
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  await reader.wallet.refund({ kind: "ui", type: "refund", paymentId });
  expect((await reader.payments())[0]).toMatchObject({ state: "refunded" });
  expect(await merchantHolds(provider)).toBe(0n);
  await addsUp([reader], 1_000_000n);
  await expect(entitlement(reader)).rejects.toMatchObject({ code: "entitlement_unknown" });
});

it("fetches what the merchant gave back after the window, when its reader asks, and keeps the receipt where it gave nothing", async () => {
  const reader = await readerWith(1_000_000n);
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  provider.clock.ahead += 2 * 3_600_000;
  const ask = () => reader.wallet.refund({ kind: "ui", type: "refund", paymentId });
  await expect(ask()).rejects.toMatchObject({ code: "refund_window_closed" });
  expect((await reader.payments())[0]).toMatchObject({ state: "paid" });
  await entitlement(reader);
  await grantRefund(provider.provider.deps, "the-lantern", paymentId);
  await ask();
  expect((await reader.payments())[0]).toMatchObject({ state: "refunded" });
  expect(await merchantHolds(provider)).toBe(0n);
  await addsUp([reader], 1_000_000n);
});

it("is told that the merchant decides beyond the day's limit, keeps the receipt and asks nothing by itself, and has the money once it is given", async () => {
  const { deps } = provider.provider;
  await deps.merchants.put({ id: "the-lantern", refundsPerDay: ZERO });
  let asked = 0;
  const reader = await readerWith(1_000_000n, {
    between: (client) => ({
      ...client,
      refund: (...request) => {
        asked += 1;
        return client.refund(...request);
      },
    }),
  });
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  const ask = (reason?: "changed_mind") =>
    reader.wallet.refund({ kind: "ui", type: "refund", paymentId, ...(reason && { reason }) });
  await expect(ask("changed_mind")).rejects.toMatchObject({ code: "refund_limit" });
  expect((await reader.wallet.snapshot()).payments[0]).toMatchObject({ state: "paid", askedBack: true });
  await entitlement(reader);
  await reader.wallet.resume();
  provider.clock.ahead += 2 * 3_600_000;
  await reader.wallet.resume();
  expect(asked, "a wallet that looked by itself would show which payments are one reader's").toBe(1);
  await expect(ask()).rejects.toMatchObject({ code: "refund_limit" });
  await grantRefund(deps, "the-lantern", paymentId);
  await ask();
  expect((await reader.wallet.snapshot()).payments[0]).toMatchObject({ state: "refunded", askedBack: false });
  expect(await reader.wallet.payment({ kind: "ui", type: "payment", paymentId })).toMatchObject({
    refundReason: "changed_mind",
  });
  await addsUp([reader], 1_000_000n);
});

it("tells the merchant the reason that its reader picked, also when it asks again on another day, and none that nobody picked", async () => {
  const { deps } = provider.provider;
  const reader = await readerWith(1_000_000n);
  const reasonOf = async (paymentId: string) => (await readRefund(deps.ledger, paymentId))?.reason;
  const buy = async (resource: string) => {
    const [paid] = await Promise.all([reader.pay(offerOf(provider, { resource })), approve(reader)]);
    return paid.paymentId;
  };
  const [picked, silent, beyond] = [await buy(`${SITE}/1`), await buy(`${SITE}/2`), await buy(`${SITE}/3`)];
  await reader.wallet.refund({
    kind: "ui",
    type: "refund",
    paymentId: picked,
    reason: "not_as_described",
  });
  await reader.wallet.refund({ kind: "ui", type: "refund", paymentId: silent });
  await deps.merchants.put({ id: "the-lantern", refundsPerDay: ZERO });
  const ask = { kind: "ui", type: "refund", paymentId: beyond } as const;
  await expect(reader.wallet.refund({ ...ask, reason: "already_have_it" })).rejects.toMatchObject({
    code: "refund_limit",
  });
  await deps.merchants.put({ id: "the-lantern", refundsPerDay: null });
  await reader.wallet.refund(ask);
  expect(await Promise.all([picked, silent, beyond].map(reasonOf))).toEqual([
    "not_as_described",
    undefined,
    "already_have_it",
  ]);
});

it("keeps what the merchant said of refunds when it was paid", async () => {
  const { deps } = provider.provider;
  await deps.merchants.put({ id: "the-lantern", refundPolicy: "Within a <b>day</b>." });
  const reader = await readerWith(1_000_000n);
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  await deps.merchants.put({ id: "the-lantern", refundPolicy: "Never." });
  expect(await reader.wallet.payment({ kind: "ui", type: "payment", paymentId })).toMatchObject({
    refundPolicy: "Within a <b>day</b>.",
  });
});

it("gives the money back by itself where the content does not open", async () => {
  const reader = await readerWith(1_000_000n);
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  const report = {
    v: 1,
    id: "report-0001",
    type: "status",
    payload: { paymentId, problem: "content_unreadable" },
  } as const;
  expect(await reader.wallet.page(report, senderAt())).toEqual({ state: "refunded" });
  expect(await readRefund(provider.provider.deps.ledger, paymentId)).toMatchObject({
    reason: "did_not_open",
  });
  await addsUp([reader], 1_000_000n);
});

it("does not give a payment back to another site than the one that was paid", async () => {
  const reader = await readerWith(1_000_000n);
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  const report = {
    v: 1,
    id: "report-0001",
    type: "status",
    payload: { paymentId, problem: "content_unreadable" },
  } as const;
  await expect(
    reader.wallet.page(report, senderAt({ origin: "https://other.example" })),
  ).rejects.toMatchObject({ code: "payment_unknown" });
  expect(await merchantHolds(provider)).toBe(50_000n);
});

it("opens a sealed article, and opens it again with a seal that is newer and dearer, without paying", async () => {
  const contentKey = randomBytes(32);
  const seal = await sealOf(provider, sealKey, contentKey, 50_000n);
  const reader = await readerWith(1_000_000n);
  const [paid] = await Promise.all([reader.pay(offerOf(provider, { seal })), approve(reader)]);
  expect(paid.contentKey).toBe(toBase64url(contentKey));

  const newKey = randomBytes(32);
  const newSeal = await sealOf(provider, sealKey, newKey, 90_000n);
  const challenge = "/article#1790000000000";
  const entitled = await entitlement(reader, { seal: newSeal, challenge });
  expect(entitled.contentKey).toBe(toBase64url(newKey));
  const claims = readUnverified(entitled.receipt, ReceiptClaims);
  if (!claims) throw new Error("no receipt");
  const nowSeconds = Math.floor((Date.now() + provider.clock.ahead) / 1_000);
  expect(await verifyHolderProof(entitled.holderProof, claims, { origin: SITE, challenge, nowSeconds })).toBe(
    true,
  );
  expect(await merchantHolds(provider)).toBe(50_000n);
});

it("pays without asking within an allowance, from many tabs at once, and never more than it", async () => {
  const reader = await readerWith(5_000_000n);
  await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 200_000n })]);
  const tabs = Array.from({ length: 10 }, (_, tab) => tab + 10);
  const pays = tabs.map((tabId) =>
    reader.pay(offerOf(provider, { resource: `${SITE}/${tabId}` }), "direct", { sender: { tabId } }),
  );
  const asked = untilTrue(async () => reader.prompts.length >= 1 + 6 && reader.prompts.slice(1));
  const refuse = asked.then(async (ids) => {
    for (const approvalId of ids)
      await reader.wallet.decide({ kind: "ui", type: "decide", approvalId, approve: false });
  });
  const outcomes = await Promise.allSettled(pays);
  await refuse;
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
  expect(await merchantHolds(provider)).toBe(250_000n);
  expect((await reader.wallet.snapshot()).allowances).toMatchObject([{ limit: "200000", left: "0" }]);
  await addsUp([reader], 4_750_000n);
});

it("takes coins back that a site's back end never settled, and the site cannot use them after that", async () => {
  const reader = await readerWith(1_000_000n);
  const offer = offerOf(provider, { maxTimeoutSeconds: 60 });
  const [result] = await Promise.all([reader.pay(offer, "http"), approve(reader)]);
  expect(result.receipt).toBeUndefined();
  const kept = JSON.parse(Buffer.from(result.paymentSignature ?? "", "base64").toString());
  await untilTrue(async () => {
    reader.releaseDelays();
    return (await reader.payments())[0]?.state === "failed";
  });
  const body = JSON.stringify({ x402Version: 2, paymentPayload: kept, paymentRequirements: kept.accepted });
  const late = await fetch(`${provider.origin}/x402/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect(await late.json()).toMatchObject({ success: false });
  expect(await merchantHolds(provider)).toBe(0n);
  await addsUp([reader], 1_000_000n);
});

it("knows a payment that a site's back end settled, and its receipt", async () => {
  const reader = await readerWith(1_000_000n);
  const [result] = await Promise.all([reader.pay(offerOf(provider), "http"), approve(reader)]);
  const payload = JSON.parse(Buffer.from(result.paymentSignature ?? "", "base64").toString());
  const body = JSON.stringify({
    x402Version: 2,
    paymentPayload: payload,
    paymentRequirements: payload.accepted,
  });
  const settled = await fetch(`${provider.origin}/x402/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect(await settled.json()).toMatchObject({ success: true });
  const ask = { v: 1, id: "status-0001", type: "status", payload: { paymentId: result.paymentId } } as const;
  expect(await reader.wallet.page(ask, senderAt())).toMatchObject({
    state: "paid",
    receipt: expect.any(String),
  });
  expect(await reader.pay(offerOf(provider), "http")).toMatchObject({
    paymentId: result.paymentId,
    receipt: expect.any(String),
  });
  expect(await merchantHolds(provider)).toBe(50_000n);
  await addsUp([reader], 950_000n);
});

it("puts a spent coin aside and pays with others", async () => {
  const reader = await readerWith(5_000_000n);
  const twin = makeReader(provider);
  await twin.store.transaction(async (tables) => {
    for (const row of await reader.store.read((from) => from.wallet.all())) await tables.wallet.put(row);
    await tables.coins.putAll(await reader.coins());
    await tables.keysets.putAll(await reader.store.read((from) => from.keysets.all()));
    await tables.counters.put({ key: "payment", next: 1_000 });
  });
  await Promise.all([twin.pay(offerOf(provider)), approve(twin)]);
  await Promise.all([reader.pay(offerOf(provider, { resource: `${SITE}/another` })), approve(reader)]);
  const payments = await reader.payments();
  expect(payments.map(({ state, error }) => [state, error]).sort()).toEqual([
    ["failed", "coin_spent"],
    ["paid", undefined],
  ]);
  expect(valueOf(await reader.coins(), "spent")).toBe(50_000n);
  expect(await merchantHolds(provider)).toBe(100_000n);
  await addsUp([reader], 4_900_000n);
});

it("keeps an offer that the balance does not reach, and pays it after a top-up", async () => {
  const reader = await readerWith(0n);
  const paying = reader.pay(offerOf(provider));
  const approvalId = await untilTrue(
    async () => (await reader.wallet.snapshot()).approvals.find(({ missing }) => missing === "50000")?.id,
  );
  const early = reader.wallet.decide({ kind: "ui", type: "decide", approvalId, approve: true });
  await expect(early).rejects.toMatchObject({ code: "insufficient_balance" });
  await reader.topUp(1_000_000n);
  expect((await reader.wallet.snapshot()).approvals[0]).toMatchObject({ state: "asking", missing: null });
  await approve(reader);
  expect((await paying).receipt).toBeDefined();
  await addsUp([reader], 950_000n);
});

it("lets the reader choose a tip, within the range only", async () => {
  const reader = await readerWith(5_000_000n);
  const offer = { ...offerOf(provider, { kind: "tip", amount: 200_000n, resource: `${SITE}/` }) };
  const request = {
    v: 1,
    id: "tip-00000001",
    type: "tip",
    payload: { offer, least: "100000", most: "1000000" },
  } as const;
  const tipping = reader.wallet.page(request, senderAt());
  await untilTrue(async () => reader.prompts[0]);
  await expect(approve(reader, { amount: 2_000_000n })).rejects.toMatchObject({ code: "amount_invalid" });
  await approve(reader, { amount: 700_000n });
  expect(await tipping).toMatchObject({ amount: "700000" });
  expect(await merchantHolds(provider)).toBe(700_000n);
  await addsUp([reader], 4_300_000n);
});

it("gives everything back from the phrase alone: account, coins, change and receipts", async () => {
  const reader = await readerWith(5_000_000n);
  await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 1_000_000n })]);
  await reader.pay(offerOf(provider, { resource: `${SITE}/b`, amount: 13_000n }));
  await reader.wallet.resume();
  const { phrase } = await reader.wallet.showPhrase();

  const restored = makeReader(provider, { delays: "skipped" });
  await restored.wallet.create({ kind: "ui", type: "createWallet", phrase: phrase.toUpperCase() });
  await untilTrue(async () => {
    await restored.wallet.resume();
    const { restoring, restore } = await restored.wallet.snapshot();
    return !restoring && restore === null;
  });
  expect(restored.faults).toEqual([]);
  await addsUp([restored], 4_937_000n);
  expect((await entitlement(restored)).paymentId).toBe((await entitlement(reader)).paymentId);
  await restored.pay(offerOf(provider));
  expect(await merchantHolds(provider)).toBe(63_000n);
  await Promise.all([restored.pay(offerOf(provider, { resource: `${SITE}/c` })), approve(restored)]);
  expect(await merchantHolds(provider)).toBe(113_000n);
});

it("uses no payment's number twice where the reader clicks before a restored wallet has looked around", async () => {
  const reader = await readerWith(5_000_000n);
  await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 1_000_000n })]);
  const { paymentId } = await entitlement(reader);
  await reader.wallet.resume();
  await reader.wallet.saveBackup();
  const { phrase } = await reader.wallet.showPhrase();

  const restored = makeReader(provider);
  await restored.wallet.create({ kind: "ui", type: "createWallet", phrase });
  // From the budget that comes along.
  await restored.pay(offerOf(provider, { resource: `${SITE}/c` }));
  expect((await entitlement(restored)).paymentId).toBe(paymentId);
  expect(await merchantHolds(provider)).toBe(100_000n);
});

async function readerWith(amount: bigint, options: ReaderOptions = {}): Promise<Reader> {
  const reader = makeReader(provider, options);
  await fill(reader, amount);
  return reader;
}

async function fill(reader: Reader, amount: bigint): Promise<void> {
  await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  if (amount > 0n) await reader.topUp(amount);
}

function entitlement(reader: Reader, changes: { seal?: string; challenge?: string } = {}) {
  const payload = {
    merchant: "the-lantern",
    resource: `${SITE}/article`,
    challenge: "0123456789abcdef",
    ...changes,
  };
  return reader.wallet.page(
    { v: 1, id: "entitlement-1", type: "entitlement", payload },
    senderAt({ clicked: false }),
  );
}

/** Float and accounts in the ledger are what the wallets hold, to the micro. */
async function addsUp(readers: readonly Reader[], total: bigint): Promise<void> {
  const { ledger, mint } = provider.provider.deps;
  let coins = 0n;
  let accounts = 0n;
  for (const reader of readers) {
    expect(reader.faults).toEqual([]);
    coins += valueOf(await reader.coins());
    const [row] = await reader.store.read((tables) => tables.wallet.all());
    const { account } = await openKeys(row?.seedHex ?? "");
    accounts += await ledger.balance(readerAccount(await thumbprintOf(account.publicJwk)));
  }
  expect(await ledger.balance(floatAccount(mint.activeKeysetId()))).toBe(coins);
  expect(coins + accounts).toBe(total);
  const shown = await Promise.all(readers.map(({ wallet }) => wallet.snapshot()));
  expect(shown.reduce((sum, { balance }) => sum + BigInt(balance.total), 0n)).toBe(total);
}
