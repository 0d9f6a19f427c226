/** For tests of the wallet without a provider's process: a port that answers from memory, and a wallet over it. */
import * as v from "valibot";
import { toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { type SigningKey, signingKeyFromSeed, signJws, thumbprintOf } from "../../shared/jws.ts";
import { type Micros, micros } from "../../shared/money.ts";
import { makeOffer, type OfferTerms } from "../../shared/offer.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import { FacilitatorRequest, type SettleResponse } from "../../shared/protocol/x402.ts";
import { issueReceipt } from "../../shared/receipt.ts";
import {
  createMemoryStore,
  createWallet,
  type PageSender,
  type ProviderPort,
  type Wallet,
  type WalletStore,
} from "./index.ts";

const PROVIDER = "https://pay.example";
export const SITE = "https://lantern.example";
const MERCHANT = "the-lantern";
const KEYSET = `01${"ab".repeat(32)}`;
const START_MS = 1_790_000_000_000;

export interface TestProvider {
  readonly port: ProviderPort;
  readonly info: ProviderInfo;
  readonly key: SigningKey;
  /** The bodies that reached it, in order. */
  readonly settled: string[];
  /** Replaces what `settle` answers. */
  settleWith(answer: (body: string, usual: () => Promise<SettleResponse>) => Promise<SettleResponse>): void;
  readonly merchantRecord: (changes?: object, key?: SigningKey) => Promise<string>;
}

async function makeTestProvider(nowMs: () => number): Promise<TestProvider> {
  const key = await signingKeyFromSeed(new Uint8Array(32).fill(1));
  const kid = await thumbprintOf(key.publicJwk);
  const info: ProviderInfo = {
    name: "Example Payments",
    origin: PROVIDER,
    accountsOrigin: "https://accounts.pay.example",
    currency: "USD",
    unit: "usd6",
    network: "tuppence:usd",
    sandbox: true,
    mode: "live",
    sealingKey: { kty: "OKP", crv: "X25519", x: "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo" },
    topUps: { gateways: ["sandbox"], least: micros(1_000_000), most: micros(50_000_000) },
    largestPayment: micros(20_000_000),
  };
  const settled: string[] = [];
  const answers = new Map<string, SettleResponse>();
  const settle = async (body: string): Promise<SettleResponse> => {
    const { paymentPayload } = v.parse(FacilitatorRequest, JSON.parse(body));
    const { accepted, payload, resource } = paymentPayload;
    if (!("paymentId" in payload)) throw new TuppenceError("payment_sealed_invalid");
    const { paymentId, holder } = payload;
    const receipt = await issueReceipt(
      {
        iss: PROVIDER,
        aud: accepted.payTo,
        jti: paymentId,
        sub: holder,
        cnf: { jkt: holder },
        amount: accepted.amount,
        currency: "USD",
        resource: resource.url,
        kind: accepted.extra.kind,
        iat: Math.floor(nowMs() / 1_000),
      },
      key,
    );
    const answer: SettleResponse = {
      success: true,
      transaction: paymentId,
      network: info.network,
      payer: holder,
      extensions: { tuppence: { receipt } },
    };
    answers.set(paymentId, answer);
    return answer;
  };
  const merchantRecord = (changes: object = {}, signer: SigningKey = key) => {
    const iat = Math.floor(nowMs() / 1_000);
    const claims = {
      iss: PROVIDER,
      sub: MERCHANT,
      name: "The Lantern",
      origins: [SITE],
      frameParents: [],
      refundWindowSeconds: 3_600,
      iat,
      exp: iat + 3_600,
    };
    return signJws("tuppence-merchant+jwt", { ...claims, ...changes }, signer, "kid");
  };
  let settleNow: (body: string, usual: () => Promise<SettleResponse>) => Promise<SettleResponse> = (
    _,
    usual,
  ) => usual();
  const account = async () => ({
    id: "a".repeat(43),
    currency: "USD",
    balance: "0",
    frozen: false,
    withdrawable: micros(0),
  });
  const unasked = (): Promise<never> => Promise.reject(new TuppenceError("provider_unreachable"));
  const port: ProviderPort = {
    info: async () => info,
    jwks: async () => ({ keys: [{ ...key.publicJwk, kid }] }),
    keysetLog: unasked,
    keysets: unasked,
    keys: unasked,
    settle: (body) => {
      settled.push(body);
      return settleNow(body, () => settle(body));
    },
    lookup: async (paymentId) =>
      answers.get(paymentId) ?? Promise.reject(new TuppenceError("payment_unknown")),
    refund: unasked,
    swap: unasked,
    checkSpent: async (ys) => new Map(ys.map((y) => [y, false])),
    restore: async () => new Map(),
    revoked: async () => [],
    merchant: async (id) =>
      id === MERCHANT ? merchantRecord() : Promise.reject(new TuppenceError("merchant_unknown")),
    register: account,
    account,
    createTopUp: unasked,
    topUp: unasked,
    backupParts: unasked,
    backupPart: unasked,
    writeBackupPart: unasked,
    mintQuote: unasked,
    meltQuote: async (_, { amount }) => ({ quote: "a".repeat(32), amount }),
    melt: async () => undefined,
    closeAccount: async () => ({ returned: micros(0) }),
    mint: unasked,
    restoreWithdrawn: async () => new Map(),
  };
  return {
    port,
    info,
    key,
    settled,
    merchantRecord,
    settleWith: (answer) => {
      settleNow = answer;
    },
  };
}

export interface TestWallet {
  readonly wallet: Wallet;
  readonly store: WalletStore;
  readonly provider: TestProvider;
  readonly prompts: { readonly approvalId: string; readonly tabId: number }[];
  readonly faults: unknown[];
  readonly clock: { nowMs: number };
  /** What the wallet waits for, in order. It goes on when the test says so. */
  readonly pauses: { readonly milliseconds: number; readonly end: () => void }[];
  /** When the program was asked to wake the wallet. */
  readonly wakes: number[];
  /** Another process on the same store. */
  restarted(): Wallet;
  ask(offer?: object, changes?: Partial<PageSender> & { id?: string }): ReturnType<Wallet["page"]>;
  decide(
    approve: boolean,
    changes?: { amount?: Micros; allowance?: Micros; beyondMonth?: boolean },
  ): Promise<void>;
}

/** With coins of these amounts in the drawer, and with a provider that differs in `changes`. */
export async function makeTestWallet(
  coins: readonly number[] = [50_000, 20_000, 20_000, 10_000],
  changes: Partial<ProviderPort> = {},
): Promise<TestWallet> {
  const clock = { nowMs: START_MS };
  const provider = await makeTestProvider(() => clock.nowMs);
  const store = createMemoryStore();
  const prompts: { readonly approvalId: string; readonly tabId: number }[] = [];
  const faults: unknown[] = [];
  const pauses: { readonly milliseconds: number; readonly end: () => void }[] = [];
  const wakes: number[] = [];
  let randomByte = 0;
  const start = () =>
    createWallet({
      store,
      clock: { nowMs: () => clock.nowMs },
      random: { bytes: (count) => Uint8Array.from({ length: count }, () => ++randomByte % 256) },
      connect: () => ({ ...provider.port, ...changes }),
      prompt: {
        open: async (approvalId, tabId) => {
          prompts.push({ approvalId, tabId });
        },
      },
      scheduler: {
        // Nothing but letting others go on; what waits for longer waits for the test.
        delay: (milliseconds) =>
          milliseconds === 0
            ? Promise.resolve()
            : new Promise((end) => void pauses.push({ milliseconds, end })),
        wakeAt: (timeMs) => void wakes.push(timeMs),
      },
      defaultProviderOrigin: PROVIDER,
      onFault: (error) => faults.push(error),
    });
  const wallet = start();
  await wallet.create({ kind: "ui", type: "createWallet" });
  await wallet.resume();
  await store.transaction((tables) =>
    tables.coins.putAll(
      coins.map((amount, index) => ({
        secret: toHex(Uint8Array.of(index)),
        C: `02${"11".repeat(32)}`,
        keysetId: KEYSET,
        amount: micros(amount),
        state: "free",
        holder: undefined,
      })),
    ),
  );
  let requests = 0;
  return {
    wallet,
    store,
    provider,
    prompts,
    faults,
    clock,
    pauses,
    wakes,
    restarted: start,
    ask: (offer = offerOf(), { id = `request-${++requests}`, ...sender } = {}) =>
      wallet.page(
        { v: 1, id, type: "pay", payload: { offer: { ...offer }, mode: "direct" } },
        senderAt(sender),
      ),
    decide: async (approve, changes = {}) => {
      const approvalId = prompts.at(-1)?.approvalId ?? "";
      await wallet.decide({ kind: "ui", type: "decide", approvalId, approve, ...changes });
    },
  };
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

export function offerOf(changes: Partial<OfferTerms> = {}) {
  const terms = {
    provider: PROVIDER,
    merchant: MERCHANT,
    amount: 50_000n,
    currency: "USD",
    kind: "article" as const,
    title: "Tide mills",
  };
  return makeOffer({ ...terms, resource: `${SITE}/article`, ...changes });
}
