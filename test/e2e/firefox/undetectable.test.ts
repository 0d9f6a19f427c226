/** As ../undetectable.spec.ts, in Firefox: a page that the reader never dealt with cannot tell whether there is a wallet. */
import type { Browser } from "puppeteer-core";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBareFirefox, launchFirefox } from "../../support/firefox.ts";
import { mutateExtension, TELLTALE, waysToTellApart } from "../../support/mutated-extension.ts";
import {
  DONE_TITLE,
  type ProbingSite,
  READY_TITLE,
  Sightings,
  serveProbingSite,
} from "../../support/probing-page.ts";
import { isThorough } from "../../support/thorough.ts";

const FILES = [
  "manifest.json",
  "extension/content/doorbell.js",
  "extension/icons/16.png",
  "no/such/file.png",
];

describe("in Firefox", () => {
  let site: ProbingSite;
  let withoutWallet: Sightings;
  beforeAll(async () => {
    site = await serveProbingSite();
  });
  afterAll(() => site.close());

  it("a page finds nothing that a browser without the wallet would not show, however it looks", async () => {
    const firefox = await launchFirefox();
    const addresses = FILES.map(firefox.url);
    const found = await probe(firefox.browser, site.addressOf(addresses));
    await firefox.close();
    const bare = await launchBareFirefox();
    withoutWallet = await probe(bare, site.addressOf(addresses));
    await bare.close();
    expect(found).toEqual(withoutWallet);
    expect(found.timing).toEqual({ request: false, wallet: false });
  });

  if (isThorough)
    it("the same page finds out a wallet that answers, listens, changes the page or opens its files", async () => {
      const mutated = mutateExtension("firefox", TELLTALE);
      try {
        const firefox = await launchFirefox({ extensionFolder: mutated.folder });
        const found = await probe(firefox.browser, site.addressOf(FILES.map(firefox.url)));
        await firefox.close();
        expect(waysToTellApart(found, withoutWallet)).toEqual(Object.keys(Sightings.entries).sort());
        expect(found.timing).toEqual({ request: true, wallet: true });
      } finally {
        mutated.remove();
      }
    });
});

async function probe(browser: Browser, address: string): Promise<Sightings> {
  const page = await browser.newPage();
  await page.goto(address);
  await page.waitForFunction((title) => document.title === title, {}, READY_TITLE);
  await page.click("#elsewhere");
  await page.waitForFunction((title) => document.title === title, {}, DONE_TITLE);
  const report = await page.$eval("#report", ({ textContent }) => textContent);
  await page.close();
  return v.parse(Sightings, JSON.parse(report ?? ""));
}
