/** What a reader does with a browser: a few things, at random times, some of them at once. */
import { micros } from "../../shared/money.ts";
import type { PageSender } from "../../wallet/core/index.ts";
import type { Browser } from "./browser.ts";
import type { Gateway } from "./gateway.ts";
import type { Network } from "./network.ts";
import { type Random, seededRandom } from "./random.ts";
import { type Article, type Shop, SIGNATURE_HEADER } from "./shop.ts";
import type { World } from "./world.ts";

const TABS = 4;
const TOP_UPS = [20_000n, 60_000n, 200_000n, 400_000n];
const ALLOWANCES = [10_000n, 30_000n, 100_000n];
const MONTHLY_LIMITS = [20_000n, 50_000n, 150_000n];
const MAX_DECISIONS = 5;
const CALL_TIMEOUT_MS = 15_000;

export interface ReaderWatch {
  /** A page got what it paid for, and shows it. */
  opens(
    browser: Browser,
    shop: Shop,
    article: Article,
    result: { receipt?: string | undefined; contentKey?: string | undefined },
  ): void;
  doesNotOpen(browser: Browser, paymentId: string): void;
  /** Another click for something that was clicked already. */
  clicksAgain(browser: Browser, resource: string): void;
}

export interface ReaderParts {
  readonly world: World;
  readonly network: Network;
  readonly browser: Browser;
  readonly shops: readonly Shop[];
  readonly gateway: Gateway;
  readonly horizonMs: number;
  readonly watch: ReaderWatch;
}

export interface Reader {
  /** The wallet's own window asks. */
  isAsked(approvalId: string): void;
  clicksAgain(): void;
}

type Action =
  | "top up"
  | "buy"
  | "buy over 402"
  | "tip"
  | "come back"
  | "refund"
  | "click twice"
  | "two tabs"
  | "look"
  | "close a tab"
  | "end an allowance";

const ACTIONS: readonly [Action, number][] = [
  ["top up", 3],
  ["buy", 8],
  ["buy over 402", 4],
  ["tip", 1],
  ["come back", 2],
  ["refund", 3],
  ["click twice", 2],
  ["two tabs", 2],
  ["look", 2],
  ["close a tab", 1],
  ["end an allowance", 0.5],
];

export function playReader(parts: ReaderParts): Reader {
  const { world, browser, horizonMs } = parts;
  const random = seededRandom(world.seed, `${browser.name} plays`);
  const races = seededRandom(world.seed, `${browser.name} races`);
  const state: State = {
    ...parts,
    random,
    races,
    requests: 0,
    clicks: [],
    fromAllowance: random.chance(0.7),
  };
  // Swarm: each seed's readers love some things and never do others.
  const weighted = ACTIONS.map(
    ([action, weight]) => [action, random.chance(0.2) ? 0 : weight * random.fraction()] as const,
  );

  world.after(random.below(1_000), `${browser.name} begins`, async () => {
    browser.start();
    for (let tries = 0; tries < MAX_DECISIONS; tries++) {
      const outcome = await browser.act("creates a wallet", (wallet) =>
        wallet.create({ kind: "ui", type: "createWallet" }),
      );
      if ("ok" in outcome || ("error" in outcome && outcome.error === "wallet_exists")) break;
    }
    await topUp(state);
  });
  setLimits(parts);
  const count = 4 + random.below(10);
  for (let index = 0; index < count; index++) {
    const action = choose(random, weighted);
    // Half of it soon, so that things happen at once and not only one after the other.
    const at = 2_000 + random.below(random.chance(0.5) ? 120_000 : horizonMs);
    world.after(at, `${browser.name}: ${action}`, () => perform(state, action));
  }
  return {
    isAsked: (approvalId) => decideLater(state, approvalId, 0),
    clicksAgain: () => void clickAgain(state),
  };
}

