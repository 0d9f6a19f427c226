import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import { setUpWallet, snapshotOf, topUp } from "../../support/firefox-reader.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import { type RunningProvider, startProvider } from "../../support/provider.ts";

/** Of five dollars, after 5¢ and 2¢. */
const LEFT = 4_930_000n;
const PAID = "The last paragraph, which was paid for.";

describe("in Firefox", () => {
  let provider: RunningProvider;
  let site: MerchantSite;
  let firefox: FirefoxExtension;
  let profileFolder: string;

  beforeAll(async () => {
    profileFolder = mkdtempSync(join(tmpdir(), "tuppence-firefox-"));
    provider = await startProvider();
    site = await startMerchantSite(provider);
    await site.publishArticle("/a.html", {
      title: "An article",
      paid: `<p id="paid">${PAID}</p>`,
      price: "5¢",
    });
    await site.publishArticle("/b.html", { title: "Another", paid: `<p id="paid">${PAID}</p>`, price: "2¢" });
    firefox = await launchFirefox({ profileFolder });
  });
  afterAll(async () => {
    await firefox?.close();
    await site?.close();
    await provider?.close();
    rmSync(profileFolder, { recursive: true, force: true });
  });

  it("a reader tops up, pays in the wallet's own window, and reads; then inside the budget with one click", async () => {
    await setUpWallet(firefox, provider);
    const popup = await topUp(firefox, provider);
    await popup.waitForFunction(() => document.querySelector("#balance")?.textContent === "$5.00");
    // Firefox, too, lets the styles in that stand in the page, by their hashes.
    expect(await popup.evaluate(() => getComputedStyle(document.body).width)).toBe("360px");

    const page = await firefox.browser.newPage();
    await page.goto(site.addressOf("/a.html"));
    expect(await page.content()).not.toContain(PAID);
    await page.locator("tuppence-paywall >>> button").click();
    const question = await firefox.waitForApproval();
    await question.waitForSelector("::-p-text(Test Site)");
    await question.locator("#allow").click();
    await question.locator("button[type=submit]:not([disabled])").click();
    await page.waitForSelector("tuppence-paywall[state=open]");
    expect(await page.$eval("#paid", (element) => element.textContent)).toBe(PAID);

    await page.goto(site.addressOf("/b.html"));
    await page.locator("tuppence-paywall >>> button").click();
    await page.waitForSelector("tuppence-paywall[state=open]");
    expect((await snapshotOf(firefox)).balance.total).toBe(LEFT);
  });

  it("what was bought opens in a new tab, and is not paid again", () => comeBack(firefox, site));

  it("what was bought is not forgotten with the browser's restart, nor is the balance", async () => {
    await firefox.close();
    firefox = await launchFirefox({ profileFolder });
    expect((await snapshotOf(firefox)).balance.total).toBe(LEFT);
    await comeBack(firefox, site);
  });
});

/** Both articles, without a click. */
async function comeBack(firefox: FirefoxExtension, site: MerchantSite): Promise<void> {
  for (const path of ["/a.html", "/b.html"]) {
    const page = await firefox.browser.newPage();
    await page.goto(site.addressOf(path));
    await page.waitForSelector("tuppence-paywall[state=open]");
    expect(await page.$eval("#paid", (element) => element.textContent)).toBe(PAID);
    await page.close();
  }
  const { balance, payments, approvals } = await snapshotOf(firefox);
  expect(balance.total).toBe(LEFT);
  expect(payments).toHaveLength(2);
  expect(approvals.filter(({ state }) => state === "asking")).toEqual([]);
}
