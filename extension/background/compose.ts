/** Puts the wallet together with what a browser offers: the composition root of the background. */

import type { WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import { type Clock, createWallet, upgradeFromFirst, type Wallet } from "../../wallet/core/index.ts";
import { createProviderClient } from "../../wallet/provider/index.ts";
import {
  type Badge,
  message,
  readSession,
  registerScript,
  setAlarm,
  setBadge,
  writeSession,
} from "../platform.ts";
import { openStore } from "../store/index.ts";
import { prompt, showNext } from "./approvals.ts";
import { keepLastBalance, type LastBalanceKeeper } from "./last-balance.ts";
import { keepLock, type Lock } from "./lock.ts";
import { neutralFetch } from "./neutral-fetch.ts";
import { type TopUpWatch, watchTopUps } from "./top-ups.ts";
import { gatherViewers, type Viewers } from "./viewers.ts";

export const RESUME_ALARM = "resume";

const STORE_NAME = "tuppence";
/** `VITE_TUPPENCE_PROVIDER`, when the extension is built, names another. */
const DEFAULT_PROVIDER_ORIGIN = import.meta.env.VITE_TUPPENCE_PROVIDER ?? "http://127.0.0.1:4020";
/** `scripts/build.ts` makes it. */
const KNOWN_SITE_SCRIPT = "extension/content/known-site.js";
const QUESTION_COLOUR = "#0f5c4a";
const LOW_COLOUR = "#8a5300";
/** What follows from a change waits so long for the next change, and never stands between a click and its article. */
const SETTLE_MS = 250;

/** What messages are answered with. */
export interface Background {
  readonly wallet: Wallet;
  readonly lock: Lock;
  readonly topUps: Pick<TopUpWatch, "watch">;
  /** Brings what follows from the wallet's state (badge, the next question, scripts at known sites, watched checkouts) up to date soon. */
  readonly settle: () => void;
}

export interface WholeBackground extends Background {
  readonly viewers: Viewers;
  readonly topUps: TopUpWatch;
}

export function compose(): WholeBackground {
  const clock: Clock = { nowMs: () => Date.now() };
  const store = openStore(STORE_NAME, { read: readSession, write: writeSession }, { 2: upgradeFromFirst });
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
    defaultProviderOrigin: DEFAULT_PROVIDER_ORIGIN,
  });
  const lastBalance = keepLastBalance(wallet, () => lock.openUntil());
  const lock: Lock = keepLock(store, wallet, lastBalance.forget);
  const viewers = gatherViewers(() => wallet.snapshot());
  const topUps = watchTopUps(wallet, viewers, clock);

  let isSettling = false;
  const settle = () => {
    if (isSettling) return;
    isSettling = true;
    setTimeout(() => {
      isSettling = false;
      followState(wallet, lastBalance, topUps).catch(reportError);
    }, SETTLE_MS);
  };
  wallet.onChange(() => {
    viewers.tell();
    settle();
  });
  return { wallet, lock, viewers, topUps, settle };
}

async function followState(
  wallet: Wallet,
  lastBalance: LastBalanceKeeper,
  topUps: TopUpWatch,
): Promise<void> {
  const snapshot = await lastBalance.keep();
  // Scripts at known sites stay as they are, and hear nothing, until the wallet is open again.
  if (snapshot.state === "locked") return setBadge(badgeOf(snapshot));
  const origins = await wallet.knownOrigins();
  await Promise.all([
    topUps.follow(snapshot),
    showNext(wallet),
    registerScript("known-sites", KNOWN_SITE_SCRIPT, origins),
    setBadge(badgeOf(snapshot)),
  ]);
}

/** How many questions wait; else that the balance runs low, which who pays within a budget would hear of too late. */
function badgeOf({ state, approvals, balance }: WalletSnapshotJson): Badge {
  const asking = state === "ready" ? approvals.filter((approval) => approval.state === "asking").length : 0;
  const title = message("extension_title");
  if (asking > 0) return { text: String(asking), colour: QUESTION_COLOUR, title };
  if (state === "ready" && balance.isLow)
    return { text: "!", colour: LOW_COLOUR, title: `${title} – ${message("popup_low_title")}` };
  return { text: "", colour: QUESTION_COLOUR, title };
}
