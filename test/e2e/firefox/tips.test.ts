/** Tips in Firefox, and what only Firefox lets a test see: the browser's own menu, and what its toolbar draws. */
import type { ElementHandle, Page } from "puppeteer-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import { approveCheckout, askWallet, snapshotOf, waitFor } from "../../support/firefox-reader.ts";
import { browserWindow, type FirefoxWindow, type Pixel } from "../../support/firefox-window.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import { type RunningProvider, startProvider } from "../../support/provider.ts";

const LIT = "Tuppence – this page takes tips";
/** Of provider, site, browser and wallet together. */
const START_TIMEOUT_MS = 300_000;
const MENU_ITEM = "Tip this site";
/** Of `extension/icons/lit-small.svg`, and of nothing in the dark one. */
const LIGHT: Pixel = [0xf0, 0xb4, 0x29];
/** Of 255, in each of the three. */
const SAME_COLOUR = 12;
/** What the light fills of the sixteen by sixteen, but for its edges. */
const LEAST_LIGHT_PIXELS = 40;
const PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

let provider: RunningProvider;
let site: MerchantSite;
let firefox: FirefoxExtension;
let window: FirefoxWindow;
/** One for all: a new one is made beside the last window, which may be a question that is just closing. */
let page: Page;

beforeAll(async () => {
  provider = await startProvider();
  site = await startMerchantSite(provider);
  const head = `<link rel="monetization" href="${provider.origin}/merchants/${site.id}">`;
  site.publish(
    "/tip.html",
    `<!doctype html><title>On fog</title>${head}<p>Fog.</p><a href="/none.html">On</a><img alt="" width="40" height="40" src="${PICTURE}"><input>`,
  );
  site.publish("/none.html", "<!doctype html><title>None</title><p>Nothing.</p>");
  firefox = await launchFirefox();
  window = await browserWindow(firefox.browser);
  await askWallet(firefox, { kind: "ui", type: "createWallet", provider: provider.origin });
  page = await firefox.browser.newPage();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await firefox?.close();
  await site?.close();
  await provider?.close();
});

it("in Firefox the toolbar does not draw the dark icon over a page that takes tips, nor the lit one over another", async () => {
  const expectLight = (isLit: boolean) =>
    waitFor(async () => {
      const pixels = lightIn(await window.drawnIcon());
      return isLit ? pixels >= LEAST_LIGHT_PIXELS : pixels === 0;
    });
  await page.bringToFront();
  await page.goto(site.addressOf("/none.html"));
  await expectLight(false);
  await page.goto(site.addressOf("/tip.html"));
  await expectLight(true);
  await page.goto(site.addressOf("/none.html"));
  await expectLight(false);
});

it("in Firefox the menu's item is not missing on a page and on the wallet's button, nor offered where it has no place", async () => {
  await page.goto(site.addressOf("/tip.html"));
  const offers = async (on: Page, selector: string) =>
    (await window.menuOn(on, await found(on, selector))).includes(MENU_ITEM);
  expect(await offers(page, "p")).toBe(true);
  expect(await window.menuOnButton()).toContain(MENU_ITEM);
  for (const other of ["a", "img", "input"]) expect(await offers(page, other), other).toBe(false);
  // A menu of theirs does open in the wallet's own pages.
  const own = await firefox.openPopup();
  expect(await window.menuOn(own, await found(own, "#root"))).not.toEqual([]);
  expect(await offers(own, "#root"), "in the wallet's own page").toBe(false);
  await own.close();
});

it("in Firefox a page with a link lights the icon, and its merchant is tipped", async () => {
  await page.goto(site.addressOf("/tip.html"));
  await waitFor(async () => (await titleOf("/tip.html")) === LIT);
  await page.goto(site.addressOf("/none.html"));
  await waitFor(async () => (await titleOf("/none.html")) === "Tuppence");
  await page.goto(site.addressOf("/tip.html"));
  await waitFor(async () => (await titleOf("/tip.html")) === LIT);

  await askWallet(firefox, { kind: "ui", type: "topUp", amount: "5000000" });
  await approveCheckout(firefox, provider);
  await page.bringToFront();
  await askWallet(firefox, { kind: "ui", type: "startTip" });
  const question = await firefox.waitForApproval();
  await question.waitForSelector("::-p-text(Test Site)");
  await question.locator("button[type=submit]:not([disabled])").click();
  await waitFor(async () => (await snapshotOf(firefox)).payments[0]?.state === "paid");
  expect((await snapshotOf(firefox)).balance.total).toBe(4_900_000n);
});

it("in Firefox a tip does not need more than the right button, the arrow key and Enter: the question comes, and is paid", async () => {
  const before = (await snapshotOf(firefox)).balance.total;
  await page.goto(site.addressOf("/tip.html"));
  await window.chooseOn(page, await found(page, "p"), MENU_ITEM);
  const question = await firefox.waitForApproval();
  await question.waitForSelector("::-p-text(A tip to Test Site)");
  await question.locator("button[type=submit]:not([disabled])").click();
  await waitFor(async () => (await snapshotOf(firefox)).balance.total === before - 100_000n);
});

function lightIn(pixels: readonly Pixel[]): number {
  const isLight = (pixel: Pixel) =>
    pixel.every((part, index) => Math.abs(part - (LIGHT[index] ?? 0)) <= SAME_COLOUR);
  return pixels.filter(isLight).length;
}

async function found(page: Page, selector: string): Promise<ElementHandle> {
  const element = await page.$(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

/** What the toolbar's button says over the tab that shows this page. */
async function titleOf(path: string): Promise<string> {
  const popup = await firefox.openPopup();
  try {
    return await popup.evaluate(
      async (address) => {
        const [tab] = await chrome.tabs.query({ url: address });
        return chrome.action.getTitle(tab?.id === undefined ? {} : { tabId: tab.id });
      },
      site.addressOf(path).replace(/:\d+/, ""),
    );
  } finally {
    await popup.close();
  }
}