/** Some readers set limits, some pause for a while. With chance of its own, so that the other readers play as before. */
function setLimits({ world, browser, horizonMs, shops }: ReaderParts): void {
  const random = seededRandom(world.seed, `${browser.name} sets limits`);
  if (random.chance(0.3))
    world.after(1_500, `${browser.name} sets a monthly limit`, async () => {
      const limit = micros(random.pick(MONTHLY_LIMITS));
      await browser.act("sets a monthly limit", (wallet) =>
        wallet.setMonthlyLimit({ kind: "ui", type: "setMonthlyLimit", limit }),
      );
    });
  if (random.chance(0.3))
    world.after(2_000 + random.below(120_000), `${browser.name} sets a site's limits`, async () => {
      const { origin } = random.pick(shops);
      const [perPayment, perDay] = [micros(random.pick(ALLOWANCES)), micros(random.pick(ALLOWANCES))];
      await browser.act("sets a site's limits", (wallet) =>
        wallet.setAllowance({ kind: "ui", type: "setAllowance", origin, perPayment, perDay, perMonth: null }),
      );
    });
  if (!random.chance(0.2)) return;
  const setPaused = (paused: boolean) => () =>
    browser.act("pauses", (wallet) => wallet.setPaused({ kind: "ui", type: "setPaused", paused }));
  const pausedAt = 2_000 + random.below(horizonMs);
  world.after(pausedAt, `${browser.name} pauses`, async () => void (await setPaused(true)()));
  world.after(
    pausedAt + random.below(120_000),
    `${browser.name} goes on`,
    async () => void (await setPaused(false)()),
  );
}

interface State extends ReaderParts {
  readonly random: Random;
  readonly races: Random;
  readonly fromAllowance: boolean;
  requests: number;
  /** What was clicked so far. */
  readonly clicks: {
    readonly shop: Shop;
    readonly article: Article;
    readonly id: string;
    readonly sender: PageSender;
    readonly mode: "direct" | "http";
  }[];
}

function choose(random: Random, weighted: readonly (readonly [Action, number])[]): Action {
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random.fraction() * total;
  for (const [action, weight] of weighted) {
    left -= weight;
    if (left < 0) return action;
  }
  return "buy";
}

async function perform(state: State, action: Action): Promise<void> {
  const { random, browser, shops } = state;
  switch (action) {
    case "top up":
      return topUp(state);
    case "buy":
      return buy(state, "direct");
    case "buy over 402":
      return buy(state, "http");
    case "tip":
      return tip(state);
    case "come back":
      return comeBack(state);
    case "refund":
      return refund(state);
    case "click twice":
      return clickAgain(state);
    case "two tabs": {
      await Promise.all([buy(state, "direct", 0), buy(state, random.pick(["direct", "http"]), 1)]);
      return;
    }
    case "look":
      await browser.act("looks", (wallet) => wallet.snapshot());
      await browser.act("looks after top-ups", (wallet) => wallet.refreshTopUps());
      return;
    case "close a tab":
      return browser.closeTab(random.below(TABS));
    case "end an allowance": {
      const { origin } = random.pick(shops);
      await browser.act("ends an allowance", (wallet) =>
        wallet.removeAllowance({ kind: "ui", type: "removeAllowance", origin }),
      );
      return;
    }
  }
}

async function topUp({ random, browser, gateway, world }: State): Promise<void> {
  const amount = random.pick(TOP_UPS);
  const outcome = await browser.act("tops up", (wallet) =>
    wallet.topUp({ kind: "ui", type: "topUp", amount: micros(amount) }),
  );
  if (!("ok" in outcome)) return;
  gateway.checkout(outcome.ok.topUpId, amount);
  // The extension watches an open checkout.
  for (const afterMs of [10_000, 40_000, 120_000])
    world.after(afterMs, `${browser.name} watches its checkout`, async () => {
      if (browser.isRunning()) await browser.act("looks after top-ups", (wallet) => wallet.refreshTopUps());
    });
}

