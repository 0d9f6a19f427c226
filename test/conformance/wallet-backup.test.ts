/**
 * The backup that a wallet keeps at the provider, and what another wallet makes of it with the phrase alone: everything comes
 * back, to the micro; the provider can read nothing of it; two wallets at once lose nothing.
 */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { floatAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { toBase64url } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { type SigningKey, signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { BACKUP_STEPS_BYTES, type BackupPart, type BackupWriteJson } from "../../shared/protocol/provider.ts";
import { openPart, sealPart } from "../../wallet/core/backup/parts.ts";
import type { ProviderPort } from "../../wallet/core/index.ts";
import { openKeys, type WalletKeys } from "../../wallet/core/keys.ts";
import type { OwnBackupRow, PaymentRow } from "../../wallet/core/rows.ts";
import { makeAccount, startTestProvider, type TestProvider } from "./provider.ts";
import {
  approve,
  makeReader,
  merchantHolds,
  offerOf,
  type Reader,
  SITE,
  sealOf,
  senderAt,
  untilTrue,
  valueOf,
} from "./reader.ts";

const TIMEOUT_MS = 240_000;
const MINUTE_MS = 60_000;
const TWO_DAYS_MS = 172_800_000;

let provider: TestProvider;
let sealKey: SigningKey;

async function open(environment: Record<string, string> = {}): Promise<void> {
  provider = await startTestProvider({ TUPPENCE_MINT_THREADS: "0", ...environment });
  sealKey = await signingKeyFromSeed(randomBytes(32));
  await provider.provider.deps.merchants.put({
    id: "the-lantern",
    name: "The Lantern",
    origins: [SITE],
    refundWindowSeconds: 3_600,
    sealKeys: [sealKey.publicJwk],
  });
}

beforeEach(() => open());

afterEach(async () => {
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
  await provider.close();
});

describe("a wallet that is brought back from its backup", { timeout: TIMEOUT_MS }, () => {
  it("has the money to the micro, what was bought, the titles, and the budgets with what is left of them", async () => {
    const contentKey = randomBytes(32);
    const seal = await sealOf(provider, sealKey, contentKey, 50_000n);
    const reader = await readerWith(5_000_000n);
    await Promise.all([reader.pay(offerOf(provider, { seal })), approve(reader, { allowance: 1_000_000n })]);
    await reader.pay(offerOf(provider, { resource: `${SITE}/b`, amount: 13_000n, title: "Lighthouses" }));
    await reader.wallet.setMonthlyLimit({ kind: "ui", type: "setMonthlyLimit", limit: micros(3_000_000) });
    await reader.wallet.resume();
    await save(reader);

    const restored = await restore(reader);
    expect(await restored.wallet.snapshot()).toMatchObject({
      restoring: false,
      month: { spent: "63000", budget: { limit: "3000000", left: "2937000" } },
      allowances: [{ origin: SITE, merchantName: "The Lantern", limit: "1000000", left: "987000" }],
    });
    const shown = (await restored.wallet.snapshot()).payments.map((payment) => payment.title).sort();
    expect(shown).toEqual(["Lighthouses", "Tide mills"]);
    await addsUp([restored], 4_937_000n);
    // Once more, by the provider: every coin is good, and it is this wallet's alone.
    expect(valueOf(await reader.coins())).toBe(valueOf(await restored.coins()));

    const entitled = await entitlement(restored, { seal });
    expect(entitled.contentKey).toBe(toBase64url(contentKey));
    await restored.pay(offerOf(provider, { resource: `${SITE}/b`, amount: 13_000n }));
    expect(await merchantHolds(provider)).toBe(63_000n);
    // Within the budget that came along, without a question.
    await restored.pay(offerOf(provider, { resource: `${SITE}/c` }));
    expect(restored.prompts).toEqual([]);
    expect(await merchantHolds(provider)).toBe(113_000n);
    await settled(restored);
    await addsUp([restored], 4_887_000n);
  });

  it("finds what was withdrawn, exchanged, paid, and taken back after the backup", async () => {
    const reader = await readerWith(5_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 1_000_000n })]);
    const { paymentId } = await entitlement(reader);
    await save(reader);
    await reader.topUp(2_000_000n);
    await reader.pay(offerOf(provider, { resource: `${SITE}/b`, amount: 13_000n }));
    await reader.pay(offerOf(provider, { resource: `${SITE}/c`, amount: 777_000n }));
    await reader.wallet.refund({ kind: "ui", type: "refund", paymentId });
    await reader.wallet.resume();

    const restored = await restore(reader);
    await addsUp([restored], 6_210_000n);
    const payments = await restored.payments();
    expect(payments.map(({ state, amount }) => [state, amount]).sort()).toEqual([
      ["paid", 13_000n],
      ["paid", 777_000n],
      ["refunded", 50_000n],
    ]);
    // What was paid from the budget since the backup is not there to be spent again.
    expect((await restored.wallet.snapshot()).allowances).toMatchObject([{ left: "210000" }]);
  });

  it("finds everything without any backup, but for titles and budgets", async () => {
    const reader = await readerWith(5_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    const restored = await restore(reader);
    await addsUp([restored], 4_950_000n);
    expect((await entitlement(restored)).paymentId).toBe((await entitlement(reader)).paymentId);
  });

  it("says while it goes on how far it has come", async () => {
    const reader = await readerWith(5_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await save(reader);
    const { phrase } = await reader.wallet.showPhrase();
    const restored = makeReader(provider);
    const seen = new Set<string>();
    restored.wallet.onChange(() => {
      void restored.wallet.snapshot().then(({ restore: step }) => {
        if (step) seen.add(`${step.phase} ${step.receipts}/${step.receiptsInBackup}`);
      });
    });
    await restored.wallet.create({ kind: "ui", type: "createWallet", phrase });
    await restored.wallet.resume();
    const coins = (await reader.coins()).length;
    expect((await restored.wallet.snapshot()).restore).toEqual({
      phase: "searching",
      receipts: 1,
      receiptsInBackup: 1,
      coins,
      coinsToCheck: coins,
      damagedParts: 0,
    });
    expect((await restored.wallet.snapshot()).balance.total).toBe("4950000");
    await untilTrue(async () => {
      restored.releaseDelays();
      return (await restored.wallet.snapshot()).restore === null;
    });
    expect([...seen]).toEqual(expect.arrayContaining(["reading 0/1", "searching 1/1", "checking 1/1"]));
  });

  it("brings back thousands of payments, part by part, and writes again only what changed", async () => {
    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    const COUNT = 400;
    await copyPayment(reader, COUNT);
    await save(reader);
    const listed = await partsOf(reader);
    expect(listed.length).toBeGreaterThan(4);

    const first = (await reader.payments()).find(({ counter }) => counter === 0);
    await reader.wallet.refund({ kind: "ui", type: "refund", paymentId: first?.id ?? "" });
    await save(reader);
    const again = await partsOf(reader);
    const written = again.filter(
      ({ name, version }) => listed.find((one) => one.name === name)?.version !== version,
    );
    // The part with the refunded payment, the head, and the coins.
    expect(written).toHaveLength(3);

    const restored = await restore(reader);
    const payments = await restored.payments();
    expect(payments).toHaveLength(COUNT + 1);
    expect(payments.filter(({ state }) => state === "refunded")).toHaveLength(1);
    await addsUp([restored], 1_000_000n);
  });

  it("does not bring back a site that was forgotten", async () => {
    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await copyPayment(reader, 300);
    await save(reader);
    await reader.wallet.forgetSite({ kind: "ui", type: "forgetSite", origin: SITE });
    await save(reader);
    const restored = makeReader(provider, { delays: "held" });
    const { phrase } = await reader.wallet.showPhrase();
    await restored.wallet.create({ kind: "ui", type: "createWallet", phrase });
    await restored.wallet.resume();
    expect(await restored.payments()).toEqual([]);
  });
});

describe("what is under way", { timeout: TIMEOUT_MS }, () => {
  it("comes back where a refund of an older payment had no answer yet when the backup was written", async () => {
    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await copyPayment(reader, 400);
    await save(reader);
    const first = (await reader.payments()).find(({ counter }) => counter === 0);
    const unlucky = makeReader(provider, {
      store: reader.store,
      delays: "skipped",
      between: (client) => ({ ...client, refund: (...asked) => client.refund(...asked).then(lost) }),
    });
    await unlucky.wallet
      .refund({ kind: "ui", type: "refund", paymentId: first?.id ?? "" })
      .catch((error: unknown) => expect(error).toMatchObject({ code: "provider_unreachable" }));
    expect((await unlucky.payments()).find(({ counter }) => counter === 0)?.state).toBe("refunding");
    await save(unlucky);
    const restored = await restore(unlucky);
    expect((await restored.payments()).find(({ id }) => id === first?.id)?.state).toBe("refunded");
    await addsUp([restored], 1_000_000n);
  });

  it("is not forgotten with its site on another device: its money comes first", async () => {
    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await save(reader);
    const other = await restore(reader, "in_use");
    const [payment] = await reader.payments();
    const unlucky = makeReader(provider, {
      store: reader.store,
      delays: "skipped",
      between: (client) => ({ ...client, refund: (...asked) => client.refund(...asked).then(lost) }),
    });
    await unlucky.wallet
      .refund({ kind: "ui", type: "refund", paymentId: payment?.id ?? "" })
      .catch(() => undefined);
    await other.wallet.forgetSite({ kind: "ui", type: "forgetSite", origin: SITE });
    await save(other);
    await save(unlucky);
    expect((await unlucky.payments()).map(({ state }) => state)).toEqual(["refunding"]);
    const again = restarted(unlucky);
    await settled(again);
    await addsUp([again, other], 1_000_000n);
  });

  it("does not bring back on a third device what the second one bought and the first one forgot", async () => {
    const reader = await readerWith(1_000_000n);
    await save(reader);
    const other = await restore(reader, "in_use");
    await other.topUp(1_000_000n);
    await Promise.all([other.pay(offerOf(provider)), approve(other)]);
    await save(other);
    await save(reader);
    expect(await reader.payments()).toHaveLength(1);
    await reader.wallet.forgetSite({ kind: "ui", type: "forgetSite", origin: SITE });
    await save(reader);
    const third = await restore(reader, "in_use");
    expect(await third.payments()).toEqual([]);
  });

  it("is written once more where it changed once more while it was written", async () => {
    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await copyPayment(reader, 400);
    await save(reader);
    const first = (await reader.payments()).find(({ counter }) => counter === 0);
    if (!first) throw new Error("no payment");
    const keys = await keysOf(reader);
    const name = await keys.backup.partName("payments", 0, 0);
    const change = (state: PaymentRow["state"]) =>
      reader.store.transaction(async (tables) => {
        await tables.payments.put({ ...first, state });
        const own = await tables.backups.get("own");
        if (own?.kind === "own") await tables.backups.put({ ...own, changedCounters: [0] });
      });
    await change("refunded");
    const changing = makeReader(provider, {
      store: reader.store,
      delays: "skipped",
      between: (client) => ({
        ...client,
        writeBackupPart: async (key, part, request) => {
          if (part === name) await change("paid");
          return client.writeBackupPart(key, part, request);
        },
      }),
    });
    await save(changing);
    expect((await ownRow(reader)).changedCounters).toEqual([0]);
    await save(restarted(reader));
    expect((await ownRow(reader)).changedCounters).toEqual([]);
  });
});

describe("the moments of a backup", { timeout: TIMEOUT_MS }, () => {
  it("are those of the visits to the account, whether or not anything was paid", async () => {
    const [busy, idle] = [await readerWith(5_000_000n), await readerWith(5_000_000n)];
    const before = await Promise.all([busy, idle].map(versionsOf));
    await Promise.all([busy.pay(offerOf(provider)), approve(busy, { allowance: 1_000_000n })]);
    await busy.pay(offerOf(provider, { resource: `${SITE}/b` }));
    await busy.wallet.resume();
    expect((await busy.wallet.snapshot()).backup.isUnsaved).toBe(true);
    expect(await versionsOf(busy), "not because something was paid").toEqual(before[0]);

    provider.clock.ahead += TWO_DAYS_MS;
    // A visit whose moment passed while no browser ran is put off by up to half an hour.
    for (let minutes = 0; minutes <= 30; minutes++) {
      await Promise.all([busy, idle].map(({ wallet }) => wallet.resume()));
      provider.clock.ahead += MINUTE_MS;
    }
    expect((await busy.wallet.snapshot()).backup.isUnsaved).toBe(false);
    const after = await Promise.all([busy, idle].map(versionsOf));
    expect(after[0], "as often as a wallet that paid nothing, and as many parts").toEqual(after[1]);
    expect(after).not.toEqual(before);
  });
});

describe("the provider", { timeout: TIMEOUT_MS }, () => {
  it("keeps bytes that say nothing, of a few sizes only", async () => {
    const reader = await readerWith(5_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 1_000_000n })]);
    await copyPayment(reader, 200);
    await save(reader);
    const parts = await partsOf(reader);
    const [coin] = await reader.coins();
    const [payment] = await reader.payments();
    const kept = await Promise.all(parts.map(({ name }) => contentOf(reader, name)));
    const everything = Buffer.concat(kept).toString("latin1");
    for (const said of [coin?.secret, coin?.C, payment?.receipt, payment?.id, SITE, "Tide mills", "lantern"])
      expect(everything).not.toContain(said);
    for (const bytes of kept) expect(BACKUP_STEPS_BYTES).toContain(bytes.length);
    expect(parts.every(({ name }) => /^[0-9a-f]{32}$/.test(name))).toBe(true);
  });

  it("never sees the same bytes for the same content", async () => {
    const keys = await keysOf(await readerWith(0n));
    const [a, b] = await Promise.all(
      [1, 2].map((first) => sealPart(keys.backup, "0".repeat(32), "{}", new Uint8Array(12).fill(first))),
    );
    expect(a?.slice(16)).not.toBe(b?.slice(16));
    expect(await openPart(keys.backup, "0".repeat(32), a ?? "")).toBe("{}");
    expect(await openPart(keys.backup, "1".repeat(32), a ?? "")).toBeUndefined();
  });

  it("takes no other sizes, no part too many, and nothing from a version that is gone", async () => {
    const account = await makeAccount(provider);
    const url = `/accounts/me/backup/${"a".repeat(32)}`;
    const content = toBase64url(randomBytes(16_384));
    const codes = async (body: object) => (await account.call("POST", url, body)).body;
    expect(await codes({ version: 0, content: toBase64url(randomBytes(16_383)) })).toMatchObject({
      code: "request_invalid",
    });
    expect(await codes({ version: 0, content: content.slice(1) })).toMatchObject({ code: "request_invalid" });
    expect(await codes({ version: 1, content })).toMatchObject({ code: "backup_conflict" });
    expect(await codes({ version: 0, content })).toEqual({ name: "a".repeat(32), version: 1 });
    expect(await codes({ version: 0, content })).toMatchObject({ code: "backup_conflict" });
    const racing = await Promise.all([1, 1, 1].map((version) => codes({ version, content })));
    expect(racing.filter((answer) => "version" in (answer as object))).toHaveLength(1);
    expect((await account.call("GET", url)).body).toEqual({ name: "a".repeat(32), version: 2, content });
    expect((await account.call("GET", "/accounts/me/backup")).body).toEqual({
      parts: [{ name: "a".repeat(32), version: 2, bytes: 16_384 }],
    });
    // Another account has nothing of it.
    const other = await makeAccount(provider);
    expect((await other.call("GET", url)).body).toMatchObject({ code: "backup_unknown" });
    expect((await other.call("GET", "/accounts/me/backup")).body).toEqual({ parts: [] });
    const anonymous = await fetch(`${provider.origin}/accounts/me/backup`);
    expect(await anonymous.json()).toMatchObject({ code: "wrong_origin" });
  });

  it("keeps no more of an account than its operator said, and the wallet says so and loses nothing", async () => {
    await provider.close();
    await open({ TUPPENCE_WALLET_BACKUP_MEBIBYTES: "1" });
    const account = await makeAccount(provider);
    await account.topUp(1_000_000n);
    const content = toBase64url(randomBytes(131_072));
    for (let index = 0; index < 8; index++) {
      const url = `/accounts/me/backup/${index.toString(16).padStart(32, "0")}`;
      expect((await account.call("POST", url, { version: 0, content })).status).toBe(200);
    }
    const refused = await account.call("POST", `/accounts/me/backup/${"f".repeat(32)}`, {
      version: 0,
      content,
    });
    expect(refused.body).toMatchObject({ code: "backup_full" });
    // What is there can still be replaced.
    const replaced = await account.call("POST", `/accounts/me/backup/${"0".repeat(32)}`, {
      version: 1,
      content,
    });
    expect(replaced.status).toBe(200);

    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await copyPayment(reader, 1_200);
    await expect(save(reader)).rejects.toMatchObject({ code: "backup_full" });
    expect((await reader.wallet.snapshot()).backup).toMatchObject({
      isUnsaved: true,
      error: { code: "backup_full" },
    });
    // The phrase finds the money all the same: what is small enough for a number of one's own is taken.
    const restored = await restore(reader);
    await addsUp([restored], 950_000n);
    // And where there is no room for more than that number, nor to say what is taken over.
    const { backup } = await keysOf(reader);
    const coinsOfThird = await backup.partName("coins", 2, 0);
    const headOfSecond = await backup.partName("head", 1, 0);
    const another = await restore(reader, "gone", (client) => ({
      ...client,
      writeBackupPart: async (key, name, request) => {
        if (name === coinsOfThird || name === headOfSecond) throw new TuppenceError("backup_full");
        return client.writeBackupPart(key, name, request);
      },
    }));
    await addsUp([another], 950_000n);
  });
});

