/**
 * The browser, as the rest of the extension sees it: thin functions, promises in both browsers. Nothing else imports
 * webextension-polyfill. What comes from a page or another process is handed on as `unknown`, for a schema to decode.
 * Content scripts do without this module: it would be ten kilobytes in every page.
 */
import browser from "webextension-polyfill";

// Messages and ports

/** The listener answers with a promise, or with undefined where the message is not for it. */
export function onMessage(
  listener: (message: unknown, sender: unknown) => Promise<unknown> | undefined,
): void {
  browser.runtime.onMessage.addListener(listener);
}

/** Asks the background. Rejects if it died before it answered. */
export function sendToBackground(message: unknown): Promise<unknown> {
  return browser.runtime.sendMessage(message);
}

/** Opens a port to the background. `onEnd` comes once, when the other end is gone. Answers the function that closes it. */
export function connectToBackground(
  name: string,
  onMessage: (message: unknown) => void,
  onEnd: () => void,
): () => void {
  const port = browser.runtime.connect({ name });
  port.onMessage.addListener((message: unknown) => onMessage(message));
  port.onDisconnect.addListener(() => onEnd());
  return () => port.disconnect();
}

/** The background's end of a port. To send to one that is closed does nothing. */
export interface Connection {
  readonly name: string;
  readonly sender: unknown;
  send(message: unknown): void;
  onEnd(listener: () => void): void;
  close(): void;
}

export function onConnect(listener: (connection: Connection) => void): void {
  browser.runtime.onConnect.addListener((port) => {
    let isOpen = true;
    port.onDisconnect.addListener(() => {
      isOpen = false;
    });
    listener({
      name: port.name,
      sender: port.sender,
      send: (message) => {
        if (isOpen) port.postMessage(message);
      },
      onEnd: (onEnd) => port.onDisconnect.addListener(() => onEnd()),
      close: () => port.disconnect(),
    });
  });
}

// The extension itself

/** The id that the browser stamps on every message of this extension. */
export function extensionId(): string {
  return browser.runtime.id;
}

/** The address of a file of the extension, by its path from the root. */
export function extensionUrl(path: string): string {
  return browser.runtime.getURL(path);
}

/** `install` is the first installation; updates and the browser's own updates are `update`. */
export function onInstalled(listener: (reason: "install" | "update") => void): void {
  browser.runtime.onInstalled.addListener(({ reason }) =>
    listener(reason === "install" ? "install" : "update"),
  );
}

export function onStartup(listener: () => void): void {
  browser.runtime.onStartup.addListener(listener);
}

export interface Badge {
  /** An empty one takes the badge away. */
  readonly text: string;
  readonly colour: string;
  /** The name of the button in tabs that have no name of their own. */
  readonly title: string;
}

/** What stands on the toolbar's button. */
export async function setBadge({ text, colour, title }: Badge): Promise<void> {
  await browser.action.setBadgeBackgroundColor({ color: colour });
  await browser.action.setBadgeText({ text });
  await browser.action.setTitle({ title });
}

// Language

/** The message of `_locales` in the reader's language; empty where there is none. */
export function message(key: string): string {
  return browser.i18n.getMessage(key);
}

/** The language of the browser's own menus, BCP 47. */
export function browserLanguage(): string {
  return browser.i18n.getUILanguage();
}

// The toolbar's button

/** How the toolbar's button looks while this tab shows this page: the browser takes it back with the next one. */
export async function setTabIcon(
  tabId: number,
  icon: { readonly paths: Readonly<Record<number, string>>; readonly title: string },
): Promise<void> {
  const path = Object.fromEntries(
    Object.entries(icon.paths).map(([size, file]) => [size, browser.runtime.getURL(file)]),
  );
  await Promise.all([
    browser.action.setIcon({ tabId, path }),
    browser.action.setTitle({ tabId, title: icon.title }),
  ]);
}

// The menu and the keyboard

/** Puts one item into the context menu of pages and of the toolbar's button. The browser keeps it. */
export async function putMenuItem(id: string, title: string): Promise<void> {
  await browser.contextMenus.removeAll();
  browser.contextMenus.create({
    id,
    title,
    contexts: ["page", "action"],
    documentUrlPatterns: ["http://*/*", "https://*/*"],
  });
}

