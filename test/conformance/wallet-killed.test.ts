/**
 * The wallet dies at every moment there is, and answers get lost: afterwards the reader has the coins or the receipt, never
 * neither, never two charges. Each run dies at its n-th call to store or provider, before or after it happened; a fresh
 * wallet takes the same store up; and everything is added up. n grows until a run survives. A thorough run leaves no n out
 * for any fault; others are killed before every second call and after the ones between, and lose each answer.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { floatAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { thumbprintOf } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import {
  createMemoryStore,
  type ProviderPort,
  type StoreTables,
  type WalletStore,
} from "../../wallet/core/index.ts";
import { openKeys } from "../../wallet/core/keys.ts";
import { withdrawCoins } from "../support/coins.ts";
import { isThorough } from "../support/thorough.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { approveTopUp, makeReader, offerOf, type Reader, SITE, untilTrue, valueOf } from "./reader.ts";

/** Far more than any run has. */
const MAX_STEPS = 300;
const PRICE = 50_000n;
const TIMEOUT_MS = 300_000;

let provider: TestProvider;
/** In the drawers of all readers of all runs. */
let everyoneHolds = 0n;

beforeAll(async () => {
  provider = await startTestProvider({
    TUPPENCE_MINT_THREADS: "0",
    TUPPENCE_RATE_LIMIT_PER_MINUTE: "10000000",
    TUPPENCE_TOPUP_LEAST: "0.001",
  });
  await provider.provider.deps.merchants.put({
    id: "the-lantern",
    name: "The Lantern",
    origins: [SITE],
    refundWindowSeconds: 90 * 86_400,
  });
});

afterAll(async () => {
  const { ledger, mint } = provider.provider.deps;
  expect((await ledger.audit()).differences).toEqual([]);
  expect(await ledger.balance(floatAccount(mint.activeKeysetId()))).toBe(everyoneHolds);
  await provider.close();
});

/** What happens at the n-th call: the process dies before or after it, or, at a call to the provider, its answer is lost. */
type Fault = "killed before" | "killed after" | "answer lost";
const FAULTS: readonly Fault[] = ["killed before", "killed after", "answer lost"];

it.each(FAULTS)(
  "has coins or receipt, %s any step of a payment with exact coins",
  (fault) => paysThrough(fault, [50_000, 20_000]),
  TIMEOUT_MS,
);

it.each(FAULTS)(
  "has coins or receipt, %s any step of a payment with change",
  (fault) => paysThrough(fault, [100_000]),
  TIMEOUT_MS,
);

it.each(FAULTS)(
  "loses nothing, %s any step of a withdraw",
  async (fault) => {
    await forEveryStep(fault, async (moment) => {
      const store = createMemoryStore();
      const total = 8_000n;
      const before = makeReader(provider, { store, delays: "skipped" });
      await before.wallet.create({ kind: "ui", type: "createWallet" });
      const { topUpId } = await before.wallet.topUp({ kind: "ui", type: "topUp", amount: micros(total) });
      await approveTopUp(provider, topUpId, total);
      const first = makeReader(provider, faulty(store, moment));
      await moment.unlessKilled(first.wallet.refreshTopUps());
      await takeUpAndCount(store, total, 0);
    });
  },
  TIMEOUT_MS,
);

it.each(FAULTS)(
  "has money or article, %s any step of a refund",
  async (fault) => {
    await forEveryStep(fault, async (moment) => {
      const { store, total } = await stocked([50_000, 20_000]);
      const { paymentId } = await buy(makeReader(provider, { store, delays: "skipped" }));
      const first = makeReader(provider, faulty(store, moment));
      await moment.unlessKilled(first.wallet.refund({ kind: "ui", type: "refund", paymentId }));
      await takeUpAndCount(store, total, 1);
    });
  },
  TIMEOUT_MS,
);

