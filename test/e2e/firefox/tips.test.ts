import { afterAll, beforeAll, expect, it } from "vitest";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import { approveCheckout, askWallet, snapshotOf, waitFor } from "../../support/firefox-reader.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import { type RunningProvider, startProvider } from "../../support/provider.ts";

const LIT = "Tuppence – this page takes tips";

let provider: RunningProvider;
let site: MerchantSite;
let firefox: FirefoxExtension;

beforeAll(async () => {
  provider = await startProvider();
  site = await startMerchantSite(provider);
  const head = `<link rel="monetization" href="${provider.origin}/merchants/${site.id}">`;
  site.publish("/tip.html", `<!doctype html><title>On fog</title>${head}<p>Fog.</p>`);
  site.publish("/none.html", "<!doctype html><title>None</title><p>Nothing.</p>");
  firefox = await launchFirefox();
});
afterAll(async () => {
  await firefox?.close();
  await site?.close();
  await provider?.close();
});

it("in Firefox a page with a link lights the icon, and its merchant is tipped", async () => {
  await askWallet(firefox, { kind: "ui", type: "createWallet", provider: provider.origin });
  const page = await firefox.browser.newPage();
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