/** The reader chose an item; the tab is the one that the menu was opened in. */
export function onMenuItem(listener: (id: string | number, tab: Tab | undefined) => void): void {
  browser.contextMenus.onClicked.addListener((item, tab) => listener(item.menuItemId, asTab(tab)));
}

/** The reader pressed the keys of a command of the manifest. */
export function onCommand(listener: (name: string, tab: Tab | undefined) => void): void {
  browser.commands.onCommand.addListener((name, tab) => listener(name, asTab(tab)));
}

// Alarms

export function onAlarm(listener: (name: string) => void): void {
  browser.alarms.onAlarm.addListener((alarm) => listener(alarm.name));
}

/** Rings every `periodMinutes` (at least half a minute); setting it again with the same period changes nothing. */
export async function setRepeatingAlarm(name: string, periodMinutes: number): Promise<void> {
  const standing = await browser.alarms.get(name);
  if (standing?.periodInMinutes !== periodMinutes)
    browser.alarms.create(name, { periodInMinutes: periodMinutes });
}

/** Rings once at that time (milliseconds since 1970), or earlier where it was set so before. */
export async function setAlarm(name: string, timeMs: number): Promise<void> {
  const standing = await browser.alarms.get(name);
  if (standing === undefined || standing.scheduledTime > timeMs)
    browser.alarms.create(name, { when: timeMs });
}

/** As `setAlarm`, but later too: whatever time it was set to is forgotten. */
export async function moveAlarm(name: string, timeMs: number): Promise<void> {
  await browser.alarms.clear(name);
  browser.alarms.create(name, { when: timeMs });
}

export async function clearAlarm(name: string): Promise<void> {
  await browser.alarms.clear(name);
}

// Tabs and windows

export interface Tab {
  readonly id: number;
  readonly url: string;
  readonly isPrivate: boolean;
}

/** Opens a tab in front. Answers its id. */
export async function openTab(url: string): Promise<number | undefined> {
  return (await browser.tabs.create({ url, active: true })).id;
}

/**
 * The tab that the reader looks at, in the browser's own windows, whatever window of ours is in front of them.
 * Undefined where the extension may not know its address.
 */
export async function activeTab(): Promise<Tab | undefined> {
  const tabs = await browser.tabs.query({ active: true, windowType: "normal" });
  const [tab] = tabs.sort((a, b) => (b.lastAccessed ?? 0) - (a.lastAccessed ?? 0));
  return asTab(tab);
}

function asTab(tab: browser.Tabs.Tab | undefined): Tab | undefined {
  return tab?.id === undefined || tab.url === undefined
    ? undefined
    : { id: tab.id, url: tab.url, isPrivate: tab.incognito };
}

/** Tells of every change of address and every closing of a tab, until the returned function is called. */
export function watchTabs(listener: (tabId: number) => void): () => void {
  const onUpdated = (
    tabId: number,
    change: { readonly status?: string | undefined; readonly url?: string | undefined },
  ) => {
    if (change.status === "complete" || change.url !== undefined) listener(tabId);
  };
  browser.tabs.onUpdated.addListener(onUpdated);
  browser.tabs.onRemoved.addListener(listener);
  return () => {
    browser.tabs.onUpdated.removeListener(onUpdated);
    browser.tabs.onRemoved.removeListener(listener);
  };
}

/** Opens a small window of its own. Answers its id. */
export async function openWindow(
  url: string,
  widthPixels: number,
  heightPixels: number,
): Promise<number | undefined> {
  return (await browser.windows.create({ url, type: "popup", width: widthPixels, height: heightPixels })).id;
}

/** Brings a window to the front, out of the dock too. False if there is no such window any more. */
export async function focusWindow(windowId: number): Promise<boolean> {
  try {
    await browser.windows.update(windowId, { focused: true, state: "normal" });
    return true;
  } catch {
    return false;
  }
}

/** Closes a window that may be closed already. */
export async function closeWindow(windowId: number): Promise<void> {
  await browser.windows.remove(windowId).catch(() => undefined);
}

