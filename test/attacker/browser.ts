/**
 * A browser with the real wallet core in it, as the extension composes it (`extension/background`), without the browser:
 * the worker dies after half a minute of idleness and starts again with the next event, which is when it resumes; its
 * requests get from the browser whatever the wallet does not keep off them, and that is different for each reader.
 */
import { Agent, request as makeRequest } from "node:http";
import { micros } from "../../shared/money.ts";
import type { PageRequestOf } from "../../shared/protocol/page.ts";
import { createMemoryStore, createWallet, type PageSender, type Wallet } from "../../wallet/core/index.ts";
import type { PaymentRow } from "../../wallet/core/rows.ts";
import { createProviderClient } from "../../wallet/provider/index.ts";
import type { Random } from "../simulation/random.ts";
import type { World } from "./world.ts";

const WORKER_LIFE_MS = 30_000;
/** `RESUME_DELAY_MS` of the background. */
const RESUME_DELAY_MS = 500;
const LEAST_ALARM_MS = 30_000;
/** How long a reader looks at the question. */
const DECIDE_MS = 3_000;

/** The largest that the wallet does not break by itself. */
const ONE_COIN = 100_000n;

/** What tells one browser from another. */
export interface Profile {
  readonly languages: string;
  readonly cookie: string;
}

export interface ReaderBrowser {
  /** The wallet in the worker that runs, or in the next one. */
  wallet(): Wallet;
  pay(offer: object, mode: "direct" | "http"): ReturnType<typeof payOf>;
  tip(offer: object, amount: bigint): Promise<{ paymentId: string }>;
  payments(): Promise<PaymentRow[]>;
  /** Runs this with one coin of ten cents in the drawer. */
  withOneCoin<T>(work: () => Promise<T>): Promise<T>;
  phrase(): Promise<string>;
  accountId(): Promise<string>;
  /** The computer is lost. */
  end(): void;
}

const payOf = (wallet: Wallet, request: PageRequestOf<"pay">, sender: PageSender) =>
  wallet.page(request, sender);

