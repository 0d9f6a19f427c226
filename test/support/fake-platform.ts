/**
 * Stands in for `extension/platform.ts` in unit tests of the background: a browser in memory, which keeps its session, its
 * windows and its alarms when a test loads the background afresh, as a browser does.
 */
import type * as Platform from "../../extension/platform.ts";
import { ENGLISH } from "../../extension/ui/fixtures/english.ts";

export const EXTENSION_ID = "abcdefghijklmnopabcdefghijklmnop";
const ROOT = `chrome-extension://${EXTENSION_ID}/`;

export interface FakeBrowser {
  readonly platform: Partial<typeof Platform>;
  readonly session: Map<string, unknown>;
  /** What lasts longer than a session. */
  readonly device: Map<string, unknown>;
  /** What stands on the toolbar's button. */
  badge: Platform.Badge | undefined;
  /** Addresses of the windows that are open, by id. */
  readonly windows: Map<number, string>;
  readonly focused: number[];
  readonly alarms: Map<string, number>;
  readonly tabs: string[];
  /** What the reader looks at, and what comes of it where the background runs `read` in there. */
  active: Platform.Tab | undefined;
  /** The title of the toolbar's button, by tab. */
  readonly titles: Map<number, string>;
  page: (read: () => unknown) => Promise<unknown>;
  /** How the rule that takes the reader's marks off a request is put in place. */
  rule: () => Promise<void>;
  /** True while the background hears of tabs. */
  readonly isWatchingTabs: () => boolean;
  readonly moveTab: (tabId: number) => void;
  /** What a dead background listened to, nobody listens to any more. */
  readonly endBackground: () => void;
}

export function makeFakeBrowser(): FakeBrowser {
  let nextId = 1;
  const tabListeners = new Set<(tabId: number) => void>();
  const browser: FakeBrowser = {
    session: new Map(),
    device: new Map(),
    badge: undefined,
    windows: new Map(),
    focused: [],
    alarms: new Map(),
    tabs: [],
    active: undefined,
    titles: new Map(),
    page: async (read) => read(),
    rule: async () => undefined,
    isWatchingTabs: () => tabListeners.size > 0,
    moveTab: (tabId) => {
      for (const listener of tabListeners) listener(tabId);
    },
    endBackground: () => tabListeners.clear(),
    platform: {
      extensionId: () => EXTENSION_ID,
      extensionUrl: (path) => ROOT + path,
      readSession: async (key) => structuredClone(browser.session.get(key)),
      writeSession: async (key, value) => void browser.session.set(key, structuredClone(value)),
      readDevice: async (key) => structuredClone(browser.device.get(key)),
      writeDevice: async (key, value) => {
        if (value === undefined) browser.device.delete(key);
        else browser.device.set(key, structuredClone(value));
      },
      setBadge: async (badge) => {
        browser.badge = badge;
      },
      registerScript: async () => undefined,
      openWindow: async (url) => {
        const id = nextId++;
        browser.windows.set(id, url);
        return id;
      },
      focusWindow: async (id) => {
        if (browser.windows.has(id)) browser.focused.push(id);
        return browser.windows.has(id);
      },
      message: (key) => ENGLISH.message(key),
      setTabIcon: async (tabId, { title }) => void browser.titles.set(tabId, title),
      openTab: async (url) => {
        browser.tabs.push(url);
        return nextId++;
      },
      activeTab: async () => browser.active,
      readInTab: (_tabId, read, words) => browser.page(() => read(words)),
      watchTabs: (listener) => {
        tabListeners.add(listener);
        return () => void tabListeners.delete(listener);
      },
      setRepeatingAlarm: async (name, periodMinutes) => void browser.alarms.set(name, periodMinutes),
      setAlarm: async (name, timeMs) => void browser.alarms.set(name, timeMs),
      moveAlarm: async (name, timeMs) => void browser.alarms.set(name, timeMs),
      clearAlarm: async (name) => void browser.alarms.delete(name),
      makeOwnRequestsNeutral: () => browser.rule(),
    },
  };
  return browser;
}
