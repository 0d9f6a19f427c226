/**
 * A provider's data with so many coins in readers' hands, made without readers: the mint's own keys sign points that
 * nobody blinded. The books are as they would be, so that the audit after a run means something.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../server/config.ts";
import { createDeps, type Deps } from "../server/deps.ts";
import { floatAccount, GATEWAY_CLEARING, readerAccount } from "../server/ledger/accounts.ts";
import { deriveId } from "../server/ledger/ids.ts";
import { hashToCurve, signBlinded } from "../server/mint/curve.ts";
import { sha256, toHex, utf8 } from "../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../shared/jws.ts";
import { type Micros, micros } from "../shared/money.ts";
import { makeOffer } from "../shared/offer.ts";
import type { BlindedMessageJson, ProofJson } from "../shared/protocol/cashu.ts";
import { issueSeal } from "../shared/seal.ts";
import { freePort } from "../test/support/free-port.ts";

export const MERCHANT = "the-lantern";
const SITE = "https://lantern.example";
/** 5¢. */
export const PRICE = micros(50_000);
const COINS_PER_WITHDRAW = 500;

export interface PreparedProvider {
  /** Known before the provider runs, because offers name it. */
  readonly origin: string;
  readonly accountsOrigin: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly deps: Deps;
  /** Genuine coins of `PRICE`, each withdrawn as the ledger sees it. */
  coins(count: number): Promise<ProofJson[]>;
  remove(): Promise<void>;
}

/** @param fill what it returns puts something into the tables while nobody has them open */
export async function prepareProvider(
  fill?: (empty: Deps) => Promise<() => Promise<void>>,
): Promise<PreparedProvider> {
  const dataFolder = mkdtempSync(join(tmpdir(), "tuppence-bench-"));
  const environment = {
    TUPPENCE_DATA: dataFolder,
    TUPPENCE_PORT: `${await freePort()}`,
    TUPPENCE_SETTLE_EVERY_SECONDS: "0",
    // All of the load comes from one address.
    TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
    // Neither this nor what is measured beside it writes a line for each answer.
    TUPPENCE_LOG_LEVEL: "warn",
  };
  const config = readConfig(environment);
  const open = () => createDeps(config, { logger: pino({ level: "silent" }) });
  let deps = await open();
  if (fill) {
    const write = await fill(deps);
    await deps.close();
    await write();
    deps = await open();
  }
  return {
    origin: config.origin,
    accountsOrigin: config.accountsOrigin,
    environment,
    deps,
    async coins(count) {
      const made: ProofJson[] = [];
      while (made.length < count)
        made.push(...(await withdraw(deps, Math.min(COINS_PER_WITHDRAW, count - made.length))));
      return made;
    },
    async remove() {
      await deps.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

async function withdraw(deps: Deps, count: number): Promise<ProofJson[]> {
  const reader = toHex(randomBytes(16));
  const keysetId = deps.mint.activeKeysetId();
  const privateKey = deps.mint
    .keysets()
    .find(({ id }) => id === keysetId)
    ?.privateKeys.get(PRICE);
  if (!privateKey) throw new Error("the mint signs no coins of this amount");
  const secrets = Array.from({ length: count }, () => toHex(randomBytes(32)));
  const points = secrets.map((secret) => toHex(hashToCurve(utf8(secret))));
  const { total, records } = deps.mint.prepareOutputs(
    points.map((B_) => ({ amount: PRICE, id: keysetId, B_ })),
    reader,
  );
  const move = (code: "top_up" | "withdraw", debit: string, credit: string) => ({
    id: deriveId(`bench ${code}`, reader),
    debit,
    credit,
    amount: total,
    code,
    reference: reader,
  });
  const outcome = await deps.ledger.apply({
    id: deriveId("bench", reader),
    fingerprint: reader,
    transfers: [
      move("top_up", GATEWAY_CLEARING, readerAccount(reader)),
      move("withdraw", readerAccount(reader), floatAccount(keysetId)),
    ],
    records,
  });
  if (outcome.status !== "committed") throw new Error(`the withdraw was ${outcome.status}`);
  return secrets.map((secret, index) => ({
    amount: Number(PRICE),
    id: keysetId,
    secret,
    C: signBlinded(privateKey, points[index] ?? ""),
  }));
}

/** Bodies of `POST /x402/settle`: one coin each, all for one sealed article, as a popular one is bought. */
export async function paymentBodies(
  { origin, deps, coins }: PreparedProvider,
  count: number,
  refundWindowSeconds = 0,
): Promise<string[]> {
  const sealKey = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  await deps.merchants.put({
    id: MERCHANT,
    name: "The Lantern",
    origins: [SITE],
    sealKeys: [sealKey.publicJwk],
    refundWindowSeconds,
  });
  const resource = `${SITE}/tides.html`;
  const seal = await issueSeal(
    { merchant: MERCHANT, resource, amount: PRICE, currency: "USD", issuedAtSeconds: nowSeconds() },
    new Uint8Array(randomBytes(32)),
    deps.secrets.sealingPublicKey,
    sealKey,
  );
  const offer = makeOffer({
    provider: origin,
    merchant: MERCHANT,
    amount: PRICE,
    currency: "USD",
    kind: "article",
    title: "Tides",
    resource,
    seal,
  });
  const [accepted] = offer.accepts;
  const holder = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const common = { holder: await thumbprintOf(holder.publicJwk), refundHash: toHex(await sha256("refund")) };
  return (await coins(count)).map((proof) =>
    JSON.stringify({
      x402Version: 2,
      paymentPayload: {
        x402Version: 2,
        resource: { url: resource },
        accepted,
        payload: { paymentId: toHex(randomBytes(16)), proofs: [proof], ...common },
      },
      paymentRequirements: accepted,
    }),
  );
}

/** Bodies of `POST /v1/swap`: so many coins each against as many fresh ones. */
export async function swapBodies(
  { deps, coins }: PreparedProvider,
  count: number,
  coinsEach: number,
): Promise<string[]> {
  const proofs = await coins(count * coinsEach);
  const id = deps.mint.activeKeysetId();
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      inputs: proofs.slice(index * coinsEach, (index + 1) * coinsEach),
      outputs: blanks(coinsEach, PRICE, id),
    }),
  );
}

/** Outputs that nobody will unblind. */
export function blanks(count: number, amount: Micros, id: string): BlindedMessageJson[] {
  return Array.from({ length: count }, () => ({
    amount: Number(amount),
    id,
    B_: toHex(hashToCurve(new Uint8Array(randomBytes(32)))),
  }));
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
