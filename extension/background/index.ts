/** The background. Every listener is added here, in the first turn: what wakes the background waits for no promise. */
import { WELCOME_PAGE } from "../../shared/protocol/ui.ts";
import {
  extensionUrl,
  message,
  onAlarm,
  onCommand,
  onConnect,
  onInstalled,
  onMenuItem,
  onMessage,
  onStartup,
  onWindowClosed,
  openTab,
  putMenuItem,
} from "../platform.ts";
import { declineClosed } from "./approvals.ts";
import { RESUME_ALARM } from "./compose.ts";
import { LOCK_ALARM } from "./lock.ts";
import { prepareRequests } from "./neutral-fetch.ts";
import { answer } from "./router.ts";
import { TIP_COMMAND, TIP_MENU_ITEM, tipPageOrTell } from "./tip-page.ts";
import { TOP_UP_ALARM } from "./top-ups.ts";
import { keepWallets } from "./wallets.ts";

/** What a dead background left is taken up after what this one was woken for. */
const RESUME_DELAY_MS = 500;

const { current, viewers, settle } = keepWallets();

onMessage((message, sender) => answer(current, message, sender));
onConnect((connection) => {
  report(
    current().then(async ({ lock, topUps }) => {
      const locked = lock.use();
      // Not all that follows from the wallet's state: reading it stands between this page and what it is about to show.
      topUps.look();
      await locked;
    }),
  );
  viewers.accept(connection);
});
onWindowClosed((windowId) => {
  report(
    current().then(async ({ wallet, lock }) => {
      lock.windowClosed(windowId);
      await declineClosed(wallet, windowId);
      settle();
    }),
  );
});
onMenuItem((id, tab) => {
  if (id === TIP_MENU_ITEM) report(current().then((background) => tipPageOrTell(background, tab)));
});
onCommand((name, tab) => {
  if (name === TIP_COMMAND) report(current().then((background) => tipPageOrTell(background, tab)));
});
onAlarm((name) => {
  if (name === LOCK_ALARM) report(current().then(({ lock }) => lock.check()));
  if (name === RESUME_ALARM) report(resume());
  if (name === TOP_UP_ALARM) report(current().then(({ topUps }) => topUps.ring()));
});
onStartup(() => report(resume()));
onInstalled((reason) => {
  report(putMenuItem(TIP_MENU_ITEM, message("background_tip_site")));
  if (reason === "install") report(openTab(extensionUrl(WELCOME_PAGE)));
});
addEventListener("online", () => report(resume()));

report(prepareRequests());
setTimeout(() => {
  report(resume());
  settle();
}, RESUME_DELAY_MS);

async function resume(): Promise<void> {
  const { wallet } = await current();
  await wallet.resume();
}

function report(work: Promise<unknown>): void {
  work.catch(reportError);
}
