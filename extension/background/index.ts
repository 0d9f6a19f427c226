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
import { compose, RESUME_ALARM } from "./compose.ts";
import { LOCK_ALARM } from "./lock.ts";
import { prepareRequests } from "./neutral-fetch.ts";
import { answer } from "./router.ts";
import { TIP_COMMAND, TIP_MENU_ITEM, tipPageOrTell } from "./tip-page.ts";
import { TOP_UP_ALARM } from "./top-ups.ts";

/** What a dead background left is taken up after what this one was woken for. */
const RESUME_DELAY_MS = 500;

const background = compose();
const { wallet, lock, viewers, topUps, settle } = background;

onMessage((message, sender) => answer(background, message, sender));
onConnect((connection) => {
  report(lock.use());
  viewers.accept(connection);
  // Not all that follows from the wallet's state: reading it stands between this page and what it is about to show.
  topUps.look();
});
onWindowClosed((windowId) => {
  lock.windowClosed(windowId);
  report(declineClosed(wallet, windowId).then(settle));
});
onMenuItem((id, tab) => {
  if (id === TIP_MENU_ITEM) report(tipPageOrTell(background, tab));
});
onCommand((name, tab) => {
  if (name === TIP_COMMAND) report(tipPageOrTell(background, tab));
});
onAlarm((name) => {
  if (name === LOCK_ALARM) report(lock.check());
  if (name === RESUME_ALARM) report(wallet.resume());
  if (name === TOP_UP_ALARM) report(topUps.ring());
});
onStartup(() => report(wallet.resume()));
onInstalled((reason) => {
  report(putMenuItem(TIP_MENU_ITEM, message("background_tip_site")));
  if (reason === "install") report(openTab(extensionUrl(WELCOME_PAGE)));
});
addEventListener("online", () => report(wallet.resume()));

report(prepareRequests());
setTimeout(() => {
  report(wallet.resume());
  settle();
}, RESUME_DELAY_MS);

function report(work: Promise<unknown>): void {
  work.catch(reportError);
}