export function onWindowClosed(listener: (windowId: number) => void): void {
  browser.windows.onRemoved.addListener(listener);
}

// Scripts in pages

/** Runs `read(words)`, which may use nothing from outside of it, in the top frame of a tab, in the extension's own world. */
export async function readInTab(
  tabId: number,
  read: (words: readonly string[]) => unknown,
  words: readonly string[],
): Promise<unknown> {
  const [injection] = await browser.scripting.executeScript({ target: { tabId }, func: read, args: [words] });
  return injection?.result;
}

/**
 * Has `file` run from the start in every frame of these origins and nowhere else, until the browser closes, and at once in
 * pages of theirs that are open already. Not for longer: a browser writes what is to last on the disk, in clear.
 */
export async function registerScript(id: string, file: string, origins: readonly string[]): Promise<void> {
  const matches = [...new Set(origins.map(matchPattern))].sort();
  const [standing] = await browser.scripting.getRegisteredContentScripts({ ids: [id] });
  if (standing?.matches?.toSorted().join() === matches.join() && !standing.persistAcrossSessions) return;
  if (matches.length === 0) {
    if (standing !== undefined) await browser.scripting.unregisterContentScripts({ ids: [id] });
    return;
  }
  if (standing === undefined) {
    await browser.scripting.registerContentScripts([
      { id, js: [file], matches, allFrames: true, runAt: "document_start", persistAcrossSessions: false },
    ]);
  } else {
    await browser.scripting.updateContentScripts([{ id, matches, persistAcrossSessions: false }]);
  }
  await runInOpenPages(file, matches);
}

/** In each tab by itself: one that closes meanwhile, or shows an error page, is nobody's loss. */
async function runInOpenPages(file: string, matches: readonly string[]): Promise<void> {
  const tabs = await browser.tabs.query({ url: [...matches] });
  await Promise.allSettled(
    tabs.map(async ({ id }) => {
      if (id !== undefined)
        await browser.scripting.executeScript({ target: { tabId: id, allFrames: true }, files: [file] });
    }),
  );
}

/** Firefox's patterns know no port, so there another port of a known host hears the script, and gets no answer. */
function matchPattern(origin: string): string {
  const { protocol, host, hostname } = new URL(origin);
  return `${protocol}//${isFirefox() ? hostname : host}/*`;
}

function isFirefox(): boolean {
  return browser.runtime.getURL("").startsWith("moz-extension:");
}

// Requests

/**
 * Takes away what the browser itself adds to the extension's own requests and what tells one reader from another:
 * `Origin` (in Firefox an id per installation), cookies, and the languages. Requests of pages are not touched.
 */
export async function makeOwnRequestsNeutral(): Promise<void> {
  await browser.declarativeNetRequest.updateSessionRules({
    removeRuleIds: [NEUTRAL_REQUESTS_RULE],
    addRules: [
      {
        id: NEUTRAL_REQUESTS_RULE,
        condition: {
          initiatorDomains: [new URL(browser.runtime.getURL("")).host],
          tabIds: [NO_TAB],
          resourceTypes: ["xmlhttprequest", "other"],
        },
        action: {
          type: "modifyHeaders",
          requestHeaders: [
            { header: "origin", operation: "remove" },
            { header: "cookie", operation: "remove" },
            { header: "accept-language", operation: "set", value: "en" },
          ],
        },
      },
    ],
  });
}

const NEUTRAL_REQUESTS_RULE = 1;
const NO_TAB = -1;

// What is kept on this device

export async function readDevice(key: string): Promise<unknown> {
  return (await browser.storage.local.get(key))[key];
}

/** Undefined removes it. */
export async function writeDevice(key: string, value: unknown): Promise<void> {
  if (value === undefined) await browser.storage.local.remove(key);
  else await browser.storage.local.set({ [key]: value });
}

// What is kept until the browser closes, and no longer

export async function readSession(key: string): Promise<unknown> {
  return (await browser.storage.session.get(key))[key];
}

export async function writeSession(key: string, value: unknown): Promise<void> {
  await browser.storage.session.set({ [key]: value });
}
