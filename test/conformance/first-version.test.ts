/**
 * A reader of the first version updates, and has everything again: money, receipts, allowances, and what was under way. The
 * store is the extension's, on a database as that version left it; the same in a browser: test/e2e/update.spec.ts.
 */
import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../extension/store/index.ts";
import { auditProvider } from "../../server/audit.ts";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import { micros } from "../../shared/money.ts";
import { verifyReceipt } from "../../shared/receipt.ts";
import { type PageSender, summaryOf, upgradeFromFirst, type WalletStore } from "../../wallet/core/index.ts";
import {
  FIRST_VERSION,
  PAID_IN_ALL,
  PAYMENTS_THEN,
  putFirstVersion,
  restoreProviderData,
  TOPPED_UP,
} from "../support/first-version.ts";
import { freePort } from "../support/free-port.ts";
import { fetchAt } from "../support/hosts.ts";
import { newSession } from "../support/session.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { approve, makeReader, offerOf, type Reader, senderAt, untilTrue } from "./reader.ts";

const { merchant, made, reader: then } = FIRST_VERSION;
const ARTICLE = merchant.origin + merchant.page.path;
/** Long enough for every payment of then to have run out of time, and within the hour for which refusals are remembered. */
const UPDATED_AFTER_MS = 30 * 60_000;

