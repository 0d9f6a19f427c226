/**
 * A round: readers who live side by side at one provider, all with the same offers and the same habits, each with a
 * usual sum of money and at moments of their own. Whatever tells them apart afterwards, they did not do.
 */
import * as v from "valibot";
import { signGatewayEvent } from "../../server/gateways/index.ts";
import { fromUtf8 } from "../../shared/bytes.ts";
import { openSealed, paymentBinding } from "../../shared/hpke.ts";
import { type Micros, micros, ZERO } from "../../shared/money.ts";
import { makeOffer } from "../../shared/offer.ts";
import { PaymentRequirements, SealedPayment } from "../../shared/protocol/x402.ts";
import { type Random, seededRandom } from "../simulation/random.ts";
import { openBrowser, type Profile, type ReaderBrowser } from "./browser.ts";
import type { Exchange, ProviderRecord } from "./record.ts";
import { siteOf, type World } from "./world.ts";

export interface Round {
  readonly record: ProviderRecord;
  /** What the attacker does not get. */
  readonly truth: Truth;
}

export interface Truth {
  /** Ids of the readers' accounts. */
  readonly accounts: readonly string[];
  /** Whose payment it was: by its id, a place in `accounts`. */
  readonly payments: ReadonlyMap<string, number>;
}

export interface RoundOptions {
  readonly seed: number;
  readonly readers: number;
  /** They lose their computers at the end, and come back from their recovery phrases; so does the provider its backups. */
  readonly restores: "not at all" | "from the backup" | "from the phrase alone";
  /** How many of the purchases each makes; all, if not given. */
  readonly purchases?: number;
}

interface Purchase {
  readonly how: "direct" | "http" | "change" | "tip" | "refund";
  readonly merchant: string;
  readonly amount: bigint;
}

const PURCHASES: readonly Purchase[] = [
  { how: "direct", merchant: "the-lantern", amount: 50_000n },
  { how: "change", merchant: "the-harbour", amount: 70_000n },
  { how: "http", merchant: "the-harbour", amount: 100_000n },
  { how: "refund", merchant: "the-lantern", amount: 90_000n },
  { how: "direct", merchant: "the-lantern", amount: 20_000n },
  { how: "tip", merchant: "the-lantern", amount: 500_000n },
  { how: "http", merchant: "the-harbour", amount: 1_200_000n },
  { how: "direct", merchant: "the-harbour", amount: 1_250_000n },
];
/** Each reader's is another, so that sums tell them apart where any do. */
const TOP_UPS = [6, 7, 8, 9, 10, 12, 15, 20].map((units) => micros(units * 1_000_000));
const DAY_MS = 86_400_000;
/** Readers begin within the first day, and shop on the two days after it. */
const SHOPPING_MS = 2 * DAY_MS;
/** Until the last withdraw. */
const AFTERWARDS_MS = DAY_MS;
const RESTORE_MS = 600_000;
const REFUND_AFTER_MS = 1_200_000;
const LANGUAGES = [
  "de-DE,de;q=0.9",
  "fr-FR,fr;q=0.9",
  "ja-JP,ja;q=0.9",
  "pt-BR,pt;q=0.9",
  "es-ES,es;q=0.9",
  "ar-EG,ar;q=0.9",
  "sv-SE,sv;q=0.9",
  "it-IT,it;q=0.9",
];

export async function playRound(
  world: World,
  { seed, readers, restores, purchases = PURCHASES.length }: RoundOptions,
): Promise<Round> {
  const offers = PURCHASES.slice(0, purchases).map((purchase, index) => offerOf(world, purchase, index));
  const shoppers = Array.from({ length: readers }, (_, index) => {
    const random = seededRandom(seed, `reader ${index}`);
    const browser = openBrowser(world, random, profileOf(seed, index));
    return { random, browser };
  });
  const money = shuffled(TOP_UPS, seededRandom(seed, "money"));
  for (const [index, { random, browser }] of shoppers.entries())
    live(world, { random, browser, offers, money: money[index] ?? ZERO });
  await world.run(DAY_MS + SHOPPING_MS + AFTERWARDS_MS);

  const truth = await truthOf(shoppers.map(({ browser }) => browser));
  const phrases = await Promise.all(shoppers.map(({ browser }) => browser.phrase()));
  for (const { browser } of shoppers) browser.end();
  if (restores === "from the phrase alone") await world.loseBackups();
  if (restores !== "not at all") await comeBack(world, seed, phrases);
  const record = world.record(
    offers.map((offer) => JSON.stringify(offer)),
    new Map(),
  );
  return { record: { ...record, opened: await openAll(world, record.exchanges) }, truth };
}

