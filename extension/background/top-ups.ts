/**
 * Learns how a top-up ended. Whoever asks shows the account's token, and a checkout that nobody finishes stays open for a
 * day: what asked whenever a question opens and closes would tell the provider whose payment that was (decision 34). So
 * while one is open it is asked about
 *
 * - once a second, as long as a page of ours is looking; the approval window, which stands beside a payment, only for the
 *   first minutes of a checkout, which may well be its own;
 * - whenever the checkout's tab moves on or closes;
 * - for the first hour by an alarm, which also rings after the background died.
 *
 * What is still open then is left to the wallet's own visits to the account.
 */
import * as v from "valibot";
import type { WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import type { Clock, Wallet } from "../../wallet/core/index.ts";
import { clearAlarm, readSession, setRepeatingAlarm, watchTabs, writeSession } from "../platform.ts";
import type { Viewers } from "./viewers.ts";

export const TOP_UP_ALARM = "top-ups";
/** The shortest period that browsers allow. */
const ALARM_PERIOD_MINUTES = 0.5;
/** So long after the last checkout was begun it is looked after: later its tab may be one in which the reader pays for articles. */
const LOOKED_AFTER_FOR_MS = 3_600_000;
const POLL_MS = 1_000;
/** So long the approval window may be waiting for a checkout. */
const WAITED_FOR_MS = 900_000;
const STORED_AS = "checkout-tabs";
/** Older checkouts are left to the alarm. */
const MAX_WATCHED_TABS = 5;

const CheckoutTabs = v.array(v.number());

export interface TopUpWatch {
  /** A checkout was opened in this tab. */
  watch(tabId: number | undefined): Promise<void>;
  /** Told after every change: watches while a top-up is open, and only then. */
  follow(snapshot: Pick<WalletSnapshotJson, "topUps">): Promise<void>;
  /** A page of ours was opened: nothing changed, but somebody looks again. */
  look(): void;
  /** The alarm rang. It may come hours late, where the computer slept: then nobody is asked any more. */
  ring(): Promise<void>;
}

export function watchTopUps(
  wallet: Pick<Wallet, "refreshTopUps" | "snapshot">,
  viewers: Pick<Viewers, "count" | "countOfWallet">,
  clock: Clock,
): TopUpWatch {
  /** When the newest of the open ones was begun; undefined where none is open. */
  let begunAt: number | undefined;
  let isPolling = false;
  let unwatchTabs: (() => void) | undefined;

  const isYoungerThan = (milliseconds: number) =>
    begunAt !== undefined && clock.nowMs() - begunAt < milliseconds;
  const isLookedAt = () =>
    begunAt !== undefined &&
    (viewers.countOfWallet() > 0 || (viewers.count() > 0 && isYoungerThan(WAITED_FOR_MS)));

  const poll = async () => {
    if (isPolling) return;
    isPolling = true;
    while (isLookedAt()) {
      await wallet.refreshTopUps().catch(ignoreUntilNextTime);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    isPolling = false;
  };

  const onTabMoved = async (tabId: number) => {
    if (!isYoungerThan(LOOKED_AFTER_FOR_MS)) return;
    if ((await readTabs()).includes(tabId)) await wallet.refreshTopUps().catch(ignoreUntilNextTime);
  };

  const follow = async ({ topUps }: Pick<WalletSnapshotJson, "topUps">) => {
    const begun = topUps.filter(({ state }) => state === "open").map(({ at }) => at);
    begunAt = begun.length === 0 ? undefined : Math.max(...begun);
    if (begunAt === undefined) {
      unwatchTabs?.();
      unwatchTabs = undefined;
    } else {
      // Only now: a listener that is always there wakes the background at every step in every tab.
      unwatchTabs ??= watchTabs(onTabMoved);
      void poll();
    }
    if (isYoungerThan(LOOKED_AFTER_FOR_MS)) await setRepeatingAlarm(TOP_UP_ALARM, ALARM_PERIOD_MINUTES);
    else await clearAlarm(TOP_UP_ALARM);
  };

  return {
    async watch(tabId) {
      if (tabId !== undefined)
        await writeSession(STORED_AS, [tabId, ...(await readTabs())].slice(0, MAX_WATCHED_TABS));
    },
    follow,
    look: () => void poll(),
    async ring() {
      await follow(await wallet.snapshot());
      if (!isPolling && isYoungerThan(LOOKED_AFTER_FOR_MS)) await wallet.refreshTopUps();
    },
  };
}

async function readTabs(): Promise<number[]> {
  const stored = v.safeParse(CheckoutTabs, await readSession(STORED_AS));
  return stored.success ? stored.output : [];
}

/** The provider cannot be reached just now; the snapshot says so, and the next look comes soon. */
function ignoreUntilNextTime(): void {}
