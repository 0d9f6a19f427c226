/**
 * The built extension (`dist/chrome`) in the system's Chromium, with a fresh profile, for tests, tour and benchmarks.
 * Nothing but the test talks to the network: the browser's own traffic is switched off.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import {
  type BrowserContext,
  test as base,
  type CDPSession,
  chromium,
  type Page,
  type Worker,
} from "@playwright/test";
import { requireBrowser } from "../../scripts/browsers.ts";
import {
  APPROVE_PAGE,
  POPUP_PAGE,
  type UiRequestJson,
  type UiResponse,
  WELCOME_PAGE,
} from "../../shared/protocol/ui.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const POPUP_PIXELS = { width: 380, height: 620 };
const BACKGROUND_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 20_000;

export const BROWSER_FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-client-side-phishing-detection",
  "--disable-sync",
  "--disable-default-apps",
  "--metrics-recording-only",
  "--no-pings",
  "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,CertificateTransparencyComponentUpdater",
];

export interface LaunchOptions {
  /** A profile to use again, e.g. after a restart; without it a fresh one, removed at the end. */
  readonly profileFolder?: string;
  readonly headless?: boolean;
  /** Where the extension was built to; `dist/chrome` of this checkout if not given. */
  readonly extensionFolder?: string;
  readonly extraFlags?: readonly string[];
  /** What the browser itself speaks, and so the wallet: American English, wherever the test runs, if not given. */
  readonly language?: string;
}

export interface Extension {
  readonly context: BrowserContext;
  readonly extensionId: string;
  readonly profileFolder: string;
  /** The address of a file of the extension. */
  url(file: string): string;
  /** The page that opens by itself at the first start of a profile. */
  welcomePage(): Promise<Page>;
  /** The popup, in a window of its own, so that the tab behind it stays the active one. */
  openPopup(): Promise<Page>;
  /** The worker. While none runs, what is evaluated in it waits for the next one. */
  serviceWorker(): Promise<Worker>;
  isWorkerRunning(): Promise<boolean>;
  /** Ends the worker as the browser does, at any moment, and waits until it is gone. What wakes it starts another. */
  killWorker(): Promise<void>;
  /** The approval window that is open, or the next that opens: each once, because an answered one takes a while to close. */
  waitForApproval(): Promise<Page>;
  /** What a page of the extension would ask the background. */
  ask(request: UiRequestJson): Promise<UiResponse>;
  close(): Promise<void>;
}

/** A page of the extension that has nothing of its own to say. */
const BARE_PAGE = "extension/icons/16.png";
let barePages = 0;

export async function launchExtension(options: LaunchOptions = {}): Promise<Extension> {
  const extensionFolder = options.extensionFolder ?? path.join(ROOT, "dist/chrome");
  if (!existsSync(path.join(extensionFolder, "manifest.json")))
    throw new Error(`There is no extension in ${extensionFolder}. Run "npm run build".`);
  const profileFolder = options.profileFolder ?? (await mkdtemp(path.join(tmpdir(), "tuppence-chromium-")));
  const language = options.language ?? "en-US";
  const context = await chromium.launchPersistentContext(profileFolder, {
    executablePath: requireBrowser("chromium"),
    // On Linux Chromium takes its language from here.
    env: { ...process.env, LANGUAGE: language.replace("-", "_") },
    locale: language,
    headless: options.headless ?? true,
    viewport: null,
    args: [
      ...BROWSER_FLAGS,
      `--lang=${language}`,
      `--disable-extensions-except=${extensionFolder}`,
      `--load-extension=${extensionFolder}`,
      ...(options.extraFlags ?? []),
    ],
  });

  const serviceWorker = async () => {
    const [running] = context.serviceWorkers();
    return running ?? context.waitForEvent("serviceworker", { timeout: BACKGROUND_TIMEOUT_MS });
  };
  let session: Promise<CDPSession> | undefined;
  const browserSession = () => {
    const browser = context.browser();
    if (browser === null) throw new Error("the browser is gone");
    session ??= browser.newBrowserCDPSession();
    return session;
  };
  /** Playwright's own list keeps a worker that died. */
  const workerTarget = async () => {
    const { targetInfos } = await (await browserSession()).send("Target.getTargets");
    return targetInfos.find(({ type, url: at }) => type === "service_worker" && at.startsWith(url("")));
  };
  const extensionId = new URL((await serviceWorker()).url()).host;
  const url = (file: string) => `chrome-extension://${extensionId}/${file}`;
  const given = new WeakSet<Page>();

  /** Behind the tab that the reader looks at, which stays the active one: the wallet asks which that is. */
  const openBarePage = async () => {
    barePages += 1;
    const at = url(`${BARE_PAGE}#${barePages}`);
    await (await browserSession()).send("Target.createTarget", { url: at, background: true });
    return waitForPage(context, (page) => page.url() === at);
  };

  return {
    context,
    extensionId,
    profileFolder,
    url,
    serviceWorker,
    async welcomePage() {
      const isIt = (page: Page) => page.url().startsWith(url(WELCOME_PAGE));
      return waitForPage(context, isIt);
    },
    async waitForApproval() {
      const isNew = (page: Page) => page.url().startsWith(url(APPROVE_PAGE)) && !given.has(page);
      const window = await waitForPage(context, isNew);
      given.add(window);
      return window;
    },
    async openPopup() {
      // From a page, not from the worker: it may die of idleness at any moment, and what is asked of it then is never answered.
      const opener = await openBarePage();
      const before = new Set(context.pages());
      await opener.evaluate((window) => chrome.windows.create(window), {
        url: url(POPUP_PAGE),
        type: "popup" as const,
        ...POPUP_PIXELS,
      });
      // Not just any page that opens now: the welcome page may, too.
      const isPopup = (page: Page) => page.url() === url(POPUP_PAGE) && !before.has(page);
      const popup = await waitForPage(context, isPopup);
      await opener.close();
      return popup;
    },
    isWorkerRunning: async () => (await workerTarget()) !== undefined,
    async killWorker() {
      const target = await workerTarget();
      if (target === undefined) throw new Error("the worker is not running");
      const worker = await serviceWorker();
      await worker.evaluate((mark) => Object.assign(globalThis, { [mark]: true }), LIFE_MARK);
      await (await browserSession()).send("Target.closeTarget", { targetId: target.targetId });
      const isAlive = () => worker.evaluate((mark) => mark in globalThis, LIFE_MARK).catch(() => false);
      // A page of ours may have woken the next one already; that one knows nothing of the mark.
      while ((await workerTarget()) !== undefined && (await Promise.race([isAlive(), pause(true)])))
        await pause();
    },
    async ask(request) {
      const page = await openBarePage();
      try {
        const answered = page.evaluate((message) => chrome.runtime.sendMessage(message), request);
        const late = new Promise<never>((_, reject) => {
          setTimeout(() => reject(new Error("the background did not answer")), ANSWER_TIMEOUT_MS).unref();
        });
        return await Promise.race([answered, late]);
      } finally {
        await page.close();
      }
    },
    async close() {
      await context.close();
      if (options.profileFolder === undefined) await rm(profileFolder, { recursive: true, force: true });
    },
  };
}