describe("two wallets of one phrase at once", { timeout: TIMEOUT_MS }, () => {
  it("withdraw and pay side by side, count apart, and lose nothing", async () => {
    const reader = await readerWith(3_000_000n);
    await save(reader);
    const other = await restore(reader, "in_use");
    expect(await other.coins()).toEqual([]);
    expect((await other.wallet.snapshot()).elsewhere).toBe((await reader.wallet.snapshot()).balance.coins);
    await other.topUp(3_000_000n);
    const buying = [reader, other].flatMap((one, index) =>
      [1, 2, 3].map((article) =>
        Promise.all([
          one.pay(offerOf(provider, { resource: `${SITE}/${index}-${article}` }), "direct", {
            sender: { tabId: article },
          }),
          approveAll(one, 3),
        ]),
      ),
    );
    await Promise.all([...buying, reader.wallet.resume(), other.wallet.resume()]);
    await settled(reader);
    await settled(other);
    expect(await merchantHolds(provider)).toBe(300_000n);
    const ids = [...(await reader.payments()), ...(await other.payments())].map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
    await addsUp([reader, other], 5_700_000n);

    // Each hears of the other's purchases with its own next backup, and a third one of both.
    await save(reader);
    await save(other);
    await save(reader);
    expect(await reader.payments()).toHaveLength(6);
    expect(await other.payments()).toHaveLength(6);
    const third = await restore(reader);
    expect(await third.payments()).toHaveLength(6);
    await addsUp([third], 5_700_000n);
  });

  it("pay with each coin once where one took the other's and the other is not gone at all", async () => {
    const reader = await readerWith(2_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 500_000n })]);
    await save(reader);
    const heir = await restore(reader);
    // It comes back, knows of nothing, and pays with what it believes to have; then it hears of it.
    await reader
      .pay(offerOf(provider, { resource: `${SITE}/late` }))
      .catch((error: unknown) => expect(error).toBeInstanceOf(TuppenceError));
    await save(reader);
    await settled(reader);
    expect((await reader.wallet.snapshot()).allowances).toEqual([]);
    await addsUp([reader, heir], 2_000_000n - (await merchantHolds(provider)));
    // Both go on, from one account.
    await reader.topUp(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider, { resource: `${SITE}/x` })), approve(reader)]);
    await Promise.all([heir.pay(offerOf(provider, { resource: `${SITE}/y` }))]);
    await settled(reader);
    await settled(heir);
    await addsUp([reader, heir], 3_000_000n - (await merchantHolds(provider)));
    // And this time it is gone indeed.
    await save(reader);
    await save(heir);
    expect((await heir.wallet.snapshot()).elsewhere).toBe((await reader.wallet.snapshot()).balance.coins);
    await heir.wallet.takeOver();
    await settled(heir);
    await addsUp([heir], 3_000_000n - (await merchantHolds(provider)));
  });

  it("lose nothing where the one that took the coins over died before it had a backup of its own", async () => {
    const reader = await readerWith(2_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await save(reader);
    await dieTakingOver(reader);
    const third = await restore(reader);
    await addsUp([third], 1_950_000n);
  });

  it("keep their coins where the one that took them over never came to write them down", async () => {
    const reader = await readerWith(2_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await save(reader);
    await dieTakingOver(reader);
    await save(reader);
    await settled(reader);
    await addsUp([reader], 1_950_000n);
  });

  it("take the other's coins when its reader says so, later", async () => {
    const reader = await readerWith(2_000_000n);
    await save(reader);
    const other = await restore(reader, "in_use");
    await other.wallet.takeOver();
    await settled(other);
    expect((await other.wallet.snapshot()).elsewhere).toBe("0");
    await addsUp([other], 2_000_000n);
  });

  it("refuse a writer that is late, who reads what is newer and writes then", async () => {
    const reader = await readerWith(1_000_000n);
    await save(reader);
    const before = await ownRow(reader);
    // The same wallet in a profile that was copied: it knows nothing of what the other wrote meanwhile.
    const copy = makeReader(provider, { delays: "skipped" });
    await copyStore(reader, copy);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await save(reader);
    await Promise.all([copy.pay(offerOf(provider, { resource: `${SITE}/copy` })), approve(copy)]).catch(
      () => undefined,
    );
    await save(copy);
    expect((await ownRow(copy)).version).toBeGreaterThan((await ownRow(reader)).version);
    expect((await ownRow(reader)).version).toBeGreaterThan(before.version);
  });

  it("of the first version, which counted alike, count apart from their next backup on", async () => {
    const reader = await readerWith(2_000_000n);
    const twin = makeReader(provider, { delays: "skipped" });
    await copyStore(reader, twin);
    for (const one of [reader, twin])
      await one.store.transaction(async (tables) => {
        const [row] = await tables.wallet.all();
        if (!row) throw new Error("no wallet");
        const { device: _device, instance: _instance, otherDevices: _others, ...first } = row;
        await tables.wallet.put(first);
        await tables.backups.removeAll((await tables.backups.all()).map(({ key }) => key));
      });
    await loseParts();
    const [first, second] = [restarted(reader), restarted(twin)];
    await save(first);
    await save(second);
    const numbers = await Promise.all([first, second].map(async (one) => (await walletOf(one)).device ?? 0));
    expect(numbers).toEqual([0, 1]);
    await first.topUp(1_000_000n);
    await second.topUp(1_000_000n);
    await Promise.all([first.pay(offerOf(provider, { resource: `${SITE}/1` })), approve(first)]);
    await Promise.all([second.pay(offerOf(provider, { resource: `${SITE}/2` })), approve(second)]);
    expect(await merchantHolds(provider)).toBe(100_000n);
  });
});

