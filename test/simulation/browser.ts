/**
 * A reader's browser: the real wallet core as the extension composes it (`extension/background/compose.ts`), over a store
 * that outlives it, and tabs whose content scripts ask again when the background died, as `extension/content/bridge.ts`
 * does. The background dies alone and is back at the next message, or the whole browser ends and takes its tabs along.
 */
import { TuppenceError } from "../../shared/errors.ts";
import type { PageRequestOf, PageRequestType, PageResults } from "../../shared/protocol/page.ts";
import {
  createMemoryStore,
  createWallet,
  type PageSender,
  type Wallet,
  type WalletStore,
} from "../../wallet/core/index.ts";
import { createProviderClient } from "../../wallet/provider/index.ts";
import { fetchOver, type Network } from "./network.ts";
import { ORIGIN } from "./provider.ts";
import { seededRandom } from "./random.ts";
import { type Written, watchStore } from "./watched-store.ts";
import type { Process, World } from "./world.ts";

/** `extension/background/index.ts`. */
const RESUME_DELAY_MS = 500;
const MAX_SENDS = 20;
/** From then on it lives: a wallet that dies at every step does nothing but start. */
const MAX_STARTS = 8;

export interface BrowserWatch {
  written(browser: Browser, written: Written): void;
  dies(browser: Browser, isWholeBrowser: boolean): void;
  asks(browser: Browser, asking: Asking): void;
  /** A fault of the wallet's that is no error of the closed set. */
  fails(browser: Browser, error: unknown): void;
  prompts(browser: Browser, approvalId: string): void;
}

/** A page's request, until it is answered or its tab is closed. */
export interface Asking {
  readonly tabId: number;
  readonly type: PageRequestType;
  /** Of what is to be paid, where that is known. */
  readonly resource: string;
  readonly price: bigint;
  isOver: boolean;
}

export type Outcome<T> = { readonly ok: T } | { readonly error: string } | { readonly closed: true };

export interface Browser {
  readonly name: string;
  readonly store: WalletStore;
  readonly skewMs: number;
  readonly askings: Set<Asking>;
  start(): void;
  isRunning(): boolean;
  process(): Process | undefined;
  /** As the bridge does: sent again where the background dies before it answers. */
  ask<T extends PageRequestType>(
    request: PageRequestOf<T>,
    sender: PageSender,
    about?: { readonly resource: string; readonly price: bigint },
  ): Promise<Outcome<PageResults[T]>>;
  /** From a page of the wallet's own: not sent again where the background dies. */
  act<T>(what: string, action: (wallet: Wallet) => Promise<T>): Promise<Outcome<T>>;
  closeTab(tabId: number): void;
  /** The background alone, or the whole browser. */
  kill(isWhole: boolean): void;
  /** For when everything is to come to rest. */
  resume(): Promise<void>;
}