async function buy(state: State, mode: "direct" | "http", tabId?: number): Promise<void> {
  const { random, shops } = state;
  const shop = random.pick(shops);
  const article = random.pick(shop.articles);
  const sender = senderIn(shop, article, tabId ?? random.below(TABS));
  const click = { shop, article, id: `request-${++state.requests}`, sender, mode };
  state.clicks.push(click);
  return pay(state, click);
}

async function pay(
  state: State,
  { shop, article, id, sender, mode }: State["clicks"][number],
): Promise<void> {
  const { browser, random, watch } = state;
  const offer = shop.offer(article, random);
  const outcome = await browser.ask(
    { v: 1, id, type: "pay", payload: { offer: { ...offer }, mode } },
    sender,
    { resource: article.resource, price: article.price },
  );
  if (!("ok" in outcome)) return;
  const { paymentId, receipt, contentKey, paymentSignature } = outcome.ok;
  if (paymentSignature !== undefined && receipt === undefined)
    return carry(state, { article, paymentId, paymentSignature, sender });
  watch.opens(browser, shop, article, {
    receipt,
    contentKey: mode === "direct" ? contentKey : article.contentKey,
  });
  if (random.chance(0.05)) await report(state, paymentId, sender);
  if (random.chance(0.4)) regretLate(state, shop, paymentId);
}

/** The page's own request carries the payment to the site; then the page asks the wallet how it stands. */
async function carry(
  state: State,
  carried: { article: Article; paymentId: string; paymentSignature: string; sender: PageSender },
): Promise<void> {
  const { world, browser, network, random } = state;
  const { article, paymentId, paymentSignature, sender } = carried;
  const page = world.startProcess(`${browser.name} page`, () => 0);
  const tries = random.chance(0.3) ? 2 : 1;
  for (let attempt = 0; attempt < tries; attempt++) {
    await network
      .send(
        page,
        {
          method: "GET",
          url: article.resource,
          headers: { [SIGNATURE_HEADER]: paymentSignature },
          body: undefined,
        },
        AbortSignal.timeout(CALL_TIMEOUT_MS),
      )
      .catch(() => undefined);
  }
  await browser.ask(
    { v: 1, id: `status-${++state.requests}00`, type: "status", payload: { paymentId } },
    sender,
  );
}

/** The article does not open: the money comes back by itself. */
async function report(
  { browser, watch, ...state }: State,
  paymentId: string,
  sender: PageSender,
): Promise<void> {
  watch.doesNotOpen(browser, paymentId);
  await browser.ask(
    {
      v: 1,
      id: `report-${++state.requests}00`,
      type: "status",
      payload: { paymentId, problem: "content_unreadable" },
    },
    sender,
  );
}

async function tip({ random, browser, shops, ...state }: State): Promise<void> {
  const shop = random.pick(shops);
  const offer = shop.tipOffer(5_000n);
  const [article] = shop.articles;
  if (!article) return;
  const sender = senderIn(shop, { ...article, resource: `${shop.origin}/` }, random.below(TABS));
  if (random.chance(0.3)) {
    await browser.act("tips from the toolbar", (wallet) =>
      wallet.startTip({ offer, least: "1000", most: "50000" }, sender),
    );
    return;
  }
  await browser.ask(
    {
      v: 1,
      id: `tip-${++state.requests}00000`,
      type: "tip",
      payload: { offer: { ...offer }, least: "1000", most: "50000" },
    },
    sender,
  );
}

async function comeBack(state: State): Promise<void> {
  const { random, browser, clicks, watch } = state;
  if (clicks.length === 0) return;
  const { shop, article, sender } = random.pick(clicks);
  const seal = article.seal === undefined ? {} : { seal: article.seal };
  const outcome = await browser.ask(
    {
      v: 1,
      id: `back-${++state.requests}00000`,
      type: "entitlement",
      payload: { merchant: shop.id, resource: article.resource, challenge: "0123456789abcdef", ...seal },
    },
    { ...sender, clicked: false },
  );
  if ("ok" in outcome) watch.opens(browser, shop, article, outcome.ok);
}