let folder: string;
let provider: TestProvider;
let store: WalletStore;
let reader: Reader;
/** While true nobody is there. */
let isOffline: boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tuppence-first-version-"));
  restoreProviderData(folder);
  const port = await freePort();
  const { origin, accountsOrigin } = FIRST_VERSION.provider;
  provider = await startTestProvider({
    TUPPENCE_DATA: folder,
    TUPPENCE_PORT: String(port),
    TUPPENCE_ORIGIN: origin,
    TUPPENCE_ACCOUNTS_ORIGIN: accountsOrigin,
    TUPPENCE_MINT_THREADS: "0",
  });
  provider.clock.ahead = made.atMs + UPDATED_AFTER_MS - Date.now();

  const name = randomUUID();
  await putFirstVersion({ name, stored: FIRST_VERSION.indexedDb, laterMs: 0 });
  store = openStore(name, newSession(), { summaryOf, upgrades: { 2: upgradeFromFirst } });
  const reach = fetchAt({ [new URL(origin).hostname]: port, [new URL(accountsOrigin).hostname]: port });
  isOffline = false;
  reader = makeReader(provider, {
    store,
    delays: "skipped",
    fetch: async (input, init) => {
      if (isOffline) throw new TypeError("nobody answers");
      return reach(input, init);
    },
  });
});
afterEach(async () => {
  expect(reader.faults).toEqual([]);
  expect((await auditProvider(provider.provider.deps)).differences).toEqual([]);
  await store.close();
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("before the provider was asked for anything", () => {
  beforeEach(() => {
    isOffline = true;
  });

  it("the balance, the payments, the allowance and the top-ups are those of then", async () => {
    const { state, phraseConfirmed, balance, payments, allowances, topUps, frozen } =
      await reader.wallet.snapshot();
    expect({ state, phraseConfirmed, frozen }).toEqual({
      state: "ready",
      phraseConfirmed: true,
      frozen: false,
    });
    expect(balance).toMatchObject({
      total: "7190000",
      account: "5000000",
      coins: "2190000",
      inFlight: "70000",
    });
    const underWay: Record<string, string> = {
      "The lost answer": "pending",
      Fog: "pending",
      "Coming back": "refunding",
    };
    expect(payments.map(({ title, amount, state: at }) => [title, amount, at])).toEqual(
      PAYMENTS_THEN.map(([title, amount, at]) => [title, amount, underWay[title] ?? at]),
    );
    expect(allowances).toMatchObject([
      { origin: merchant.origin, merchantName: "The Lantern", limit: "1000000", left: "930000" },
    ]);
    expect(topUps.map(({ amount, state: at }) => [amount, at])).toEqual([
      ["10000000", "open"],
      ["5000000", "paid"],
      ["20000000", "abandoned"],
      ["10000000", "declined"],
      ["5000000", "paid"],
    ]);
    expect(await reader.wallet.showPhrase()).toEqual({ phrase: then.phrase });
  });

  it("what was bought opens, with its receipt and the key to what is sealed in the page", async () => {
    const { receipt, contentKey } = await comeBack();
    expect(contentKey).toMatch(/^[\w-]{43}$/);
    const { signingKey, signingKeyId } = provider.provider.deps.secrets;
    const jwks = { keys: [{ ...signingKey.publicJwk, kid: signingKeyId }] };
    const expected = {
      issuer: provider.origin,
      merchant: merchant.id,
      resource: ARTICLE,
      leastAmount: micros(50_000),
    };
    expect(await verifyReceipt(receipt, jwks, expected)).toBeDefined();
  });

  it("a site of then hears of the wallet, and one that was never dealt with does not", async () => {
    expect(await reader.wallet.knownOrigins()).toEqual(["http://gazette.localhost", merchant.origin]);
    const mayAnswer = (origin: string) => reader.wallet.mayAnswer(senderOf({ origin, clicked: false }));
    expect(await mayAnswer(merchant.origin)).toBe(true);
    expect(await mayAnswer("https://stranger.example")).toBe(false);
  });

  it("what was bought in a private window is shown to nobody who did not ask the reader", async () => {
    const secret = `${merchant.origin}/secret.html`;
    await expect(comeBack(secret)).rejects.toMatchObject({ code: "entitlement_unknown" });
    expect(await comeBack(secret, true)).toHaveProperty("receipt");
  });
});

it("what was under way comes to its end, and not a micro is missing", async () => {
  await reader.wallet.resume();
  await settled();
  const { balance, payments, allowances } = await reader.wallet.snapshot();
  expect(payments.map(({ title, amount, state }) => [title, amount, state])).toEqual(PAYMENTS_THEN);
  expect(BigInt(balance.total)).toBe(TOPPED_UP - PAID_IN_ALL);
  expect(balance.inFlight).toBe("0");
  // The lost answer was of the allowance too.
  expect(allowances).toMatchObject([{ limit: "1000000", left: "930000" }]);
  expect(await holdsOfMerchants()).toBe(PAID_IN_ALL);
});

it("coins of then pay, within the allowance of then", async () => {
  const before = await holdsOfMerchants();
  const { coins } = (await reader.wallet.snapshot()).balance;
  await reader.pay(newOffer(), "direct", { sender: senderOf() });
  expect(reader.prompts).toEqual([]);
  const { balance, allowances } = await reader.wallet.snapshot();
  expect(BigInt(balance.coins)).toBe(BigInt(coins) - 50_000n);
  expect(allowances).toMatchObject([{ left: "880000" }]);
  expect(await holdsOfMerchants()).toBe(before + 50_000n);
});

it("the money for what was bought then can be taken back", async () => {
  const bought = (await reader.wallet.snapshot()).payments.find(({ title }) => title === "Tide mills");
  await reader.wallet.refund({ kind: "ui", type: "refund", paymentId: bought?.id ?? "" });
  const { payments, balance } = await reader.wallet.snapshot();
  expect(payments.find(({ title }) => title === "Tide mills")?.state).toBe("refunded");
  expect(balance.coins).toBe("2240000");
});

it("a site that was refused then is listened to no more readily than before", async () => {
  // With the one of then it is the second refusal, and from the second on the wallet pauses.
  await reader.wallet.removeAllowance({ kind: "ui", type: "removeAllowance", origin: merchant.origin });
  const asked = reader.pay(newOffer(), "direct", { sender: senderOf() });
  const declined = expect(asked).rejects.toMatchObject({ code: "declined" });
  const approvalId = await untilTrue(async () => reader.prompts.at(-1));
  await reader.wallet.decide({ kind: "ui", type: "decide", approvalId, approve: false });
  await declined;
  const again = reader.pay(newOffer(), "direct", { sender: senderOf() });
  await expect(again).rejects.toMatchObject({ code: "prompts_paused" });
});

it("coins that the provider signed and nobody heard of pay too, beside those of then", async () => {
  await reader.wallet.resume();
  await settled();
  await reader.wallet.removeAllowance({ kind: "ui", type: "removeAllowance", origin: merchant.origin });
  const offer = newOffer(3_000_000n);
  await Promise.all([reader.pay(offer, "direct", { sender: senderOf() }), approve(reader)]);
  expect(await holdsOfMerchants()).toBe(PAID_IN_ALL + 3_000_000n);
});

/** As the page does that stands at this address. */
function comeBack(resource = ARTICLE, clicked = false) {
  const payload = { merchant: merchant.id, resource, challenge: "sixteen characters" };
  return reader.wallet.page(
    {
      v: 1,
      id: randomUUID(),
      type: "entitlement",
      payload: resource === ARTICLE ? { ...payload, seal: sealInPage() } : payload,
    },
    senderOf({ url: resource, clicked }),
  );
}

function sealInPage(): string {
  return /"seal":"([^"]+)"/.exec(merchant.page.html)?.[1] ?? "";
}

function senderOf(changes: Partial<PageSender> = {}): PageSender {
  return senderAt({ origin: merchant.origin, url: ARTICLE, ...changes });
}

function newOffer(amount = 50_000n) {
  return offerOf(provider, {
    merchant: merchant.id,
    amount,
    title: "New",
    resource: `${merchant.origin}/new.html`,
  });
}

/** Nothing is under way any more. */
function settled(): Promise<true> {
  return untilTrue(async () => {
    const { balance, payments } = await reader.wallet.snapshot();
    return balance.inFlight === "0" && payments.every(({ state }) => state !== "refunding") && true;
  });
}

async function holdsOfMerchants(): Promise<bigint> {
  const { ledger } = provider.provider.deps;
  const balances = await Promise.all(
    [merchant.id, "gazette"].map((id) => ledger.balance(merchantAccount(id))),
  );
  return balances.reduce((total, balance) => total + balance, 0n);
}
