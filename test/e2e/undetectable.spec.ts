/** A page that the reader never dealt with cannot tell a browser with the wallet from one without. */
import { type BrowserContext, chromium, type Page } from "@playwright/test";
import * as v from "valibot";
import { requireBrowser } from "../../scripts/browsers.ts";
import { BROWSER_FLAGS, type Extension, expect, launchExtension, test } from "../support/extension.ts";
import {
  type MutatedExtension,
  mutateExtension,
  TELLTALE,
  waysToTellApart,
} from "../support/mutated-extension.ts";
import {
  DONE_TITLE,
  type ProbingSite,
  READY_TITLE,
  Sightings,
  serveProbingSite,
} from "../support/probing-page.ts";
import { THOROUGH } from "../support/thorough.ts";

const FILES = [
  "manifest.json",
  "extension/content/doorbell.js",
  "extension/icons/16.png",
  "no/such/file.png",
];

let site: ProbingSite;
let addresses: readonly string[];
let withoutWallet: Sightings;

test.beforeAll(async () => {
  site = await serveProbingSite();
});
test.afterAll(() => site.close());

test("a page finds nothing that a browser without the wallet would not show, however it looks", async () => {
  const extension = await launchExtension();
  addresses = addressesOf(extension);
  const found = await probe(extension.context);
  await extension.close();

  const bare = await chromium.launchPersistentContext("", {
    executablePath: requireBrowser("chromium"),
    viewport: null,
    args: [...BROWSER_FLAGS],
  });
  withoutWallet = await probe(bare);
  await bare.close();
  expect(found).toEqual(withoutWallet);
  expect(found.timing).toEqual({ request: false, wallet: false });
});

test(
  "the same page finds out a wallet that answers, listens, changes the page or opens its files",
  THOROUGH,
  async () => {
    let mutated: MutatedExtension | undefined;
    try {
      mutated = mutateExtension("chrome", TELLTALE);
      const extension = await launchExtension({ extensionFolder: mutated.folder });
      addresses = addressesOf(extension);
      const found = await probe(extension.context);
      await extension.close();
      expect(waysToTellApart(found, withoutWallet)).toEqual(Object.keys(Sightings.entries).sort());
      expect(found.timing).toEqual({ request: true, wallet: true });
    } finally {
      mutated?.remove();
    }
  },
);

function addressesOf(extension: Extension): string[] {
  return FILES.map((file) => extension.url(file));
}

async function probe(context: BrowserContext): Promise<Sightings> {
  const page: Page = await context.newPage();
  await page.goto(site.addressOf(addresses));
  await expect(page).toHaveTitle(READY_TITLE);
  await page.locator("#elsewhere").click();
  await expect(page).toHaveTitle(DONE_TITLE);
  const report = await page.locator("#report").textContent();
  return v.parse(Sightings, JSON.parse(report ?? ""));
}