async function refund({ random, browser }: State): Promise<void> {
  const payments = await browser.store.read((tables) => tables.payments.all());
  const known = payments.filter(
    ({ state }) => state === "paid" || state === "refunding" || state === "refunded",
  );
  if (known.length === 0) return;
  const { id } = random.pick(known);
  const ask = () =>
    browser.act("wants money back", (wallet) => wallet.refund({ kind: "ui", type: "refund", paymentId: id }));
  await Promise.all(random.chance(0.2) ? [ask(), ask()] : [ask()]);
}

/** In the last moments of the merchant's window. */
function regretLate({ random, browser, world, horizonMs }: State, shop: Shop, paymentId: string): void {
  const windowMs = (shop.registration.refundWindowSeconds ?? 0) * 1_000;
  if (windowMs === 0 || windowMs > horizonMs) return;
  world.after(windowMs - random.below(25_000), `${browser.name} regrets late`, async () => {
    if (!browser.isRunning()) return;
    await browser.act("wants money back", (wallet) =>
      wallet.refund({ kind: "ui", type: "refund", paymentId }),
    );
  });
}

async function clickAgain(state: State): Promise<void> {
  const { random, clicks, browser, watch } = state;
  const last = clicks.at(-1);
  if (!last) return buy(state, "direct");
  watch.clicksAgain(browser, last.article.resource);
  const id = random.chance(0.3) ? last.id : `request-${++state.requests}`;
  const tabId = random.chance(0.5) ? last.sender.tabId : random.below(TABS);
  return pay(state, { ...last, id, sender: { ...last.sender, tabId } });
}

/** Every article of a site that may take money by itself now, each in a tab of its own, at once. */
function clickEverything(state: State): void {
  const { world, browser, races, clicks } = state;
  const last = clicks.at(-1);
  if (!last) return;
  world.after(1_000 + races.below(20_000), `${browser.name} clicks everything`, async () => {
    const all = last.shop.articles.map((article, tabId) => {
      const id = `request-${++state.requests}`;
      return {
        shop: last.shop,
        article,
        id,
        sender: senderIn(last.shop, article, tabId),
        mode: "direct" as const,
      };
    });
    clicks.push(...all);
    await Promise.all(all.map((click) => pay(state, click)));
  });
}

/** Soon, or later, or never; and again where the wallet died meanwhile or the money is still missing. */
function decideLater(state: State, approvalId: string, tries: number): void {
  const { random, world, browser } = state;
  if (random.chance(0.06) || tries > MAX_DECISIONS) return;
  const afterMs = random.chance(0.1) ? random.below(700_000) : 300 + random.below(8_000);
  world.after(afterMs, `${browser.name} decides`, async () => {
    const approve = random.chance(0.88);
    const allowance =
      state.fromAllowance && random.chance(0.5) ? { allowance: micros(random.pick(ALLOWANCES)) } : {};
    const outcome = await browser.act("decides", (wallet) =>
      wallet.decide({ kind: "ui", type: "decide", approvalId, approve, ...(approve ? allowance : {}) }),
    );
    if (state.races.chance(0.5) && "ok" in outcome && "allowance" in allowance) clickEverything(state);
    if ("error" in outcome && outcome.error === "insufficient_balance") await topUp(state);
    if ("closed" in outcome || ("error" in outcome && outcome.error === "insufficient_balance"))
      decideLater(state, approvalId, tries + 1);
  });
}

function senderIn(shop: Shop, article: Article, tabId: number): PageSender {
  return {
    origin: shop.origin,
    url: article.resource,
    topOrigin: shop.origin,
    isTopFrame: true,
    tabId,
    isPrivate: false,
    clicked: true,
  };
}