/** The wallet's own clock, from now on so much ahead, and that of these pages. The worker must live on meanwhile. */
export async function turnClock(
  extension: Extension,
  milliseconds: number,
  pages: readonly Page[] = [],
): Promise<void> {
  const turn = (ahead: number) => {
    const before = Date.now;
    Date.now = () => before() + ahead;
  };
  const worker = await extension.serviceWorker();
  await worker.evaluate(turn, milliseconds);
  for (const page of pages) await page.evaluate(turn, milliseconds);
}

/** What the worker waits for, from now on so many times shorter. It must live on meanwhile. */
export async function hurry(extension: Extension, times: number): Promise<void> {
  const worker = await extension.serviceWorker();
  await worker.evaluate((shorter) => {
    const before = setTimeout;
    Object.assign(globalThis, {
      setTimeout: (ring: () => void, milliseconds = 0) => before(ring, milliseconds / shorter),
    });
  }, times);
}

const LIFE_MARK = "lifeBeforeKill";
const PAUSE_MS = 20;
/** A page that is asked between two documents may not answer at all. */
const LOOK_AGAIN_MS = 2_000;

function pause<T>(value?: T, milliseconds = PAUSE_MS): Promise<T | undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, value));
}

/** Until a page that just opened is all there. Asked of the page: the event may have been over before anybody listened for it. */
export async function waitForLoad(page: Page): Promise<void> {
  const end = Date.now() + BACKGROUND_TIMEOUT_MS;
  const isLoaded = () => page.evaluate(() => document.readyState === "complete").catch(() => false);
  while (page.url() === "about:blank" || !(await Promise.race([isLoaded(), pause(false, LOOK_AGAIN_MS)]))) {
    if (page.isClosed() || Date.now() > end) throw new Error(`${page.url()} did not load`);
    await pause();
  }
}

/** By looking again and again: a page may have its address only some time after it was opened. */
async function waitForPage(context: BrowserContext, isIt: (page: Page) => boolean): Promise<Page> {
  const end = Date.now() + BACKGROUND_TIMEOUT_MS;
  for (;;) {
    const page = context.pages().find(isIt);
    if (page) {
      await waitForLoad(page);
      return page;
    }
    if (Date.now() > end)
      throw new Error(
        `the page that was waited for did not open; these are: ${await describePages(context)}`,
      );
    await pause();
  }
}

/** Addresses, and on pages of merchants what our elements say. */
async function describePages(context: BrowserContext): Promise<string> {
  const elements = () =>
    Array.from(document.querySelectorAll("tuppence-paywall, tuppence-tip"), (element) => {
      const line = element.shadowRoot?.textContent ?? "no shadow root";
      return `${element.localName} (${element.getAttribute("state")}: ${line})`;
    });
  const described = context.pages().map(async (page) => {
    const ours = await Promise.race([
      page.evaluate(elements).catch(String),
      pause("does not answer", LOOK_AGAIN_MS),
    ]);
    return [page.url(), ours].flat().join(" ");
  });
  return (await Promise.all(described)).join(", ");
}

/** A test with an extension of its own: `test("…", async ({ extension }) => …)`. */
export const test = base.extend<{ extension: Extension }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from this pattern.
  extension: async ({}, use) => {
    const extension = await launchExtension();
    await use(extension);
    await extension.close();
  },
});

export { expect } from "@playwright/test";
