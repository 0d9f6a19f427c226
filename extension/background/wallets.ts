/**
 * Which wallet answers: the reader's own, or the one of test mode, which has play money at the provider's counterpart. Each has
 * its store, its provider and its session; all that they share is this process, the toolbar, and which windows and tabs are the wallet's. So neither can write
 * into the other's books, whatever is still under way when the reader goes from one to the other.
 *
 * Which one it is stands on the device, and is read once. While it is being changed, whoever asks waits; it is not changed
 * in the middle of a payment. A wallet that is left is locked, where a passphrase keeps it, and stays composed: were it
 * made again beside itself, two would count up the same numbers.
 */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { TEST_PROVIDER, TestProvider, type WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import { createProviderClient } from "../../wallet/provider/index.ts";
import { type Badge, message, readDevice, registerScript, setBadge, writeDevice } from "../platform.ts";
import { showNext } from "./approvals.ts";
import { type Background, type ComposedWallet, compose } from "./compose.ts";
import { inTurn } from "./in-turn.ts";
import { neutralFetch } from "./neutral-fetch.ts";
import { gatherViewers, type Viewers } from "./viewers.ts";

/** `scripts/build.ts` makes it. */
const KNOWN_SITE_SCRIPT = "extension/content/known-site.js";
const QUESTION_COLOUR = "#0f5c4a";
const LOW_COLOUR = "#8a5300";
const TEST_COLOUR = "#5b3a9e";
/** What follows from a change waits so long for the next change, and never stands between a click and its article. */
const SETTLE_MS = 250;
/** The browser may never answer for a tab that closes meanwhile: what comes next, a change of wallet too, waits no longer for it. */
const FOLLOW_PATIENCE_MS = 3_000;

export interface Wallets {
  /** The wallet that the reader uses. */
  current(): Promise<ComposedWallet & Background>;
  readonly viewers: Viewers;
  /** Brings what follows from the wallet's state (badge, the next question, scripts at known sites, watched checkouts) up to date soon. */
  settle(): void;
}

export function keepWallets(): Wallets {
  const composed = new Map<TestProvider, ComposedWallet>();
  let chosen: Promise<ComposedWallet> | undefined;
  let changing: Promise<void> | undefined;
  let isSettling = false;
  const oneAtATime = inTurn();
  const viewers = gatherViewers(async () => (await current()).wallet.snapshot());

  const walletOf = (testProvider: TestProvider): ComposedWallet => {
    const before = composed.get(testProvider);
    if (before) return before;
    const made = compose(testProvider, viewers, onChange);
    composed.set(testProvider, made);
    return made;
  };
  const choose = async (): Promise<ComposedWallet> => {
    const kept = v.safeParse(TestProvider, await readDevice(TEST_PROVIDER));
    return walletOf(kept.success ? kept.output : undefined);
  };
  const current = async (): Promise<ComposedWallet & Background> => {
    while (changing) await changing;
    chosen ??= choose().catch((error: unknown) => {
      // Whoever comes next reads it again: what cannot be read does not make it the other wallet.
      chosen = undefined;
      throw error;
    });
    return { ...(await chosen), setTestMode };
  };
  const settle = (): void => {
    if (isSettling) return;
    isSettling = true;
    setTimeout(() => {
      isSettling = false;
      oneAtATime(async () => {
        const followed = current().then(followState);
        await Promise.race([followed, new Promise((resolve) => setTimeout(resolve, FOLLOW_PATIENCE_MS))]);
      }).catch(reportError);
    }, SETTLE_MS);
  };
  const onChange = (): void => {
    viewers.tell();
    settle();
  };
  const setTestMode = async (on: boolean): Promise<void> => {
    const from = await current();
    if ((from.testProvider !== undefined) === on) return;
    const to = on ? await walletForTests(from, walletOf) : walletOf(undefined);
    await oneAtATime(async () => {
      if ((await current()).testProvider !== from.testProvider) return;
      const ended = Promise.withResolvers<void>();
      changing = ended.promise;
      try {
        await leave(from);
        await writeDevice(TEST_PROVIDER, to.testProvider);
        chosen = Promise.resolve(to);
      } finally {
        changing = undefined;
        ended.resolve();
      }
    });
    onChange();
    to.wallet.resume().catch(reportError);
  };
  return { current, viewers, settle };
}

/** Made without ceremony where there is none yet: what would be lost with it is play money. */
async function walletForTests(
  { wallet }: ComposedWallet,
  walletOf: (testProvider: string) => ComposedWallet,
): Promise<ComposedWallet> {
  const counterpart = (await wallet.provider())?.counterpart;
  if (counterpart === undefined) throw new TuppenceError("provider_answer_invalid", { answer: "mode" });
  const found = walletOf(counterpart);
  if ((await found.wallet.snapshot()).state !== "none") return found;
  const clock = { nowMs: () => Date.now() };
  const info = await createProviderClient({
    anonymousOrigin: counterpart,
    fetch: neutralFetch,
    clock,
  }).info();
  if (info.mode !== "test" || !info.sandbox)
    throw new TuppenceError("provider_answer_invalid", { answer: "mode" });
  await found.wallet.create({ kind: "ui", type: "createWallet" });
  return found;
}

/** @throws TuppenceError wallet_busy */
async function leave({ wallet, underWay, lock, topUps }: ComposedWallet): Promise<void> {
  if ((await wallet.isBusy()) || underWay.size > 0) throw new TuppenceError("wallet_busy");
  await topUps.follow({ topUps: [] });
  // Nobody would be there to lock it in time.
  await lock.lock();
}

async function followState({ wallet, topUps, lastBalance }: ComposedWallet): Promise<void> {
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

/**
 * How many questions wait; else that the balance runs low, which who pays within a budget would hear of too late. In test
 * mode that it is test mode, and nothing that could be taken for the reader's money.
 */
export function badgeOf({ state, approvals, balance, provider }: WalletSnapshotJson): Badge {
  const asking = state === "ready" ? approvals.filter((approval) => approval.state === "asking").length : 0;
  const name = message("extension_title");
  if (provider.mode === "test")
    return {
      text: asking > 0 ? String(asking) : message("background_test_badge"),
      colour: TEST_COLOUR,
      title: message("background_test_title"),
    };
  if (asking > 0) return { text: String(asking), colour: QUESTION_COLOUR, title: name };
  if (state === "ready" && balance.isLow)
    return { text: "!", colour: LOW_COLOUR, title: `${name} – ${message("popup_low_title")}` };
  return { text: "", colour: QUESTION_COLOUR, title: name };
}