describe("a provider that plays tricks with the backup", { timeout: TIMEOUT_MS }, () => {
  it.each<[string, (part: BackupPart) => BackupPart]>([
    ["alters it", (part) => ({ ...part, content: flipped(part.content) })],
    ["cuts it", (part) => ({ ...part, content: part.content.slice(0, 8_000) })],
    ["hands out noise", (part) => ({ ...part, content: toBase64url(randomBytes(16_384)) })],
  ])("costs no money where it %s: what stood in it is found by the phrase", async (_, trick) => {
    const reader = await readerWith(5_000_000n);
    await Promise.all([reader.pay(offerOf(provider, { amount: 13_000n })), approve(reader)]);
    await save(reader);
    const restored = await restore(reader, "gone", (client) => ({
      ...client,
      backupPart: async (...which) => trick(await client.backupPart(...which)),
    }));
    await addsUp([restored], 4_987_000n);
    expect(await restored.payments()).toHaveLength(1);
  });

  it("costs history and no money where it hands out an old one", async () => {
    const reader = await readerWith(5_000_000n);
    await save(reader);
    const old = new Map<string, BackupPart>();
    for (const { name, version } of await partsOf(reader))
      old.set(name, { name, version, content: toBase64url(await contentOf(reader, name)) });
    await Promise.all([reader.pay(offerOf(provider)), approve(reader, { allowance: 1_000_000n })]);
    await reader.pay(offerOf(provider, { resource: `${SITE}/b`, amount: 234_000n }));
    await reader.wallet.resume();
    await save(reader);
    const spent = await merchantHolds(provider);
    const restored = await restore(reader, "gone", (client) => ({
      ...client,
      backupParts: async () =>
        [...old.values()].map(({ name, version }) => ({ name, version, bytes: 16_384 })),
      backupPart: async (key, name) => old.get(name) ?? client.backupPart(key, name),
      // It takes whatever is written, as it seems.
      writeBackupPart: async (_key, _name, { version }: BackupWriteJson) => version + 1,
    }));
    await addsUp([restored], 5_000_000n - spent);
  });

  it("costs no money where it hands out old coins beside the newest head", async () => {
    const reader = await readerWith(5_000_000n);
    await save(reader);
    const name = await keysOf(reader).then((keys) => keys.backup.partName("coins", 0, 0));
    const old = toBase64url(await contentOf(reader, name));
    await reader.topUp(2_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await save(reader);
    const restored = await restore(reader, "gone", (client) => ({
      ...client,
      backupPart: async (key, asked) => {
        const part = await client.backupPart(key, asked);
        return asked === name ? { ...part, content: old } : part;
      },
    }));
    await addsUp([restored], 6_950_000n);
  });

  it("has everything written again where it went back in time", async () => {
    const reader = await readerWith(1_000_000n);
    await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
    await copyPayment(reader, 200);
    await save(reader);
    await loseParts();
    const again = restarted(reader);
    await Promise.all([again.pay(offerOf(provider, { resource: `${SITE}/b` })), approve(again)]);
    await save(again);
    const restored = await restore(again);
    expect(await restored.payments()).toHaveLength(202);
    await addsUp([restored], 900_000n);
  });
});

async function lost(): Promise<never> {
  throw new TuppenceError("provider_unreachable");
}

async function readerWith(amount: bigint): Promise<Reader> {
  const reader = makeReader(provider, { delays: "skipped" });
  await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  if (amount > 0n) await reader.topUp(amount);
  return reader;
}

function restarted(reader: Reader): Reader {
  return makeReader(provider, { store: reader.store, delays: "skipped" });
}

/** Another device says at the provider that this one's coins are its own, and dies right after it. */
async function dieTakingOver(reader: Reader): Promise<void> {
  const { phrase } = await reader.wallet.showPhrase();
  const head = await keysOf(reader).then((keys) => keys.backup.partName("head", 0, 0));
  const { version: saved } = await ownRow(reader);
  const shortLived = makeReader(provider, {
    between: (client) => ({
      ...client,
      writeBackupPart: async (key, name, request) => {
        const version = await client.writeBackupPart(key, name, request);
        return name === head ? new Promise(() => undefined) : version;
      },
    }),
  });
  await shortLived.wallet.create({ kind: "ui", type: "createWallet", phrase });
  await untilTrue(
    async () => (await partsOf(reader)).find(({ name }) => name === head)?.version === saved + 1,
  );
}

/** Waits until it is brought back, searched and checked. */
async function restore(
  reader: Reader,
  otherDevices: "gone" | "in_use" = "gone",
  between: (client: ProviderPort) => ProviderPort = (client) => client,
): Promise<Reader> {
  const { phrase } = await reader.wallet.showPhrase();
  const restored = makeReader(provider, { delays: "skipped", between });
  await restored.wallet.create({ kind: "ui", type: "createWallet", phrase, otherDevices });
  await settled(restored);
  return restored;
}

/** Until nothing is under way any more. */
async function settled(reader: Reader): Promise<void> {
  await untilTrue(async () => {
    await reader.wallet.resume();
    const { restoring, restore: step } = await reader.wallet.snapshot();
    const isQuiet = await reader.store.read(async (tables) => {
      const open = [
        ...(await tables.payments.where("change", "pending")),
        ...(await tables.swaps.where("state", "created")),
        ...(await tables.withdrawals.where("state", "created")),
        ...(await tables.withdrawals.where("state", "quoted")),
      ];
      return open.length === 0;
    });
    return !restoring && step === null && isQuiet;
  });
  expect(reader.faults).toEqual([]);
}

async function save(reader: Reader): Promise<void> {
  await reader.wallet.saveBackup();
}

async function approveAll(reader: Reader, count: number): Promise<void> {
  await untilTrue(async () => reader.prompts.length >= count);
  for (const { id, state } of (await reader.wallet.snapshot()).approvals)
    if (state === "asking")
      await reader.wallet
        .decide({ kind: "ui", type: "decide", approvalId: id, approve: true })
        .catch(() => undefined);
}

/** As if the first payment had been made so many times more: each under an own number, with the same receipt's content. */
async function copyPayment(reader: Reader, count: number): Promise<void> {
  const [payment] = await reader.payments();
  if (!payment) throw new Error("nothing was paid");
  const { keys } = await openOf(reader);
  const { paymentId } = await keys.device(0);
  const [header = "", body = "", signature = ""] = (payment.receipt ?? "").split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  const rows: PaymentRow[] = [];
  for (let counter = payment.counter + 1; counter <= payment.counter + count; counter++) {
    const id = await paymentId(counter);
    const changed = toBase64url(Buffer.from(JSON.stringify({ ...claims, jti: id })));
    rows.push({ ...payment, id, counter, receipt: `${header}.${changed}.${signature}` });
  }
  // As the wallet itself would have written them.
  await reader.wallet.resume();
  await reader.store.transaction(async (tables) => {
    await tables.payments.putAll(rows);
    await tables.counters.put({ key: "payment", next: payment.counter + count + 1 });
  });
}

async function walletOf(reader: Reader) {
  const [row] = await reader.store.read((tables) => tables.wallet.all());
  if (!row) throw new Error("no wallet");
  return row;
}

async function openOf(reader: Reader): Promise<{ keys: WalletKeys }> {
  return { keys: await keysOf(reader) };
}

async function keysOf(reader: Reader): Promise<WalletKeys> {
  return openKeys((await walletOf(reader)).seedHex);
}

async function ownRow(reader: Reader): Promise<OwnBackupRow> {
  const row = await reader.store.read((tables) => tables.backups.get("own"));
  if (row?.kind !== "own") throw new Error("no backup");
  return row;
}

async function copyStore(from: Reader, to: Reader): Promise<void> {
  const rows = await from.store.read(async (tables) => ({
    wallet: await tables.wallet.all(),
    coins: await tables.coins.all(),
    keysets: await tables.keysets.all(),
    counters: await tables.counters.all(),
    payments: await tables.payments.all(),
    backups: await tables.backups.all(),
  }));
  await to.store.transaction(async (tables) => {
    await tables.wallet.putAll(rows.wallet);
    await tables.coins.putAll(rows.coins);
    await tables.keysets.putAll(rows.keysets);
    await tables.counters.putAll(rows.counters);
    await tables.payments.putAll(rows.payments);
    await tables.backups.putAll(rows.backups);
  });
}

async function partsOf(reader: Reader): Promise<{ name: string; version: number }[]> {
  const id = await thumbprintOf((await keysOf(reader)).account.publicJwk);
  return (await rowsOf(id)).map(({ name, version }) => ({ name, version: Number(version) }));
}

async function versionsOf(reader: Reader): Promise<number[]> {
  return (await partsOf(reader)).map(({ version }) => version).sort((a, b) => a - b);
}

async function contentOf(reader: Reader, name: string): Promise<Buffer> {
  const id = await thumbprintOf((await keysOf(reader)).account.publicJwk);
  const row = (await rowsOf(id)).find((one) => one.name === name);
  return Buffer.from(row?.content ?? []);
}

async function loseParts(): Promise<void> {
  const { database } = provider.provider.deps;
  await database
    .$extendTables<{ wallet_backup_parts: { name: string } }>()
    .deleteFrom("wallet_backup_parts")
    .execute();
}

function rowsOf(accountId: string) {
  return provider.provider.deps.database
    .$extendTables<{
      wallet_backup_parts: { account_id: string; name: string; version: bigint; content: Uint8Array };
    }>()
    .selectFrom("wallet_backup_parts")
    .selectAll()
    .where("account_id", "=", accountId)
    .execute();
}

function flipped(content: string): string {
  const bytes = Buffer.from(content, "base64url");
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  return bytes.toString("base64url");
}

function entitlement(reader: Reader, changes: { seal?: string } = {}) {
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

/** Float and account in the ledger are what the wallets hold and show, to the micro; all are of one phrase. */
async function addsUp(readers: readonly Reader[], total: bigint): Promise<void> {
  const { ledger, mint } = provider.provider.deps;
  let coins = 0n;
  const accounts = new Set<string>();
  let shown = 0n;
  for (const reader of readers) {
    expect(reader.faults).toEqual([]);
    coins += valueOf(await reader.coins());
    accounts.add(await thumbprintOf((await keysOf(reader)).account.publicJwk));
    const { balance } = await reader.wallet.snapshot();
    shown += BigInt(balance.total) - BigInt(balance.account);
  }
  expect(accounts.size).toBe(1);
  const account = await ledger.balance(readerAccount([...accounts][0] ?? ""));
  expect(await ledger.balance(floatAccount(mint.activeKeysetId()))).toBe(coins);
  expect(coins + account).toBe(total);
  expect(shown).toBe(coins);
}
