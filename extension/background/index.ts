/** The background. Every listener is added here, in the first turn: what wakes the background waits for no promise. */
import { WELCOME_PAGE } from "../../shared/protocol/ui.ts";
import {
  extensionUrl,
  onAlarm,
  onConnect,
  onInstalled,
  onMessage,
  onStartup,
  onWindowClosed,
  openTab,
} from "../platform.ts";
import { declineClosed } from "./approvals.ts";
import { compose, RESUME_ALARM } from "./compose.ts";
import { LOCK_ALARM } from "./lock.ts";
import { prepareRequests } from "./neutral-fetch.ts";
import { answer } from "./router.ts";
import { TOP_UP_ALARM } from "./top-ups.ts";

/** What a dead background left is taken up after what this one was woken for. */
const RESUME_DELAY_MS = 500;

const background = compose();
const { wallet, lock, viewers, settle } = background;

onMessage((message, sender) => answer(background, message, sender));
onConnect((connection) => {
  report(lock.use());
  viewers.accept(connection);
  settle();
});
onWindowClosed((windowId) => {
  lock.windowClosed(windowId);
  report(declineClosed(wallet, windowId));
});
onAlarm((name) => {
  if (name === LOCK_ALARM) report(lock.check());
  if (name === RESUME_ALARM) report(wallet.resume());
  if (name === TOP_UP_ALARM) report(wallet.refreshTopUps());
});
onStartup(() => report(wallet.resume()));
onInstalled((reason) => {
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
