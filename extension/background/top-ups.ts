/**
 * Learns how a top-up ended. While one is open: once a second as long as a page of ours is looking, whenever the
 * checkout's tab moves on or closes, and by an alarm, which also rings after the background died.
 */
import * as v from "valibot";
import type { WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import { clearAlarm, readSession, setRepeatingAlarm, watchTabs, writeSession } from "../platform.ts";

export const TOP_UP_ALARM = "top-ups";
/** The shortest period that browsers allow. */
const ALARM_PERIOD_MINUTES = 0.5;
const POLL_MS = 1_000;
const STORED_AS = "checkout-tabs";
/** Older checkouts are left to the alarm. */
const MAX_WATCHED_TABS = 5;

const CheckoutTabs = v.array(v.number());

export interface TopUpWatch {
  /** A checkout was opened in this tab. */
  watch(tabId: number | undefined): Promise<void>;
  /** Told after every change: watches while a top-up is open, and only then. */
  follow(snapshot: Pick<WalletSnapshotJson, "topUps">): Promise<void>;
}

/** `isWatched` says whether a page of ours is open. */
export function watchTopUps(wallet: Pick<Wallet, "refreshTopUps">, isWatched: () => boolean): TopUpWatch {
  let isOpen = false;
  let isPolling = false;
  let unwatchTabs: (() => void) | undefined;

  const poll = async () => {
    if (isPolling) return;
    isPolling = true;
    while (isOpen && isWatched()) {
      await wallet.refreshTopUps().catch(ignoreUntilNextTime);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    isPolling = false;
  };

  const onTabMoved = async (tabId: number) => {
    if ((await readTabs()).includes(tabId)) await wallet.refreshTopUps().catch(ignoreUntilNextTime);
  };

  return {
    async watch(tabId) {
      if (tabId !== undefined)
        await writeSession(STORED_AS, [tabId, ...(await readTabs())].slice(0, MAX_WATCHED_TABS));
    },
    async follow({ topUps }) {
      isOpen = topUps.some(({ state }) => state === "open");
      if (isOpen) {
        // Only now: a listener that is always there wakes the background at every step in every tab.
        unwatchTabs ??= watchTabs(onTabMoved);
        void poll();
        await setRepeatingAlarm(TOP_UP_ALARM, ALARM_PERIOD_MINUTES);
      } else {
        unwatchTabs?.();
        unwatchTabs = undefined;
        await clearAlarm(TOP_UP_ALARM);
      }
    },
  };
}

async function readTabs(): Promise<number[]> {
  const stored = v.safeParse(CheckoutTabs, await readSession(STORED_AS));
  return stored.success ? stored.output : [];
}

/** The provider cannot be reached just now; the snapshot says so, and the next look comes soon. */
function ignoreUntilNextTime(): void {}
