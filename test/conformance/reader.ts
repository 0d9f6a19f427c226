/** A reader with the real wallet core in memory, against a real provider: what the extension composes, without a browser. */
import { randomBytes } from "node:crypto";
import { signGatewayEvent } from "../../server/gateways/index.ts";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import type { SigningKey } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { makeOffer, type OfferTerms } from "../../shared/offer.ts";
import type { PageRequestOf } from "../../shared/protocol/page.ts";
import { issueSeal } from "../../shared/seal.ts";
import {
  createMemoryStore,
  createWallet,
  type PageSender,
  type ProviderPort,
  type Wallet,
  type WalletStore,
} from "../../wallet/core/index.ts";
import type { CoinRow, PaymentRow } from "../../wallet/core/rows.ts";
import { createProviderClient } from "../../wallet/provider/index.ts";
import type { TestProvider } from "./provider.ts";

export const SITE = "https://lantern.example";
const MERCHANT = "the-lantern";

export interface ReaderOptions {
  readonly store?: WalletStore;
  readonly fetch?: typeof fetch;
  /** Between wallet and provider, for faults. */
  readonly between?: (provider: ProviderPort) => ProviderPort;
  /** Between wallet and store, for faults. */
  readonly beneath?: (store: WalletStore) => WalletStore;
  /** What the wallet waits for: `held` until the test lets it go on, or `skipped`, the clocks going forward by it. */
  readonly delays?: "held" | "skipped";
}

export interface Reader {
  readonly wallet: Wallet;
  readonly store: WalletStore;
  /** Approvals that were shown, in order. */
  readonly prompts: string[];
  /** Bugs in background work. */
  readonly faults: unknown[];
  /** Lets the clocks go forward by what is waited for, and the waiting go on. */
  releaseDelays(): void;
  /** As a page would, after a click. */
  pay(
    offer: object,
    mode?: "direct" | "http",
    changes?: { id?: string; sender?: Partial<PageSender> },
  ): ReturnType<typeof payOf>;
  topUp(amount: bigint): Promise<void>;
  coins(): Promise<CoinRow[]>;
  payments(): Promise<PaymentRow[]>;
}

const payOf = (wallet: Wallet, request: PageRequestOf<"pay">, sender: PageSender) =>
  wallet.page(request, sender);

export function makeReader(provider: TestProvider, options: ReaderOptions = {}): Reader {
  const store = options.store ?? createMemoryStore();
  const prompts: string[] = [];
  const faults: unknown[] = [];
  const held: { readonly milliseconds: number; readonly resolve: () => void }[] = [];
  const clock = { nowMs: () => Date.now() + provider.clock.ahead };
  const wallet = createWallet({
    store: options.beneath?.(store) ?? store,
    clock,
    random: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    connect: (anonymousOrigin) => {
      const client = createProviderClient({ anonymousOrigin, fetch: options.fetch ?? fetch, clock });
      return options.between?.(client) ?? client;
    },
    prompt: {
      open: async (approvalId) => {
        prompts.push(approvalId);
      },
    },
    scheduler: {
      delay: (milliseconds) =>
        new Promise((resolve) => {
          if (milliseconds === 0) setImmediate(resolve);
          else if (options.delays === "skipped") {
            provider.clock.ahead += milliseconds;
            setImmediate(resolve);
          } else held.push({ milliseconds, resolve });
        }),
      wakeAt: () => undefined,
    },
    defaultProviderOrigin: provider.origin,
    onFault: (error) => faults.push(error),
  });
  return {
    wallet,
    store,
    prompts,
    faults,
    releaseDelays: () => {
      const released = held.splice(0);
      provider.clock.ahead += Math.max(0, ...released.map(({ milliseconds }) => milliseconds));
      for (const { resolve } of released) resolve();
    },
    pay: (offer, mode = "direct", { id = randomBytes(8).toString("hex"), sender = {} } = {}) =>
      payOf(wallet, { v: 1, id, type: "pay", payload: { offer: { ...offer }, mode } }, senderAt(sender)),
    topUp: async (amount) => {
      const { topUpId } = await wallet.topUp({ kind: "ui", type: "topUp", amount: micros(amount) });
      await approveTopUp(provider, topUpId, amount);
      await wallet.refreshTopUps();
    },
    coins: () => store.read((tables) => tables.coins.all()),
    payments: () => store.read((tables) => tables.payments.all()),
  };
}

export async function approveTopUp(provider: TestProvider, topUpId: string, amount: bigint): Promise<void> {
  const now = Math.floor((Date.now() + provider.clock.ahead) / 1_000);
  const event = signGatewayEvent(
    provider.provider.deps.secrets.gatewaySecret,
    { type: "approved", topUpId, amount: micros(amount) },
    now,
  );
  const answer = await fetch(`${provider.accountsOrigin}/gateways/sandbox/events`, {
    method: "POST",
    ...event,
  });
  if (answer.status !== 200) throw new Error(`event refused: ${await answer.text()}`);
}

export function senderAt(changes: Partial<PageSender> = {}): PageSender {
  const origin = changes.origin ?? SITE;
  return {
    origin,
    url: `${origin}/article`,
    topOrigin: origin,
    isTopFrame: true,
    tabId: 1,
    isPrivate: false,
    clicked: true,
    ...changes,
  };
}

export function offerOf(
  provider: TestProvider,
  changes: Partial<OfferTerms> = {},
): ReturnType<typeof makeOffer> {
  return makeOffer({
    provider: provider.origin,
    merchant: MERCHANT,
    amount: 50_000n,
    currency: "USD",
    kind: "article",
    title: "Tide mills",
    resource: `${SITE}/article`,
    ...changes,
  });
}

/** For the article that `offerOf` offers, as its site seals it. */
export async function sealOf(
  { origin, clock }: TestProvider,
  sealKey: SigningKey,
  contentKey: Uint8Array,
  amount: bigint,
): Promise<string> {
  const info = await (await fetch(`${origin}/.well-known/tuppence.json`)).json();
  const terms = {
    merchant: MERCHANT,
    resource: `${SITE}/article`,
    amount,
    currency: "USD",
    issuedAtSeconds: Math.floor((Date.now() + clock.ahead) / 1_000),
  };
  return issueSeal(terms, contentKey, info.sealingKey, sealKey);
}

export function merchantHolds({ provider }: TestProvider): Promise<bigint> {
  return provider.deps.ledger.balance(merchantAccount(MERCHANT));
}

/** The first approval that stands open, agreed to. */
export async function approve(
  reader: Reader,
  changes: { amount?: bigint; allowance?: bigint } = {},
): Promise<void> {
  const approvalId = await untilTrue(
    async () => (await reader.wallet.snapshot()).approvals.find(({ state }) => state === "asking")?.id,
  );
  await reader.wallet.decide({
    kind: "ui",
    type: "decide",
    approvalId,
    approve: true,
    ...(changes.amount === undefined ? {} : { amount: micros(changes.amount) }),
    ...(changes.allowance === undefined ? {} : { allowance: micros(changes.allowance) }),
  });
}

/** Asks again at every turn of the event loop until there is an answer. The test's own time limit ends it. */
export async function untilTrue<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function valueOf(coins: readonly CoinRow[], state: CoinRow["state"] = "free"): bigint {
  return coins.filter((coin) => coin.state === state).reduce((total, { amount }) => total + amount, 0n);
}
