/**
 * How long the history takes to open for a reader with 50,000 payments: from the navigation of a tab to the first rows of the
 * month, with its sum and its chart, in the real extension. The payments are copies of one that was made, over two years at
 * forty sites.
 */
import { setTimeout } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { OPTIONS_PAGE } from "../shared/protocol/ui.ts";
import { type Extension, launchExtension } from "../test/support/extension.ts";
import { copyPayments } from "../test/support/long-history.ts";
import { startMerchantSite } from "../test/support/merchant.ts";
import { startProvider } from "../test/support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  paywallButton,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../test/support/reader.ts";
import { type Part, percentile } from "./row.ts";

const PAYMENTS = 50_000;
const OPENINGS = 20;
const REST_MS = 500;

export const history: Part = {
  name: "history",
  async measure() {
    const provider = await startProvider();
    const site = await startMerchantSite(provider);
    const extension = await launchExtension();
    try {
      await site.publishArticle("/first", { title: "First", paid: "<p>All of it.</p>", price: "1¢" });
      await setUpWallet(extension, provider.origin);
      const popup = await extension.openPopup();
      await topUp(extension, popup, "$5");
      await waitForCoins(extension);
      await popup.close();
      const page = await extension.context.newPage();
      await page.goto(site.addressOf("/first"));
      await paywallButton(page).click();
      await approveAndClose(await extension.waitForApproval());
      await expectArticleOpen(page);
      const bare = await open(extension, page);
      await copyPayments(extension, PAYMENTS);
      const times: number[] = [];
      for (let opening = 0; opening < OPENINGS; opening++) times.push(await open(extension, page));
      return [
        {
          name: "wallet.history_open_ms.p50",
          value: percentile(times, 0.5),
          unit: "ms",
          aim: 150,
          baseline: `${PAYMENTS.toLocaleString("en-US")} payments; with one payment ${bare.toFixed(0)} ms`,
        },
        { name: "wallet.history_open_ms.p95", value: percentile(times, 0.95), unit: "ms" },
      ];
    } finally {
      await extension.close();
      await site.close();
      await provider.close();
    }
  },
};

/**
 * By the page's own clock, until rows and sum stand in it and the frame that shows them was made. Nothing looks on in between:
 * a page that is asked at every frame draws every frame.
 */
async function open({ url }: Extension, page: Page): Promise<number> {
  await page.goto("about:blank");
  // What the page before leaves to be done would be this one's time.
  await setTimeout(REST_MS);
  await page.goto(`${url(OPTIONS_PAGE)}#/spending`);
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const isThere = (): boolean =>
          document.querySelector(".history-row") !== null &&
          document.querySelector(".spending-amount") !== null;
        const resolveWhenDrawn = (): void => {
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.now());
            port2.postMessage(null);
          });
        };
        if (isThere()) return resolveWhenDrawn();
        const changes = new MutationObserver(() => {
          if (!isThere()) return;
          changes.disconnect();
          resolveWhenDrawn();
        });
        changes.observe(document, { childList: true, subtree: true });
      }),
  );
}