it.each(FAULTS)(
  "has its coins back, %s any step after a site kept a payment and did nothing with it",
  async (fault) => {
    await forEveryStep(fault, async (moment) => {
      const { store, total } = await stocked([50_000, 20_000]);
      const first = makeReader(provider, faulty(store, moment));
      await moment.unlessKilled(
        buy(first, "http", moment).then(() =>
          untilTrue(async () => {
            await first.wallet.resume();
            provider.clock.ahead += ALARM_MS;
            return (await openWork(store)) === 0;
          }),
        ),
      );
      await takeUpAndCount(store, total, 1);
    });
  },
  TIMEOUT_MS,
);

// A restore has many steps, and is killed at some of them only, each fault at others: each time all of it is brought back.
it.each(FAULTS.map((fault, first) => ({ fault, first: 2 + 3 * first })))(
  "brings everything back, $fault a step of reading the backup and of taking it over",
  ({ fault, first }) => restoresThrough(fault, "held", { first, every: 8 }),
  2 * TIMEOUT_MS,
);

it.each(FAULTS.map((fault, first) => ({ fault, first: 2 + 3 * first })))(
  "brings everything back, $fault a step of looking for what is newer, or at a coin",
  ({ fault, first }) => restoresThrough(fault, "skipped", { first: 60 + 41 * first, every: 389 }),
  2 * TIMEOUT_MS,
);

it("charges once where every request arrives twice", async () => {
  const { store, total } = await stocked([50_000, 20_000]);
  const reader = makeReader(provider, { store, delays: "skipped", between: twice });
  await buy(reader);
  expect(await takeUpAndCount(store, total, 1)).toBe("paid");
});

async function paysThrough(fault: Fault, coins: readonly number[]): Promise<void> {
  const outcomes = new Set<string>();
  await forEveryStep(fault, async (moment) => {
    const { store, total } = await stocked(coins);
    const first = makeReader(provider, faulty(store, moment));
    await moment.unlessKilled(buy(first, "direct", moment));
    outcomes.add(await takeUpAndCount(store, total, 1));
  });
  // Otherwise the faults missed the moments that matter.
  expect(outcomes).toContain("paid");
  if (fault !== "answer lost") expect(outcomes).toContain("not paid");
}

/** Some of it in the backup, some newer. With `held` delays only the backup is read before the wallet dies. */
async function restoresThrough(
  fault: Fault,
  delays: "held" | "skipped",
  steps: { readonly first: number; readonly every: number },
): Promise<void> {
  const total = 130_000n;
  await forEveryStep(
    fault,
    async (moment) => {
      const old = makeReader(provider, { delays: "skipped" });
      await old.wallet.create({ kind: "ui", type: "createWallet" });
      await old.wallet.resume();
      await old.topUp(total - 60_000n);
      await old.wallet.saveBackup();
      await old.topUp(60_000n);
      await buy(old);
      const { phrase } = await old.wallet.showPhrase();
      const store = createMemoryStore();
      const first = makeReader(provider, { ...faulty(store, moment), delays });
      await moment.unlessKilled(
        first.wallet.create({ kind: "ui", type: "createWallet", phrase }).then(async () => {
          await untilTrue(async () => {
            await first.wallet.resume();
            return delays === "held" || (await toBringBack(store)) === 0;
          });
        }),
      );
      // It died before there was a wallet: the reader types the words again.
      if ((await store.read((tables) => tables.wallet.all())).length === 0) {
        everyoneHolds += valueOf(await old.coins());
        return;
      }
      expect(await takeUpAndCount(store, total, 1)).toBe("paid");
    },
    steps,
  );
}

/** A wallet with exactly these coins, and nothing in its account. */
async function stocked(amounts: readonly number[]): Promise<{ store: WalletStore; total: bigint }> {
  const store = createMemoryStore();
  const reader = makeReader(provider, { store, delays: "skipped" });
  await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  const proofs = await withdrawCoins(provider.provider.deps, amounts);
  await store.transaction((tables) =>
    tables.coins.putAll(
      proofs.map(({ amount, id, secret, C }) => ({
        secret,
        C,
        keysetId: id,
        amount: micros(amount),
        state: "free",
        holder: undefined,
      })),
    ),
  );
  return { store, total: BigInt(amounts.reduce((sum, amount) => sum + amount, 0)) };
}

