/**
 * A provider in this process with a clock that a test turns, a merchant, and a reader's purse: the provider's side of
 * every payment without a socket. `assertAddsUp` is the test of tests: no coin lost, none made.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import * as v from "valibot";
import { assert } from "vitest";
import { createApp } from "../../server/app.ts";
import { auditProvider } from "../../server/audit.ts";
import { readConfig } from "../../server/config.ts";
import { createDeps, type Deps } from "../../server/deps.ts";
import { fromHex, sha256, toHex, utf8 } from "../../shared/bytes.ts";
import { paymentBinding, sealTo } from "../../shared/hpke.ts";
import { type SigningKey, signingKeyFromSeed, signJws, thumbprintOf } from "../../shared/jws.ts";
import { makeOffer, type OfferTerms } from "../../shared/offer.ts";
import type { BlindSignature, BlindSignatureJson, ProofJson } from "../../shared/protocol/cashu.ts";
import { type PaymentJson, type PaymentResult, SettleResponse } from "../../shared/protocol/x402.ts";
import { issueSeal } from "../../shared/seal.ts";
import { type BlankCoin, makeBlankCoins, openCoins, valueOf, withdrawCoins } from "./coins.ts";

export const MERCHANT = "the-lantern";
export const SITE = "https://lantern.example";
export const ARTICLE = `${SITE}/tides.html`;
export const REFUND_WINDOW_SECONDS = 60;
const START = Date.UTC(2026, 10, 23, 12, 0, 0, 250);
const ORIGIN = "http://127.0.0.1:4020";
const ACCOUNTS_ORIGIN = "http://localhost:4020";

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

/** What came with a payment that went through. */
export function paid(answer: Answer): v.InferOutput<typeof PaymentResult> {
  const response = v.parse(SettleResponse, answer.json);
  if (!response.success) throw new Error(`not paid: ${answer.text}`);
  return response.extensions.tuppence;
}

/** Why a payment was refused, or a request answered with a problem. */
export function refusal(answer: Answer): string {
  const refused = v.parse(Refusal, answer.json);
  return refused.errorReason ?? refused.invalidReason ?? refused.code ?? `not refused: ${answer.text}`;
}

const Refusal = v.object({
  errorReason: v.optional(v.string()),
  invalidReason: v.optional(v.string()),
  code: v.optional(v.string()),
});

/** What a wallet keeps of a payment. */
export interface MadePayment {
  readonly payment: PaymentJson;
  readonly holder: SigningKey;
  readonly preimage: string;
  readonly blanks: readonly BlankCoin[];
}

export type Shop = Awaited<ReturnType<typeof openShop>>;
type Offer = ReturnType<typeof makeOffer>;
type Accepted = Offer["accepts"][number];

