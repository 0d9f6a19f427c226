/**
 * Rotation of keysets under a running provider, with real wallets: signing ends, redeeming does not, everyone is on the one
 * new keyset, and nobody's money depends on the moment.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import * as v from "valibot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { auditProvider } from "../../server/audit.ts";
import { floatAccount, merchantAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { CashuError } from "../../shared/protocol/cashu.ts";
import { KeysetLog } from "../../shared/protocol/provider.ts";
import type { ProviderPort } from "../../wallet/core/index.ts";
import { makeBlankCoins, withdrawCoins } from "../support/coins.ts";
import { registerMerchant } from "./payments.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { approve, makeReader, offerOf, type Reader, untilTrue, valueOf } from "./reader.ts";

let provider: TestProvider;
beforeEach(async () => {
  provider = await startTestProvider({ TUPPENCE_MINT_THREADS: "1" });
  await registerMerchant(provider);
});
afterEach(async () => {
  expect((await auditProvider(provider.provider.deps)).differences).toEqual([]);
  await provider.close();
});

const activeId = () => provider.provider.deps.mint.activeKeysetId();

/** As the operator does, beside the server; returns once the server has noticed, which nobody tells it. */
async function rotate(): Promise<{ before: string; after: string }> {
  const before = activeId();
  const { dataFolder } = provider.provider.config;
  const child = spawn(process.execPath, [join("server/cli", "keyset.ts"), "rotate"], {
    env: { PATH: process.env.PATH ?? "", TUPPENCE_DATA: dataFolder },
    stdio: "ignore",
  });
  await once(child, "close");
  expect(child.exitCode).toBe(0);
  await untilTrue(async () => activeId() !== before);
  return { before, after: activeId() };
}

async function readerWith(amount: bigint, options: Parameters<typeof makeReader>[1] = {}): Promise<Reader> {
  const reader = makeReader(provider, options);
  await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  await reader.topUp(amount);
  return reader;
}

async function post(path: string, body: unknown): Promise<unknown> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  return (await fetch(provider.origin + path, init)).json();
}

const cashuCodeOf = (answer: unknown) => v.parse(CashuError, answer).code;

const floatOf = (keysetId: string) => provider.provider.deps.ledger.balance(floatAccount(keysetId));
const merchantHolds = () => provider.provider.deps.ledger.balance(merchantAccount("the-lantern"));

/** What the reader holds anywhere is what the ledger says. */
async function addsUp(reader: Reader, total: bigint): Promise<void> {
  const { deps } = provider.provider;
  expect(reader.faults).toEqual([]);
  const floats = [...(await deps.ledger.balances(floatAccount(""))).values()];
  const inCoins = valueOf(await reader.coins());
  expect(floats.reduce((sum, balance) => sum + balance, 0n)).toBe(inCoins);
  const readers = [...(await deps.ledger.balances(readerAccount(""))).values()];
  expect(readers.reduce((sum, balance) => sum + balance, 0n) + inCoins).toBe(total);
}

it("has one active keyset for everyone, without a fee, and a list that only grows", async () => {
  const logOf = async () =>
    v.parse(KeysetLog, await (await fetch(`${provider.origin}/.well-known/keysets.json`)).json()).keysets;
  const earlier = await logOf();
  const { before, after } = await rotate();
  const { keysets } = v.parse(
    v.object({
      keysets: v.array(v.looseObject({ id: v.string(), active: v.boolean(), input_fee_ppk: v.number() })),
    }),
    await (await fetch(`${provider.origin}/v1/keysets`)).json(),
  );
  expect(keysets.map(({ id, active, input_fee_ppk }) => [id, active, input_fee_ppk])).toEqual([
    [before, false, 0],
    [after, true, 0],
  ]);
  const later = await logOf();
  expect(later.slice(0, earlier.length)).toEqual(earlier);
  expect(later.map(({ id }) => id)).toEqual([before, after]);
  for (const id of [before, after])
    expect((await fetch(`${provider.origin}/v1/keys/${id}`)).status).toBe(200);
});

it("signs nothing under the old keyset, by Cashu's own number, and redeems, checks and restores as before", async () => {
  const { deps } = provider.provider;
  const [coin, second] = await withdrawCoins(deps, [50_000, 50_000]);
  const [signedBefore] = makeBlankCoins(activeId(), [50_000]);
  const earlierSwap = { inputs: [second], outputs: [signedBefore?.output] };
  const earlier = await post("/v1/swap", earlierSwap);
  const { before, after } = await rotate();

  const [old] = makeBlankCoins(before, [50_000]);
  expect(cashuCodeOf(await post("/v1/swap", { inputs: [coin], outputs: [old?.output] }))).toBe(12_002);

  // The answer to that swap may have been lost: it is given again.
  expect(await post("/v1/swap", earlierSwap)).toEqual(earlier);
  expect(await post("/v1/restore", { outputs: [signedBefore?.output] })).toMatchObject({
    signatures: [{ id: before }],
  });

  const [fresh] = makeBlankCoins(after, [50_000]);
  expect(await post("/v1/swap", { inputs: [coin], outputs: [fresh?.output] })).toMatchObject({
    signatures: [{ id: after, amount: 50_000 }],
  });
  expect([await floatOf(before), await floatOf(after)]).toEqual([50_000n, 50_000n]);
});

