import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { chromium, type Page } from "@playwright/test";
import { weight } from "../../bench/weight.ts";
import { requireBrowser } from "../../scripts/browsers.ts";
import { ANNOUNCE_WALLET_EVENT, RESPONSE_EVENT } from "../../shared/protocol/page.ts";
import { APPROVE_PAGE, OPTIONS_PAGE, POPUP_PAGE, WELCOME_PAGE } from "../../shared/protocol/ui.ts";
import { expect, test } from "../support/extension.ts";
import { type Site, serveSite } from "../support/site.ts";

const DIST = path.resolve(import.meta.dirname, "../../dist");

/** Looks for the wallet in every way that a page has, and leaves what it sees in `probe`. */
const PROBE = `
  const seen = [];
  for (const event of ["${ANNOUNCE_WALLET_EVENT}", "${RESPONSE_EVENT}"]) document.addEventListener(event, () => seen.push(event));
  const requests = ["not json", "{}", JSON.stringify({ v: 1, id: "probe-0001", type: "nonsense", payload: {} })];
  for (const type of ["pay", "tip", "entitlement", "status"]) {
    requests.push(JSON.stringify({ v: 1, id: "probe-" + type, type, payload: { offer: {}, mode: "direct", least: "1", most: "2", merchant: "m", resource: location.href, challenge: "0123456789abcdef", paymentId: "p" } }));
  }
  const ask = () => {
    document.dispatchEvent(new Event("tuppence:request-wallet"));
    for (const detail of requests) document.dispatchEvent(new CustomEvent("tuppence:request", { detail }));
  };
  ask();
  addEventListener("DOMContentLoaded", ask);
  addEventListener("load", () => {
    ask();
    for (const element of document.querySelectorAll("*")) {
      element.click();
      element.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
    }
    ask();
  });
  // What a page can enumerate of its own world and document, compared with a browser without the extension.
  const world = () => ({
    globals: Object.getOwnPropertyNames(window).sort(),
    chrome: Object.getOwnPropertyNames(globalThis.chrome ?? {}).sort(),
    html: document.documentElement.outerHTML,
    sheets: document.styleSheets.length + document.adoptedStyleSheets.length,
    resources: performance.getEntriesByType("resource").map(({ name }) => name),
  });
`;

const HTML = `<!doctype html><meta charset="utf-8"><title>Probe</title><link rel="icon" href="data:,"><script>${PROBE}</script>
  <tuppence-paywall><button id="buy">Read on</button></tuppence-paywall><p id="elsewhere">Nothing for sale</p>`;

let site: Site;
test.beforeAll(async () => {
  site = await serveSite({
    "/": { html: HTML },
    "/plain": { html: '<!doctype html><link rel="icon" href="data:,"><p>Plain</p>' },
  });
});
test.afterAll(() => site.close());

test("the first start does not leave the reader without a welcome", async ({ extension }) => {
  const welcome = await extension.welcomePage();
  await expect(welcome.locator("main")).not.toBeEmpty();
});

test("no page of the wallet waits for a style sheet, nor is without its styles", async ({ extension }) => {
  const page = await extension.context.newPage();
  for (const file of [POPUP_PAGE, APPROVE_PAGE, OPTIONS_PAGE, WELCOME_PAGE]) {
    await page.goto(extension.url(file));
    const { ground, sheets } = await page.evaluate(() => ({
      ground: getComputedStyle(document.documentElement).getPropertyValue("--ground"),
      sheets: [...document.styleSheets].map(({ href }) => href),
    }));
    expect(ground, file).not.toBe("");
    expect(sheets, file).toEqual([null]);
  }
});

for (const browser of ["chrome", "firefox"]) {
  test(`the manifest for ${browser} opens no file of ours to pages, and asks for no more than it uses`, () => {
    const manifest = JSON.parse(readFileSync(path.join(DIST, browser, "manifest.json"), "utf8"));
    expect(manifest.web_accessible_resources).toBeUndefined();
    expect(manifest.externally_connectable).toBeUndefined();
    expect(manifest.permissions).toEqual([
      "alarms",
      "contextMenus",
      "declarativeNetRequestWithHostAccess",
      "scripting",
      "storage",
    ]);
    expect(manifest.content_scripts).toHaveLength(1);
    for (const file of [manifest.content_scripts[0].js[0], "extension/content/known-site.js"])
      expect(existsSync(path.join(DIST, browser, file)), file).toBe(true);
  });
}

test("a page that probes for the wallet finds nothing that a browser without it would not show", async ({
  extension,
}) => {
  await extension.welcomePage();
  const page = await extension.context.newPage();
  await page.goto(`${site.origin}/`);
  const withWallet = await look(page);
  expect(await page.evaluate("seen")).toEqual([]);
  expect(
    await page.evaluate(tryToLoad, [
      `${extension.url("manifest.json")}`,
      extension.url("extension/content/doorbell.js"),
      extension.url("extension/icons/16.png"),
    ]),
  ).toEqual(["refused", "refused", "refused"]);

  const bare = await chromium.launch({ executablePath: requireBrowser("chromium"), args: ["--no-sandbox"] });
  try {
    const barePage = await bare.newPage();
    await barePage.goto(`${site.origin}/`);
    expect(withWallet).toEqual(await look(barePage));
  } finally {
    await bare.close();
  }
});

test("a click on something else does not give the wallet away, a click to pay does", async ({
  extension,
}) => {
  const page = await extension.context.newPage();
  await page.goto(`${site.origin}/`);
  await page.click("#elsewhere");
  await page.evaluate("ask()");
  expect(await page.evaluate("seen")).toEqual([]);
  await page.click("#buy");
  await page.evaluate("ask()");
  expect(await page.evaluate("seen")).toContain(ANNOUNCE_WALLET_EVENT);
});

test("no page loads more than it may: what a module brings along unasked shows here", async () => {
  const weighed = (await weight.measure()).filter(({ aim }) => aim !== undefined);
  expect(weighed.length).toBeGreaterThanOrEqual(3);
  expect(weighed.filter(({ value, aim = 0 }) => value > aim)).toEqual([]);
});

test("a page that nobody pays on does not wake the background", async ({ extension }) => {
  await extension.welcomePage().then((welcome) => welcome.close());
  const page = await extension.context.newPage();
  await extension.killWorker();
  await page.goto(`${site.origin}/`);
  await page.evaluate("ask()");
  await page.goto(`${site.origin}/plain`);
  await page.click("p");
  expect(await extension.isWorkerRunning()).toBe(false);
});

/** Everything after the page has settled, twice, so that an answer that comes late is seen too. */
async function look(page: Page): Promise<unknown> {
  await page.waitForLoadState("load");
  const first = await page.evaluate("world()");
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
  expect(await page.evaluate("world()")).toEqual(first);
  return first;
}

/** Each as fetch, picture and frame. */
async function tryToLoad(urls: readonly string[]): Promise<string[]> {
  const loads = (element: HTMLImageElement | HTMLScriptElement, url: string) =>
    new Promise<boolean>((resolve) => {
      element.onload = () => resolve(true);
      element.onerror = () => resolve(false);
      element.src = url;
      document.head.append(element);
    });
  return Promise.all(
    urls.map(async (url) => {
      const answers = [
        await fetch(url).then(
          () => true,
          () => false,
        ),
        await loads(new Image(), url),
        await loads(document.createElement("script"), url),
      ];
      return answers.some(Boolean) ? "loaded" : "refused";
    }),
  );
}