export async function openShop(
  environment: Readonly<Record<string, string>> = {},
  logger = pino({ level: "silent" }),
) {
  const dataFolder = mkdtempSync(join(tmpdir(), "tuppence-shop-"));
  const clock = { now: START };
  const config = readConfig({
    TUPPENCE_DATA: dataFolder,
    TUPPENCE_MINT_THREADS: "0",
    // The test's own work is on the same event loop.
    TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
    TUPPENCE_FEE_PERCENT: "10",
    TUPPENCE_PAYOUT_MINIMUM: "0.10",
    TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS: "0",
    TUPPENCE_SETTLE_EVERY_SECONDS: "0",
    ...environment,
  });
  const deps: Deps = await createDeps(config, { now: () => clock.now, logger });
  const app: FastifyInstance = await createApp(deps);
  const sealKey = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  /** Every coin that somebody holds. */
  let purse: ProofJson[] = [];

  await registerMerchant(MERCHANT, [SITE], sealKey);

  async function registerMerchant(
    id: string,
    origins: string[],
    key: SigningKey,
    more: Partial<Parameters<Deps["merchants"]["put"]>[0]> = {},
  ) {
    const { merchant } = await deps.merchants.put({
      id,
      name: `Merchant ${id}`,
      origins,
      sealKeys: [key.publicJwk],
      refundWindowSeconds: REFUND_WINDOW_SECONDS,
      ...more,
    });
    return merchant;
  }

  async function call(
    host: string,
    method: "GET" | "POST",
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const payload =
      body === undefined
        ? {}
        : {
            payload: JSON.stringify(body),
            headers: { "content-type": "application/json", host, ...headers },
          };
    const answer = await app.inject({ method, url, headers: { host, ...headers }, ...payload });
    return {
      status: answer.statusCode,
      text: answer.body,
      json: isJson(answer.headers["content-type"]) ? JSON.parse(answer.body) : undefined,
    };
  }

  /** Takes coins of these amounts from the mint into the purse. */
  async function withdraw(...amounts: number[]): Promise<ProofJson[]> {
    const coins = await withdrawCoins(deps, amounts);
    purse.push(...coins);
    return coins;
  }

  function offer(terms: Partial<OfferTerms> = {}): Offer {
    return makeOffer({
      provider: ORIGIN,
      merchant: MERCHANT,
      amount: 50_000n,
      currency: "USD",
      kind: "article",
      title: "Tides",
      resource: ARTICLE,
      ...terms,
    });
  }

  async function seal(
    terms: Partial<Parameters<typeof issueSeal>[0]> = {},
    key = sealKey,
    contentKey = new Uint8Array(randomBytes(32)),
  ): Promise<string> {
    const all = {
      merchant: MERCHANT,
      resource: ARTICLE,
      amount: 50_000n,
      currency: "USD",
      issuedAtSeconds: Math.floor(clock.now / 1_000),
      ...terms,
    };
    return issueSeal(all, contentKey, deps.secrets.sealingPublicKey, key);
  }

  async function makePayment(proofs: readonly ProofJson[], blankOutputs = 0): Promise<MadePayment> {
    const holder = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
    const preimage = toHex(randomBytes(32));
    const blanks = makeBlankCoins(
      deps.mint.activeKeysetId(),
      Array.from({ length: blankOutputs }, () => 0),
    );
    const payment: PaymentJson = {
      paymentId: toHex(randomBytes(16)),
      proofs: [...proofs],
      holder: await thumbprintOf(holder.publicJwk),
      refundHash: toHex(await sha256(fromHex(preimage))),
      ...(blanks.length > 0 ? { outputs: blanks.map(({ output }) => output) } : {}),
    };
    return { payment, holder, preimage, blanks };
  }

  /** What the wallet posts for a static site. */
  function directBody(terms: Offer, payment: unknown, accepted: Accepted = acceptedOf(terms)) {
    return {
      x402Version: 2,
      paymentPayload: { x402Version: 2, resource: terms.resource, accepted, payload: payment },
      paymentRequirements: accepted,
    };
  }

  /** What a site's back end posts, having been given the payment sealed. */
  async function sealedBody(terms: Offer, payment: unknown, expiresAt = Math.floor(clock.now / 1_000) + 120) {
    const accepted = acceptedOf(terms);
    const binding = paymentBinding(accepted, terms.resource.url, expiresAt);
    const sealed = await sealTo(
      deps.secrets.sealingPublicKey,
      "tuppence payment v1",
      binding,
      utf8(JSON.stringify(payment)),
    );
    return directBody(terms, { ...sealed, expiresAt });
  }

  const settle = (body: unknown): Promise<Answer> => call("127.0.0.1:4020", "POST", "/x402/settle", body);

  /** The purse after a payment that went through: the coins are gone, the change is here. */
  function bookPayment(made: MadePayment, answer: Answer): void {
    const change = paid(answer).change ?? [];
    bookSpent(made.payment.proofs);
    purse.push(...openCoins(deps, made.blanks, change.map(signatureJson)));
  }

  function bookSpent(proofs: readonly ProofJson[]): void {
    const secrets = new Set(proofs.map(({ secret }) => secret));
    purse = purse.filter(({ secret }) => !secrets.has(secret));
  }

  /** Coins that fit an amount, one of each given, paid directly; what the provider answered. */
  async function pay(terms: Offer = offer(), coins: readonly number[] = [50_000], blankOutputs = 0) {
    const made = await makePayment(await withdraw(...coins), blankOutputs);
    const body = directBody(terms, made.payment);
    const answer = await settle(body);
    bookPayment(made, answer);
    return { ...made, body, answer };
  }

  async function refund(
    made: MadePayment,
    blanks = makeBlankCoins(deps.mint.activeKeysetId(), [50_000]),
    preimage = made.preimage,
    more: object = {},
  ): Promise<Answer> {
    return call("127.0.0.1:4020", "POST", `/payments/${made.payment.paymentId}/refund`, {
      preimage,
      outputs: blanks.map(({ output }) => output),
      ...more,
    });
  }

  /** What a merchant's program asks under `/api/merchants/<id>`. */
  function program(
    headers: Record<string, string>,
    method: "GET" | "POST",
    path: string,
    merchant = MERCHANT,
  ): Promise<Answer> {
    return call("localhost:4020", method, `/api/merchants/${merchant}${path}`, undefined, headers);
  }

  async function lookUp(
    made: MadePayment,
    options: { seal?: string; holder?: SigningKey; claims?: object } = {},
  ): Promise<Answer> {
    const claims = {
      aud: ORIGIN,
      jti: made.payment.paymentId,
      iat: Math.floor(clock.now / 1_000),
      ...options.claims,
    };
    const proof = await signJws("tuppence-holder+jwt", claims, options.holder ?? made.holder, "jwk");
    return call("127.0.0.1:4020", "POST", `/payments/${made.payment.paymentId}`, {
      proof,
      ...(options.seal === undefined ? {} : { seal: options.seal }),
    });
  }

  /** Invariants 1 and 2, and what settlements say: to the micro. */
  async function assertAddsUp(): Promise<void> {
    const { differences } = await auditProvider(deps);
    assert.deepEqual(differences, []);
    const floats = await deps.ledger.balances("float:");
    const float = [...floats.values()].reduce((total, balance) => total + balance, 0n);
    assert.equal(float, valueOf(purse), "the float is what the reader holds");
  }

  return {
    deps,
    app,
    clock,
    dataFolder,
    origin: ORIGIN,
    accountsOrigin: ACCOUNTS_ORIGIN,
    sealKey,
    registerMerchant,
    anonymous: (method: "GET" | "POST", url: string, body?: unknown) =>
      call("127.0.0.1:4020", method, url, body),
    operator: (method: "GET" | "POST", url: string, body?: unknown, token = deps.secrets.adminToken) =>
      call("localhost:4020", method, url, body, { authorization: `Bearer ${token}` }),
    withdraw,
    offer,
    seal,
    makePayment,
    directBody,
    sealedBody,
    settle,
    verify: (body: unknown): Promise<Answer> => call("127.0.0.1:4020", "POST", "/x402/verify", body),
    bookPayment,
    bookSpent,
    bookCoins: (coins: readonly ProofJson[]) => void purse.push(...coins),
    pay,
    refund,
    program,
    lookUp,
    purse: (): readonly ProofJson[] => purse,
    assertAddsUp,
    async close() {
      await app.close();
      await deps.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

function isJson(contentType: string | number | string[] | undefined): boolean {
  return typeof contentType === "string" && contentType.includes("json");
}

export function signatureJson({ amount, ...rest }: BlindSignature): BlindSignatureJson {
  return { ...rest, amount: Number(amount) };
}

export function acceptedOf(offer: Offer): Accepted {
  const [accepted] = offer.accepts;
  if (!accepted) throw new Error("an offer accepts something");
  return accepted;
}
