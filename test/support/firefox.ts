/**
 * The built extension (`dist/firefox`) in the system's Firefox, driven over WebDriver BiDi, with a fresh profile.
 * Nothing but the test talks to the network: the browser's own traffic is switched off.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { requireBrowser } from "../../scripts/browsers.ts";
import {
  APPROVE_PAGE,
  POPUP_PAGE,
  type UiRequestJson,
  type UiResponse,
  WELCOME_PAGE,
} from "../../shared/protocol/ui.ts";

const DIST = path.resolve(import.meta.dirname, "../../dist/firefox");
const PAGE_TIMEOUT_MS = 20_000;
const LOOK_AGAIN_MS = 100;

/** Firefox asks its makers' servers for many things by itself. */
const QUIET_PREFERENCES = {
  "app.update.disabledForTesting": true,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.safebrowsing.update.enabled": false,
  "browser.region.network.url": "",
  "browser.search.update": false,
  "captivedetect.canonicalURL": "",
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.http.http3.enable": false,
  "network.prefetch-next": false,
  "extensions.update.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "extensions.systemAddon.update.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "media.gmp-manager.updateEnabled": false,
  "dom.push.connection.enabled": false,
};

export interface FirefoxExtension {
  readonly browser: Browser;
  url(file: string): string;
  welcomePage(): Promise<Page>;
  /** The popup, in a window of its own. */
  openPopup(): Promise<Page>;
  /** The next approval window that was not given yet: the one before may still say for a moment that it is paid. */
  waitForApproval(): Promise<Page>;
  ask(request: UiRequestJson): Promise<UiResponse>;
  close(): Promise<void>;
}

export interface FirefoxOptions {
  /** Where the extension was built to; `dist/firefox` of this checkout if not given. */
  readonly extensionFolder?: string;
  /** A profile to use again after a restart; without it a fresh one, removed at the end. */
  readonly profileFolder?: string;
  /** As in `about:config`. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>;
}

export async function launchFirefox(options: FirefoxOptions = {}): Promise<FirefoxExtension> {
  const { extensionFolder = DIST, profileFolder } = options;
  const manifestFile = path.join(extensionFolder, "manifest.json");
  if (!existsSync(manifestFile))
    throw new Error(`There is no extension in ${extensionFolder}. Run "npm run build".`);
  const { browser_specific_settings: settings } = JSON.parse(readFileSync(manifestFile, "utf8"));
  // Firefox makes an id per installation; here it is known beforehand, so that its pages can be opened.
  const host = profileFolder === undefined ? randomUUID() : hostIn(profileFolder);
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: requireBrowser("firefox"),
    headless: true,
    ...(profileFolder === undefined ? {} : { userDataDir: profileFolder }),
    args: ["-remote-allow-system-access"],
    extraPrefsFirefox: {
      ...QUIET_PREFERENCES,
      ...options.preferences,
      // It was installed for one run of the browser only, and leaves with it; what it stored stays with the profile.
      "extensions.webextensions.keepStorageOnUninstall": true,
      "extensions.webextensions.keepUuidOnUninstall": true,
      "extensions.webextensions.uuids": JSON.stringify({ [settings.gecko.id]: host }),
    },
  });
  await browser.installExtension(extensionFolder);

  const url = (file: string) => `moz-extension://${host}/${file}`;
  const open = async (file: string) => {
    const page = await browser.newPage();
    // Firefox does not report the navigation of such a page, so nobody waits for that report.
    page.goto(url(file), { timeout: 0 }).catch(() => undefined);
    return findPage(browser, url(file), async () => [page]);
  };
  let asking: Promise<Page> | undefined;
  const given = new WeakSet<Page>();
  return {
    browser,
    url,
    welcomePage: () => findPage(browser, url(WELCOME_PAGE)),
    async waitForApproval() {
      const window = await findPage(browser, url(APPROVE_PAGE), async () =>
        (await browser.pages()).filter((page) => !given.has(page)),
      );
      given.add(window);
      return window;
    },
    openPopup: () => open(POPUP_PAGE),
    // One page for all questions: Firefox makes a new tab beside the last one, which must not be closing meanwhile.
    async ask(request) {
      asking ??= open(POPUP_PAGE);
      return (await asking).evaluate((message) => chrome.runtime.sendMessage(message), request);
    },
    close: () => browser.close(),
  };
}

/** Without the extension. */
export function launchBareFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: requireBrowser("firefox"),
    headless: true,
    args: ["-remote-allow-system-access"],
    extraPrefsFirefox: { ...QUIET_PREFERENCES },
  });
}

/** The same at each start with a profile: by it Firefox finds what the extension stored. */
function hostIn(profileFolder: string): string {
  const file = path.join(profileFolder, "tuppence-host");
  if (!existsSync(file)) writeFileSync(file, randomUUID());
  return readFileSync(file, "utf8");
}

/** Pages of an extension report `about:blank` as their address, so each is asked for its own. */
async function findPage(
  browser: Browser,
  address: string,
  among: () => Promise<readonly Page[]> = () => browser.pages(),
): Promise<Page> {
  const deadline = Date.now() + PAGE_TIMEOUT_MS;
  while (Date.now() < deadline) {
    for (const page of await among()) {
      const at = await page
        .evaluate(() => (document.readyState === "complete" ? location.href : ""))
        .catch(() => "");
      if (at.startsWith(address)) return page;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new Error(`no page at ${address} after ${PAGE_TIMEOUT_MS} ms`);
}
