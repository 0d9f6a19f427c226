/**
 * A merchant's site: articles, some sealed, a tip jar, and a back end that answers HTTP 402. The back end is honest, or one
 * of several kinds of dishonest; whatever it is, it has no more than a sealed payment in its hands.
 */
import type { MerchantRegistration } from "../../server/merchants/merchant.ts";
import { toBase64url } from "../../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { makeOffer } from "../../shared/offer.ts";
import type { X25519PublicJwk } from "../../shared/protocol/provider.ts";
import { issueSeal } from "../../shared/seal.ts";
import type { Host, Network, SimulatedAnswer, SimulatedRequest } from "./network.ts";
import { ORIGIN } from "./provider.ts";
import { type Random, seededRandom } from "./random.ts";
import type { Process, World } from "./world.ts";

const PRICES = [1_000n, 3_000n, 7_000n, 13_000n, 20_000n, 50_000n];
const ARTICLES = 4;
export const SIGNATURE_HEADER = "payment-signature";
/** Longer than any payment of a run is good for. */
const LONG_AFTER_MS = 200_000;

/** `keeps` never settles; `late` settles after the payment's time; `silent` settles and does not say so. */
const DISHONESTIES = ["keeps", "late", "twice", "silent", "dearer", "for another"] as const;

export interface Article {
  readonly resource: string;
  readonly price: bigint;
  readonly seal: string | undefined;
  readonly contentKey: string | undefined;
}

export interface Shop {
  readonly id: string;
  readonly origin: string;
  readonly registration: MerchantRegistration;
  readonly articles: readonly Article[];
  /** What a page offers: for an article, or for a tip. */
  offer(article: Article, random: Random): object;
  tipOffer(amount: bigint): object;
  readonly host: () => Host;
}

export interface ShopWatch {
  /** The site has this payment in its hands and does nothing with it. */
  keeps(signature: string): void;
  settledSilently(signature: string): void;
}

export async function openShop(
  world: World,
  network: Network,
  index: number,
  sealingKey: X25519PublicJwk,
  watch: ShopWatch,
): Promise<Shop> {
  const id = `shop-${index}`;
  const origin = `https://${id}.example`;
  const random = seededRandom(world.seed, id);
  const sealKey = await signingKeyFromSeed(random.bytes(32));
  const isSealed = random.chance(0.5);
  const articles: Article[] = [];
  for (let number = 0; number < ARTICLES; number++)
    articles.push(
      await writeArticle(world, random, id, `${origin}/${number}`, sealingKey, sealKey, isSealed),
    );
  const process = world.startProcess(id, () => 0);
  // Swarm: each dishonest site has its own way.
  const habit = random.pick(DISHONESTIES);
  const offer = (article: Article, chance: Random) =>
    makeOffer({
      provider: ORIGIN,
      merchant: id,
      amount: article.price,
      currency: "USD",
      kind: "article",
      title: article.resource,
      resource: article.resource,
      maxTimeoutSeconds: chance.pick([10, 60, 120]),
      ...(article.seal === undefined ? {} : { seal: article.seal }),
    });
  return {
    id,
    origin,
    registration: {
      id,
      name: id,
      origins: [origin],
      refundWindowSeconds: random.pick([0, 60, 3_600, 86_400]),
      sealKeys: [sealKey.publicJwk],
    },
    articles,
    offer,
    tipOffer: (amount) =>
      makeOffer({
        provider: ORIGIN,
        merchant: id,
        amount,
        currency: "USD",
        kind: "tip",
        title: "Thanks",
        resource: `${origin}/`,
      }),
    host: () => ({
      process,
      handle: (request) => {
        const dishonesty = random.chance(0.5) ? habit : random.pick(DISHONESTIES);
        const honesty = random.chance(0.5) ? "honest" : dishonesty;
        return answer402(world, network, process, { random, honesty, request, watch });
      },
    }),
  };
}

async function writeArticle(
  world: World,
  random: Random,
  merchant: string,
  resource: string,
  sealingKey: X25519PublicJwk,
  sealKey: SigningKey,
  isSealed: boolean,
): Promise<Article> {
  const price = random.pick(PRICES);
  if (!isSealed) return { resource, price, seal: undefined, contentKey: undefined };
  const contentKey = random.bytes(32);
  const issuedAtSeconds = Math.floor(world.nowMs() / 1_000);
  const terms = { merchant, resource, amount: micros(price), currency: "USD", issuedAtSeconds };
  const seal = await issueSeal(terms, contentKey, sealingKey, sealKey);
  return { resource, price, seal, contentKey: toBase64url(contentKey) };
}

interface Visit {
  readonly random: Random;
  readonly honesty: "honest" | (typeof DISHONESTIES)[number];
  readonly request: SimulatedRequest;
  readonly watch: ShopWatch;
}

/** The page's request with the payment in its header. */
async function answer402(
  world: World,
  network: Network,
  process: Process,
  { random, honesty, request, watch }: Visit,
): Promise<SimulatedAnswer> {
  const signature = request.headers[SIGNATURE_HEADER] ?? "";
  const payload: SealedPayload = JSON.parse(Buffer.from(signature, "base64").toString());
  const settle = (): Promise<boolean> => settleOnce(network, process, payload, payload.accepted);
  switch (honesty) {
    case "honest":
      for (let tries = 0; tries < 3; tries++) {
        const isPaid = await settle().catch(() => undefined);
        if (isPaid !== undefined) return page(isPaid ? 200 : 402);
      }
      return page(502);
    case "keeps":
      watch.keeps(signature);
      return page(402);
    case "late":
      watch.keeps(signature);
      world.after(random.below(LONG_AFTER_MS), `${process.name} settles late`, () => {
        settle().catch(() => undefined);
      });
      return page(402);
    case "twice":
      await Promise.allSettled([settle(), settle()]);
      return page(200);
    case "silent":
      await settle().then(
        (isPaid) => isPaid && watch.settledSilently(signature),
        () => undefined,
      );
      return page(500);
    case "dearer": {
      const dearer = { ...payload.accepted, amount: `${BigInt(payload.accepted.amount) * 2n}` };
      await settleOnce(network, process, { ...payload, accepted: dearer }, dearer).catch(() => undefined);
      return page(402);
    }
    case "for another": {
      const other = { ...payload.accepted, payTo: payload.accepted.payTo === "shop-0" ? "shop-1" : "shop-0" };
      await settleOnce(network, process, { ...payload, accepted: other }, other).catch(() => undefined);
      return page(402);
    }
  }
}

interface SealedPayload {
  readonly accepted: { readonly amount: string; readonly payTo: string };
}

async function settleOnce(
  network: Network,
  process: Process,
  paymentPayload: SealedPayload,
  paymentRequirements: object,
): Promise<boolean> {
  const { status, text } = await network.send(process, {
    method: "POST",
    url: `${ORIGIN}/x402/settle`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements }),
  });
  if (status !== 200) throw new Error("no answer that means anything");
  const answer: { readonly success?: boolean } = JSON.parse(text);
  return answer.success === true;
}

function page(status: number): SimulatedAnswer {
  return { status, text: "", isCut: false };
}
