/** Puts a wallet together with what a browser offers. */
import { sessionName, type TestProvider } from "../../shared/protocol/ui.ts";
import {
  type Clock,
  createWallet,
  summaryOf,
  upgradeFromFirst,
  type Wallet,
} from "../../wallet/core/index.ts";
import { createProviderClient } from "../../wallet/provider/index.ts";
import { readSession, setAlarm, writeSession } from "../platform.ts";
import { openStore, type SessionPort } from "../store/index.ts";
import { prompt } from "./approvals.ts";
import { keepLastBalance, type LastBalanceKeeper } from "./last-balance.ts";
import { keepLock, type Lock } from "./lock.ts";
import { neutralFetch } from "./neutral-fetch.ts";
import { type TopUpWatch, watchTopUps } from "./top-ups.ts";
import type { Viewers } from "./viewers.ts";

export const RESUME_ALARM = "resume";

const STORE_NAME = "tuppence";
/** `VITE_TUPPENCE_PROVIDER`, when the extension is built, names another. */
const DEFAULT_PROVIDER_ORIGIN = import.meta.env.VITE_TUPPENCE_PROVIDER ?? "http://127.0.0.1:4020";

/** One wallet with all that is its own: of the reader, or of test mode. */
export interface ComposedWallet {
  /** Undefined: it is the reader's own. */
  readonly testProvider: TestProvider;
  readonly wallet: Wallet;
  readonly lock: Lock;
  readonly topUps: TopUpWatch;
  /** What stands behind a click and is not answered yet. */
  readonly underWay: Set<unknown>;
  readonly lastBalance: LastBalanceKeeper;
}

/** What messages are answered with. */
export interface Background extends Pick<ComposedWallet, "testProvider" | "wallet" | "lock" | "underWay"> {
  readonly topUps: Pick<TopUpWatch, "watch">;
  /** The wallet of test mode from now on, or the reader's own. @throws TuppenceError wallet_busy, provider_* */
  setTestMode(on: boolean): Promise<void>;
}

export function compose(testProvider: TestProvider, viewers: Viewers, onChange: () => void): ComposedWallet {
  const clock: Clock = { nowMs: () => Date.now() };
  const session: SessionPort = {
    read: (name) => readSession(sessionName(testProvider, name)),
    write: (name, value) => writeSession(sessionName(testProvider, name), value),
  };
  const store = openStore(
    testProvider === undefined ? STORE_NAME : `${STORE_NAME} ${testProvider}`,
    session,
    { summaryOf, upgrades: { 2: upgradeFromFirst } },
  );
  const wallet = createWallet({
    store,
    clock,
    random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    connect: (anonymousOrigin) => createProviderClient({ anonymousOrigin, fetch: neutralFetch, clock }),
    prompt,
    scheduler: {
      delay: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      wakeAt: (timeMs) => void setAlarm(RESUME_ALARM, timeMs).catch(reportError),
    },
    defaultProviderOrigin: testProvider ?? DEFAULT_PROVIDER_ORIGIN,
    mode: testProvider === undefined ? "live" : "test",
  });
  const lastBalance = keepLastBalance(wallet, { testProvider, session }, () => lock.openUntil());
  const lock: Lock = keepLock(store, wallet, { session, forgetBalance: lastBalance.forget });
  wallet.onChange(onChange);
  return {
    testProvider,
    wallet,
    lock,
    topUps: watchTopUps(wallet, viewers, clock),
    underWay: new Set(),
    lastBalance,
  };
}