export function openBrowser(
  world: World,
  network: Network,
  name: string,
  skewMs: number,
  watch: BrowserWatch,
): Browser {
  const random = seededRandom(world.seed, name);
  const walletRandom = seededRandom(world.seed, `${name} wallet`);
  const kept = createMemoryStore();
  const askings = new Set<Asking>();
  const closings = new Map<Asking, () => void>();
  const startListeners = new Set<() => void>();
  let running: { readonly wallet: Wallet; readonly process: Process } | undefined;
  let isEnded = false;
  let endsNext = false;
  let starts = 0;
  let alarm = 0;

  const composeWallet = (process: Process): Wallet => {
    const clock = { nowMs: () => world.nowMs() + skewMs };
    const watched = watchStore(kept, (written) => watch.written(browser, written));
    return createWallet({
      store: {
        transaction: (body) => process.call("transaction", () => watched.transaction(body)),
        read: (body) => process.call("read", () => kept.read(body)),
        close: () => kept.close(),
        protection: () => kept.protection(),
      },
      clock,
      random: { bytes: (count) => walletRandom.bytes(count) },
      connect: (anonymousOrigin) =>
        createProviderClient({ anonymousOrigin, fetch: fetchOver(network, process), clock }),
      prompt: {
        open: (approvalId) => process.call("prompt", () => watch.prompts(browser, approvalId)),
      },
      scheduler: {
        delay: (milliseconds) =>
          new Promise((resolve) => {
            // Between two coins; as a place to die it is no other than the calls around it.
            if (milliseconds === 0) return resolve();
            world.after(milliseconds, `${process.name} waited`, () => {
              if (process.isAlive()) resolve();
            });
          }),
        wakeAt: (timeMs) => {
          const own = ++alarm;
          world.after(timeMs - clock.nowMs(), `${name} alarm`, () => {
            if (own !== alarm || isEnded) return;
            start();
            resumeSafely();
          });
        },
      },
      defaultProviderOrigin: ORIGIN,
      onFault: (error) => {
        if (process.isAlive()) watch.fails(browser, error);
      },
    });
  };

  const start = (): void => {
    if (running) return;
    isEnded = false;
    const process = world.startProcess(`${name}.${++starts}`, () =>
      world.faults.areOff || starts > MAX_STARTS ? 0 : world.faults.walletDies,
    );
    running = { wallet: composeWallet(process), process };
    process.onDeath(() => {
      running = undefined;
      const isWhole = random.chance(world.faults.browserEnds) || endsNext;
      endsNext = false;
      watch.dies(browser, isWhole);
      isEnded = isWhole;
      if (isWhole) for (const close of [...closings.values()]) close();
      const downMs = isWhole
        ? 10_000 + random.below(random.chance(0.3) ? 90_000_000 : 300_000)
        : 50 + random.below(55);
      world.after(downMs, `${name} starts`, start);
    });
    world.after(RESUME_DELAY_MS, `${name} resumes`, () => {
      if (process.isAlive()) resumeSafely();
    });
    for (const listener of [...startListeners]) listener();
  };

  const resume = async (): Promise<void> => {
    const own = running;
    if (!own) return;
    try {
      await own.wallet.resume();
    } catch (error) {
      if (own.process.isAlive() && !(error instanceof TuppenceError)) watch.fails(browser, error);
    }
  };
  const resumeSafely = (): void => void resume();

  /** One attempt: undefined where the background died before it answered. */
  const attempt = <T>(action: (wallet: Wallet) => Promise<T>): Promise<Outcome<T> | undefined> =>
    new Promise((resolve) => {
      const own = running;
      if (!own) return resolve(undefined);
      own.process.onDeath(() => resolve(undefined));
      action(own.wallet).then(
        (ok) => {
          if (own.process.isAlive()) resolve({ ok });
        },
        (error: unknown) => {
          if (!own.process.isAlive()) return;
          if (error instanceof TuppenceError) return resolve({ error: error.code });
          watch.fails(browser, error);
          resolve({ error: "bug" });
        },
      );
    });
  const nextStart = (): Promise<void> =>
    new Promise((resolve) => {
      const listener = () => {
        startListeners.delete(listener);
        resolve();
      };
      startListeners.add(listener);
    });

  const browser: Browser = {
    name,
    store: kept,
    skewMs,
    askings,
    start,
    isRunning: () => running !== undefined,
    process: () => running?.process,
    ask: <T extends PageRequestType>(
      request: PageRequestOf<T>,
      sender: PageSender,
      about = { resource: "", price: 0n },
    ) =>
      new Promise<Outcome<PageResults[T]>>((resolve) => {
        const asking: Asking = { tabId: sender.tabId, type: request.type, ...about, isOver: false };
        const end = (outcome: Outcome<PageResults[T]>): void => {
          if (asking.isOver) return;
          asking.isOver = true;
          askings.delete(asking);
          closings.delete(asking);
          resolve(outcome);
        };
        watch.asks(browser, asking);
        askings.add(asking);
        closings.set(asking, () => end({ closed: true }));
        const send = async (): Promise<void> => {
          for (let sends = 0; sends < MAX_SENDS && !asking.isOver; sends++) {
            if (!running) await nextStart();
            const outcome = await attempt(async (wallet) => {
              if (!(await wallet.mayAnswer(sender))) throw new TuppenceError("click_required");
              return wallet.page<T>(request, sender);
            });
            if (outcome) return end(outcome);
          }
          end({ closed: true });
        };
        void send();
      }),
    act: async (what, action) => {
      world.note(`${name} ${what}`);
      if (!running) await nextStart();
      return (await attempt(action)) ?? { closed: true };
    },
    closeTab: (tabId) => {
      for (const [asking, close] of closings) if (asking.tabId === tabId) close();
    },
    kill: (isWhole) => {
      endsNext = isWhole;
      running?.process.kill("at a payment's step");
    },
    resume,
  };
  return browser;
}
