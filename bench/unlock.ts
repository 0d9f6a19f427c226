/**
 * How long a reader waits from the click to the article in the page, inside a budget: the real extension, a real
 * provider, sealed articles that were never seen before. Beside it, an empty request from the same worker to the same
 * provider in the same run: what no payment over HTTP can be quicker than.
 */

import { type Extension, launchExtension } from "../test/support/extension.ts";
import { startMerchantSite } from "../test/support/merchant.ts";
import { startProvider } from "../test/support/provider.ts";
import {
  approve,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../test/support/reader.ts";
import { timeToArticle } from "../test/support/timing.ts";
import { type Part, percentile } from "./row.ts";

const WARM_PAYMENTS = 100;
const COLD_PAYMENTS = 15;
const BARE_FETCHES = 100;
/** Between two articles a person reads; the wallet restocks, and prepares the next payment. */
const READING_MS = 250;

export const unlock: Part = {
  name: "unlock",
  async measure() {
    const provider = await startProvider();
    const site = await startMerchantSite(provider);
    const extension = await launchExtension();
    try {
      const articles = ["/first", ...paths("warm", WARM_PAYMENTS), ...paths("cold", COLD_PAYMENTS)];
      for (const path of articles)
        await site.publishArticle(path, {
          title: path,
          paid: `<p>${"All of it. ".repeat(400)}</p>`,
          price: "1¢",
        });
      await prepare(extension, provider.origin, site.addressOf("/first"));
      const warm = await measureEach(extension, paths("warm", WARM_PAYMENTS).map(site.addressOf));
      const bare = await bareFetches(extension, provider.origin);
      const cold = await measureEach(extension, paths("cold", COLD_PAYMENTS).map(site.addressOf), () =>
        extension.killWorker(),
      );
      return [
        {
          name: "unlock.click_to_content_ms.p50",
          value: percentile(warm, 0.5),
          unit: "ms",
          aim: 50,
          baseline: `${WARM_PAYMENTS} payments`,
        },
        { name: "unlock.click_to_content_ms.p95", value: percentile(warm, 0.95), unit: "ms" },
        {
          name: "unlock.cold_ms.p50",
          value: percentile(cold, 0.5),
          unit: "ms",
          aim: 150,
          baseline: `${COLD_PAYMENTS} payments, the worker just killed`,
        },
        {
          name: "unlock.bare_fetch_ms.p50",
          value: percentile(bare, 0.5),
          unit: "ms",
          baseline: "an empty request",
        },
      ];
    } finally {
      await extension.close();
      await site.close();
      await provider.close();
    }
  },
};

function paths(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/${name}-${index}`);
}

/** A wallet with money, coins and a budget for the site. */
async function prepare(extension: Extension, providerOrigin: string, address: string): Promise<void> {
  await setUpWallet(extension, providerOrigin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await expectBalance(popup, "$5.00");
  await popup.close();
  await waitForCoins(extension);
  const page = await extension.context.newPage();
  await page.goto(address);
  await paywallButton(page).click();
  await approve(await extension.waitForApproval(), { allowance: "$5" });
  await expectArticleOpen(page);
  await page.close();
}

async function measureEach(
  extension: Extension,
  addresses: readonly string[],
  before: () => Promise<void> = async () => {},
): Promise<number[]> {
  const measured: number[] = [];
  const page = await extension.context.newPage();
  for (const address of addresses) {
    await page.goto(address);
    await new Promise((resolve) => setTimeout(resolve, READING_MS));
    const time = await timeToArticle(page);
    await before();
    await paywallButton(page).click();
    measured.push(await time());
  }
  await page.close();
  return measured;
}

async function bareFetches(extension: Extension, providerOrigin: string): Promise<number[]> {
  const worker = await extension.serviceWorker();
  return worker.evaluate(
    async ({ url, count }) => {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        await (await fetch(url, { credentials: "omit" })).text();
        times.push(performance.now() - start);
      }
      return times;
    },
    { url: `${providerOrigin}/healthz`, count: BARE_FETCHES },
  );
}