async function buy(reader: Reader, mode: "direct" | "http" = "direct", moment?: Moment) {
  const asked = untilTrue(async () => {
    moment?.throwIfOver();
    return reader.prompts[0];
  });
  const agree = asked.then((approvalId) =>
    reader.wallet.decide({ kind: "ui", type: "decide", approvalId, approve: true }),
  );
  const [result] = await Promise.all([reader.pay(offerOf(provider, { amount: PRICE }), mode), agree]);
  return result;
}

const ALARM_MS = 30_000;
const HOUR_MS = 3_600_000;

/** What the restarted browser does; then coins and receipts are added up. */
async function takeUpAndCount(
  store: WalletStore,
  total: bigint,
  mostPayments: number,
): Promise<"paid" | "not paid"> {
  const reader = makeReader(provider, { store, delays: "skipped" });
  await untilTrue(async () => {
    // Both as its alarms ring.
    await reader.wallet.refreshTopUps();
    await reader.wallet.resume();
    provider.clock.ahead += ALARM_MS;
    return (await openWork(store)) === 0 && !(await isVisitComing(store, Date.now() + provider.clock.ahead));
  });
  expect(reader.faults).toEqual([]);
  const payments = (await reader.payments()).filter(({ state }) => state === "paid");
  expect(payments.length).toBeLessThanOrEqual(mostPayments);
  for (const { receipt } of payments) expect(receipt).toBeDefined();
  const coins = await reader.coins();
  expect(coins.every(({ state }) => state === "free")).toBe(true);
  const [wallet] = await store.read((tables) => tables.wallet.all());
  const { account } = await openKeys(wallet?.seedHex ?? "");
  const inAccount = await provider.provider.deps.ledger.balance(
    readerAccount(await thumbprintOf(account.publicJwk)),
  );
  expect(valueOf(coins) + inAccount).toBe(total - BigInt(payments.length) * PRICE);
  const { balance } = await reader.wallet.snapshot();
  expect([BigInt(balance.total), balance.inFlight]).toEqual([total - BigInt(payments.length) * PRICE, "0"]);
  everyoneHolds += valueOf(coins);
  return payments.length > 0 ? "paid" : "not paid";
}

/** An account whose answer was lost is asked again after a minute; one that answered, after half a day at the earliest. */
async function isVisitComing(store: WalletStore, nowMs: number): Promise<boolean> {
  const [wallet] = await store.read((tables) => tables.wallet.all());
  return wallet?.visitAccountAt !== undefined && wallet.visitAccountAt - nowMs < HOUR_MS;
}

async function openWork(store: WalletStore): Promise<number> {
  const left = await store.read(async (tables) => [
    ...(await tables.payments.all()).filter(
      ({ state, change }) => !["paid", "failed", "refunded"].includes(state) || change === "pending",
    ),
    ...(await tables.withdrawals.all()).filter(({ state }) => state === "created" || state === "quoted"),
    ...(await tables.swaps.all()).filter(({ state }) => state === "created"),
    ...(await tables.approvals.all()).filter(({ state }) => state === "approved" || state === "paying"),
  ]);
  return left.length + (await toBringBack(store));
}

async function toBringBack(store: WalletStore): Promise<number> {
  const left = await store.read(async (tables) => [
    ...(await tables.wallet.all()).filter(({ recovery }) => recovery !== "none"),
    ...(await tables.coins.all()).filter(({ state, isRestored }) => state === "unchecked" || isRestored),
  ]);
  return left.length;
}

class Killed extends Error {}

interface Moment {
  readonly fault: Fault;
  /** Every call goes through here. */
  call<T>(work: () => Promise<T>, isProviders: boolean): Promise<T>;
  /**
   * What the dead process was doing is of no interest any more; one that lives to the end of its work is ended then, because the
   * next one takes up a store that nobody else uses, as the next worker of a browser does.
   */
  unlessKilled(work: Promise<unknown>): Promise<void>;
  throwIfOver(): void;
  wasReached(): boolean;
}