export function openBrowser(world: World, random: Random, profile: Profile): ReaderBrowser {
  const store = createMemoryStore();
  const clock = { nowMs: world.nowMs };
  let life: { readonly wallet: Wallet; readonly agent: Agent; lastEventAt: number } | undefined;
  let alarmAt = Number.POSITIVE_INFINITY;
  let isEnded = false;
  let tipAmount: bigint | undefined;
  let requests = 0;

  const isAlive = (one: typeof life): boolean =>
    !isEnded && one !== undefined && world.nowMs() - one.lastEventAt < WORKER_LIFE_MS;

  function start() {
    const agent = new Agent({ keepAlive: true, maxSockets: 6 });
    const wallet = createWallet({
      store,
      clock,
      random: { bytes: (count) => random.bytes(count) },
      connect: (anonymousOrigin) =>
        createProviderClient({
          anonymousOrigin,
          fetch: (url, init) => {
            own.lastEventAt = world.nowMs();
            return world.busy(send(agent, profile, url, init));
          },
          clock,
        }),
      prompt: {
        open: async (approvalId) =>
          world.after(DECIDE_MS + random.below(DECIDE_MS), () =>
            current().wallet.decide({
              kind: "ui",
              type: "decide",
              approvalId,
              approve: true,
              ...(tipAmount === undefined ? {} : { amount: micros(tipAmount) }),
            }),
          ),
      },
      scheduler: {
        delay: (milliseconds) =>
          milliseconds === 0
            ? world.busy(new Promise((resolve) => setImmediate(resolve)))
            : new Promise((resolve) =>
                world.after(milliseconds, () => {
                  if (life !== own || !isAlive(own)) return;
                  own.lastEventAt = world.nowMs();
                  resolve();
                }),
              ),
        wakeAt: (timeMs) => {
          alarmAt = timeMs;
          world.after(Math.max(LEAST_ALARM_MS, timeMs - world.nowMs()), () => {
            if (alarmAt !== timeMs || isEnded) return undefined;
            alarmAt = Number.POSITIVE_INFINITY;
            return current().wallet.resume();
          });
        },
      },
      defaultProviderOrigin: world.tap.origin,
      onFault: (error) => world.faults.push(error),
    });
    const own = { wallet, agent, lastEventAt: world.nowMs() };
    world.after(RESUME_DELAY_MS, () => (life === own && isAlive(own) ? wallet.resume() : undefined));
    return own;
  }

  function current() {
    if (!isAlive(life)) {
      life?.agent.destroy();
      life = start();
    }
    if (!life) throw new Error("no worker");
    life.lastEventAt = world.nowMs();
    return life;
  }

  const requestId = () => `request-${String(++requests).padStart(6, "0")}`;
  return {
    wallet: () => current().wallet,
    pay: (offer, mode) => {
      tipAmount = undefined;
      const request: PageRequestOf<"pay"> = {
        v: 1,
        id: requestId(),
        type: "pay",
        payload: { offer: { ...offer }, mode },
      };
      return payOf(current().wallet, request, senderOf(offer));
    },
    tip: (offer, amount) => {
      tipAmount = amount;
      const request: PageRequestOf<"tip"> = {
        v: 1,
        id: requestId(),
        type: "tip",
        payload: { offer: { ...offer }, least: "1000", most: "5000000" },
      };
      return current().wallet.page(request, senderOf(offer));
    },
    payments: () => store.read((tables) => tables.payments.all()),
    async withOneCoin(work) {
      const holder = "set aside";
      await store.transaction(async (tables) => {
        const free = await tables.coins.where("state", "free");
        const kept = free.find(({ amount }) => amount === ONE_COIN);
        if (!kept) throw new Error("the drawer has no such coin");
        const others = free.filter(({ secret }) => secret !== kept.secret);
        await tables.coins.putAll(others.map((coin) => ({ ...coin, state: "reserved", holder })));
      });
      try {
        return await work();
      } finally {
        await store.transaction(async (tables) => {
          const aside = (await tables.coins.all()).filter((coin) => coin.holder === holder);
          await tables.coins.putAll(aside.map((coin) => ({ ...coin, state: "free", holder: undefined })));
        });
      }
    },
    phrase: async () => (await current().wallet.showPhrase()).phrase,
    accountId: async () => (await store.read((tables) => tables.wallet.get("wallet")))?.account?.id ?? "",
    end: () => {
      isEnded = true;
      life?.agent.destroy();
    },
  };
}

function senderOf(offer: object): PageSender {
  const url = "resource" in offer && isResource(offer.resource) ? offer.resource.url : "";
  const { origin } = new URL(url);
  return { origin, url, topOrigin: origin, isTopFrame: true, tabId: 1, isPrivate: false, clicked: true };
}

function isResource(value: unknown): value is { url: string } {
  return typeof value === "object" && value !== null && "url" in value && typeof value.url === "string";
}

/** What a browser sends for `fetch`: over connections of its own, and with what it adds unless it was told not to. */
function send(agent: Agent, profile: Profile, url: string, init: RequestInit): Promise<Response> {
  const own = Object.fromEntries(new Headers(init.headers));
  const headers = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
    "accept-language": profile.languages,
    ...(init.credentials === "omit" ? {} : { cookie: profile.cookie }),
    ...own,
  };
  return new Promise((resolve, reject) => {
    const outgoing = makeRequest(url, { method: init.method ?? "GET", headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const given = new Headers();
        for (const [name, value] of Object.entries(answer.headers))
          if (typeof value === "string") given.set(name, value);
        const body = Buffer.concat(chunks);
        resolve(
          new Response(body.length > 0 ? body : null, { status: answer.statusCode ?? 502, headers: given }),
        );
      });
    });
    outgoing.on("error", reject);
    outgoing.end(typeof init.body === "string" ? init.body : undefined);
  });
}