it("lets a payment through that was under way with old coins and old blanks for change", async () => {
  let rotated: Awaited<ReturnType<typeof rotate>> | undefined;
  const reader = await readerWith(2_000_000n, {
    between: (client): ProviderPort => ({
      ...client,
      // Between the moment in which the wallet stored its bytes and the one in which they arrive.
      settle: async (body) => {
        rotated ??= await rotate();
        return client.settle(body);
      },
    }),
  });
  await keepOnlyLargest(reader);
  await Promise.all([reader.pay(offerOf(provider, { amount: 13_000n })), approve(reader)]);
  expect((await reader.payments())[0]).toMatchObject({
    state: "paid",
    blanks: { keysetId: rotated?.before },
  });
  await bringBack(reader);
  await reader.wallet.resume();
  expect(await merchantHolds()).toBe(13_000n);
  await addsUp(reader, 1_987_000n);
});

it("pays with old coins, and has them exchanged one after the other until none is left", async () => {
  const reader = await readerWith(5_000_000n);
  const { before, after } = await rotate();
  await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  await reader.wallet.resume();
  // Nothing is exchanged at once: that would tell when the wallet woke up.
  expect((await reader.coins()).some(({ keysetId }) => keysetId === before)).toBe(true);
  await untilTrue(async () => {
    reader.releaseDelays();
    return (await reader.coins()).every(({ keysetId }) => keysetId === after);
  });
  expect(await floatOf(before)).toBe(0n);
  await addsUp(reader, 4_950_000n);
});

it("withdraws and swaps under the new keyset, although nobody told the wallet", async () => {
  const reader = await readerWith(1_000_000n);
  const { after } = await rotate();
  await reader.topUp(2_000_000n);
  const fresh = (await reader.coins()).filter(({ keysetId }) => keysetId === after);
  expect(valueOf(fresh)).toBeGreaterThan(0n);
  await addsUp(reader, 3_000_000n);
});

it("takes coins back from a site that never settled, although their keyset ended meanwhile", async () => {
  const reader = await readerWith(1_000_000n);
  const offer = offerOf(provider, { maxTimeoutSeconds: 60 });
  await Promise.all([reader.pay(offer, "http"), approve(reader)]);
  await rotate();
  await untilTrue(async () => {
    reader.releaseDelays();
    return (await reader.payments())[0]?.state === "failed";
  });
  expect((await reader.payments())[0]?.error).toBe("payment_expired");
  expect(await merchantHolds()).toBe(0n);
  await addsUp(reader, 1_000_000n);
});

it("refunds onto coins that the wallet chose before the rotation", async () => {
  let rotated = false;
  const reader = await readerWith(1_000_000n, {
    between: (client): ProviderPort => ({
      ...client,
      refund: async (...request) => {
        if (!rotated) await rotate();
        rotated = true;
        return client.refund(...request);
      },
    }),
  });
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  await reader.wallet.refund({ kind: "ui", type: "refund", paymentId });
  expect((await reader.payments())[0]?.state).toBe("refunded");
  await addsUp(reader, 1_000_000n);
});

it("promises change under an old keyset for an hour only; after that the same click pays with fresh blanks", async () => {
  const triedUnder: string[] = [];
  const reader = await readerWith(2_000_000n, {
    between: (client): ProviderPort => ({
      ...client,
      settle: async (body) => {
        if (triedUnder.length === 0) {
          await rotate();
          provider.clock.ahead += 3_601_000;
        }
        triedUnder.push(JSON.parse(body).paymentPayload.payload.outputs[0].id);
        return client.settle(body);
      },
    }),
  });
  const before = activeId();
  await keepOnlyLargest(reader);
  await Promise.all([reader.pay(offerOf(provider, { amount: 13_000n })), approve(reader)]);
  expect(triedUnder).toEqual([before, activeId()]);
  await bringBack(reader);
  await reader.wallet.resume();
  expect(await merchantHolds()).toBe(13_000n);
  await addsUp(reader, 1_987_000n);
});

/** So that no coins fit, and the payment needs change. */
async function keepOnlyLargest(reader: Reader): Promise<void> {
  await reader.store.transaction(async (tables) => {
    const [, ...others] = (await tables.coins.all())
      .filter(({ state }) => state === "free")
      .sort((a, b) => Number(b.amount - a.amount));
    await tables.coins.putAll(others.map((coin) => ({ ...coin, state: "reserved", holder: "set aside" })));
  });
}

async function bringBack(reader: Reader): Promise<void> {
  await reader.store.transaction(async (tables) => {
    const aside = (await tables.coins.all()).filter(({ holder }) => holder === "set aside");
    await tables.coins.putAll(aside.map((coin) => ({ ...coin, state: "free", holder: undefined })));
  });
}