async function forEveryStep(
  fault: Fault,
  run: (moment: Moment) => Promise<void>,
  { first, every } = stepsOf(fault),
): Promise<void> {
  for (let step = first; step <= first + MAX_STEPS * every; step += every) {
    const moment = momentAt(step, fault);
    await run(moment);
    if (!moment.wasReached()) {
      expect(step).toBeGreaterThan(first);
      return;
    }
  }
  throw new Error("a run has more steps than any should have");
}

function stepsOf(fault: Fault) {
  if (isThorough || fault === "answer lost") return { first: 1, every: 1 };
  return { first: fault === "killed before" ? 1 : 2, every: 2 };
}

function momentAt(step: number, fault: Fault): Moment {
  let count = 0;
  let underWay = 0;
  let isDead = false;
  let wasReached = false;
  let die: () => void = () => undefined;
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const kill = (): never => {
    isDead = true;
    die();
    throw new Killed();
  };
  return {
    fault,
    call: async (work, isProviders) => {
      if (isDead) throw new Killed();
      underWay++;
      try {
        if (fault === "answer lost" && !isProviders) return await work();
        count++;
        if (count !== step) return await work();
        wasReached = true;
        if (fault === "killed before") return kill();
        await work();
        if (fault === "killed after") return kill();
        throw new TuppenceError("provider_unreachable");
      } finally {
        underWay--;
      }
    },
    unlessKilled: async (work) => {
      await Promise.race([
        death,
        work.then(
          () => undefined,
          (error: unknown) => {
            if (!(error instanceof Killed || error instanceof TuppenceError)) throw error;
          },
        ),
      ]);
      isDead = true;
      await untilTrue(async () => underWay === 0);
    },
    throwIfOver: () => {
      if (isDead) throw new Killed();
    },
    wasReached: () => wasReached,
  };
}

function faulty(store: WalletStore, moment: Moment) {
  const call = <T>(work: () => Promise<T>) => moment.call(work, false);
  return {
    store,
    delays: "skipped" as const,
    beneath: (real: WalletStore): WalletStore => ({
      transaction: <T>(body: (tables: StoreTables) => Promise<T>) => call(() => real.transaction(body)),
      read: <T>(body: (tables: StoreTables) => Promise<T>) => call(() => real.read(body)),
      close: () => real.close(),
      protection: () => real.protection(),
    }),
    between: (provider: ProviderPort): ProviderPort => around(provider, (work) => moment.call(work, true)),
  };
}

function twice(real: ProviderPort): ProviderPort {
  return around(real, async (work) => {
    const [first] = await Promise.all([work(), work()]);
    return first;
  });
}

/** The same port, every call led through `around`. */
function around(real: ProviderPort, lead: <T>(work: () => Promise<T>) => Promise<T>): ProviderPort {
  const led = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => lead(() => method(...args));
  };
  return {
    info: led(real.info),
    jwks: led(real.jwks),
    keysetLog: led(real.keysetLog),
    keysets: led(real.keysets),
    keys: led(real.keys),
    settle: led(real.settle),
    lookup: led(real.lookup),
    refund: led(real.refund),
    swap: led(real.swap),
    checkSpent: led(real.checkSpent),
    restore: led(real.restore),
    revoked: led(real.revoked),
    merchant: led(real.merchant),
    register: led(real.register),
    account: led(real.account),
    createTopUp: led(real.createTopUp),
    topUp: led(real.topUp),
    backupParts: led(real.backupParts),
    backupPart: led(real.backupPart),
    writeBackupPart: led(real.writeBackupPart),
    mintQuote: led(real.mintQuote),
    meltQuote: led(real.meltQuote),
    melt: led(real.melt),
    closeAccount: led(real.closeAccount),
    mint: led(real.mint),
    restoreWithdrawn: led(real.restoreWithdrawn),
  };
}