/** All at the same time: when somebody comes back is what remains to be seen. */
async function comeBack(world: World, seed: number, phrases: readonly string[]): Promise<void> {
  for (const [index, phrase] of phrases.entries()) {
    const restored = openBrowser(world, seededRandom(seed, `restores ${index}`), profileOf(seed, index));
    world.after(0, () => restored.wallet().create({ kind: "ui", type: "createWallet", phrase }));
    world.after(RESTORE_MS, () => restored.end());
  }
  await world.run(RESTORE_MS);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const drawn = items.map((item) => ({ item, at: random.fraction() }));
  return drawn.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

function profileOf(seed: number, index: number): Profile {
  return {
    languages: LANGUAGES[index % LANGUAGES.length] ?? "",
    cookie: `visitor=${Buffer.from(seededRandom(seed, `cookie ${index}`).bytes(16)).toString("hex")}`,
  };
}

interface Shopper {
  readonly random: Random;
  readonly browser: ReaderBrowser;
  readonly offers: readonly Offer[];
  readonly money: Micros;
}

function live(world: World, { random, browser, offers, money }: Shopper): void {
  const begins = random.below(DAY_MS);
  world.after(begins, async () => {
    await browser.wallet().create({ kind: "ui", type: "createWallet" });
  });
  world.after(begins + 30_000, () => topUp(world, browser, money));
  for (const [index, purchase] of PURCHASES.entries()) {
    const offer = offers[index];
    if (!offer) continue;
    world.after(DAY_MS + 120_000 + random.below(SHOPPING_MS), () => buy(world, browser, purchase, offer));
  }
}

async function topUp(world: World, browser: ReaderBrowser, amount: Micros): Promise<void> {
  const { topUpId } = await browser.wallet().topUp({ kind: "ui", type: "topUp", amount });
  const event = signGatewayEvent(
    world.provider.deps.secrets.gatewaySecret,
    { type: "approved", topUpId, amount },
    Math.floor(world.nowMs() / 1_000),
  );
  await world.busy(
    fetch(`${world.tap.accountsOrigin}/gateways/sandbox/events`, { method: "POST", ...event }),
  );
  world.after(5_000, () => browser.wallet().refreshTopUps());
}

async function buy(
  world: World,
  browser: ReaderBrowser,
  { how, amount }: Purchase,
  offer: Offer,
): Promise<void> {
  if (how === "tip") await browser.tip(offer, amount);
  else if (how === "change") await browser.withOneCoin(() => browser.pay(offer, "direct"));
  else if (how === "http") {
    const { paymentSignature } = await browser.pay(offer, "http");
    if (paymentSignature === undefined) throw new Error("no payment for the site to carry");
    await settleAsSite(world, paymentSignature);
  } else {
    const { paymentId } = await browser.pay(offer, "direct");
    if (how === "refund")
      world.after(REFUND_AFTER_MS, () => browser.wallet().refund({ kind: "ui", type: "refund", paymentId }));
  }
}

type Offer = ReturnType<typeof makeOffer>;

function offerOf(world: World, { how, merchant, amount }: Purchase, index: number): Offer {
  return makeOffer({
    provider: world.tap.origin,
    merchant,
    amount,
    currency: "USD",
    kind: how === "tip" ? "tip" : "article",
    title: `Offer ${index}`,
    resource: `${siteOf(merchant)}/offers/${index}`,
  });
}

async function settleAsSite(world: World, paymentSignature: string): Promise<void> {
  const paymentPayload: unknown = JSON.parse(Buffer.from(paymentSignature, "base64").toString("utf8"));
  const { accepted } = v.parse(v.looseObject({ accepted: v.unknown() }), paymentPayload);
  await world.busy(
    fetch(`${world.tap.origin}/x402/settle`, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "a site" },
      body: JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements: accepted }),
    }).then((answer) => answer.text()),
  );
}

async function truthOf(browsers: readonly ReaderBrowser[]): Promise<Truth> {
  const accounts = await Promise.all(browsers.map((browser) => browser.accountId()));
  const payments = new Map<string, number>();
  for (const [reader, browser] of browsers.entries())
    for (const { id } of await browser.payments()) payments.set(id, reader);
  return { accounts, payments };
}

const SealedRequest = v.looseObject({
  paymentPayload: v.looseObject({
    accepted: PaymentRequirements,
    resource: v.looseObject({ url: v.string() }),
    payload: SealedPayment,
  }),
  paymentRequirements: v.unknown(),
});

/** The provider reads what is sealed to it. */
async function openAll(world: World, exchanges: readonly Exchange[]): Promise<ReadonlyMap<string, string>> {
  const opened = new Map<string, string>();
  for (const { path, body } of exchanges) {
    if (path !== "/x402/settle") continue;
    const json: unknown = JSON.parse(body);
    const request = v.safeParse(SealedRequest, json);
    if (!request.success) continue;
    const { resource, payload } = request.output.paymentPayload;
    const { accepted } = v.parse(
      v.looseObject({ paymentPayload: v.looseObject({ accepted: v.any() }) }),
      json,
    ).paymentPayload;
    const content = await openSealed(
      world.provider.deps.secrets.sealingKey,
      "tuppence payment v1",
      paymentBinding(accepted, resource.url, payload.expiresAt),
      payload,
    );
    if (content) opened.set(body, fromUtf8(content));
  }
  return opened;
}
