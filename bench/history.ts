/**
 * How long the history takes to open for a reader with 50,000 payments: from the navigation of a tab to the first rows of the
 * month, with its sum and its chart, in the real extension. The payments are copies of one that was made, over two years at
 * forty sites.
 */
import type { Page } from "@playwright/test";
import { OPTIONS_PAGE } from "../shared/protocol/ui.ts";
import { type Extension, launchExtension } from "../test/support/extension.ts";
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
const SITES = 40;
const DAYS = 730;
const OPENINGS = 20;

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
      await fill(page);
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

/** By the page's own clock, until rows and sum stand in it and the browser has drawn them. */
async function open({ url }: Extension, page: Page): Promise<number> {
  await page.goto("about:blank");
  await page.goto(`${url(OPTIONS_PAGE)}#/spending`);
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = (): void => {
          const isThere =
            document.querySelector(".history-row") !== null &&
            document.querySelector(".spending-amount") !== null;
          requestAnimationFrame(() => (isThere ? resolve(performance.now()) : look()));
        };
        look();
      }),
  );
}

/** Into the store itself, from a page of the extension, together with what they come to. */
async function fill(page: Page): Promise<void> {
  await page.evaluate(
    async ({ payments, sites, days }) => {
      const DAY_MS = 86_400_000;
      const done = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const dayOf = (at: number): string => {
        const date = new Date(at);
        const two = (number: number) => String(number).padStart(2, "0");
        return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
      };
      const database = await done(indexedDB.open("tuppence"));
      const [first] = await done(database.transaction("payments").objectStore("payments").getAll());
      const counted = new Map<string, { period: string; origin: string; spent: bigint; payments: number }>();
      const count = (period: string, origin: string, amount: bigint): void => {
        const key = `${period} ${origin}`;
        const row = counted.get(key) ?? { period, origin, spent: 0n, payments: 0 };
        counted.set(key, { ...row, spent: row.spent + amount, payments: row.payments + 1 });
      };
      const PIECE = 5_000;
      for (let start = 0; start < payments; start += PIECE) {
        const transaction = database.transaction("payments", "readwrite");
        const ended = new Promise((resolve) => {
          transaction.oncomplete = resolve;
        });
        for (let index = start; index < start + PIECE; index++) {
          const at = first.at - Math.floor((index / payments) * days * DAY_MS) - 1_000;
          const origin = `https://site-${(index * index) % sites}.example`;
          const resourceUrl = `${origin}/${index}`;
          const day = dayOf(at);
          transaction.objectStore("payments").put({
            ...first,
            id: index.toString(16).padStart(32, "0"),
            at,
            day,
            origin,
            resourceKey: `${first.order.merchant} ${resourceUrl}`,
            requestKey: `1 ${origin} ${index}`,
            order: { ...first.order, origin, resourceUrl, title: `Article ${index}` },
          });
          for (const period of [day, day.slice(0, 7)])
            for (const place of [origin, ""]) count(period, place, first.amount);
        }
        await ended;
      }
      const transaction = database.transaction("spending", "readwrite");
      for (const [key, row] of counted) {
        const unit = row.period.length === 10 ? "day" : "month";
        transaction
          .objectStore("spending")
          .put({ key, ...row, unasked: 0n, series: `${unit} ${row.origin}` });
      }
      await new Promise((resolve) => {
        transaction.oncomplete = resolve;
      });
      database.close();
    },
    { payments: PAYMENTS, sites: SITES, days: DAYS },
  );
}
