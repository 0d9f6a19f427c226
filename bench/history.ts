/**
 * How long the history takes to open for a reader with 50,000 payments: from the navigation of a tab to the first rows of the
 * month, with its sum and its chart, in the real extension. The payments are copies of one that was made, over two years at
 * forty sites.
 */
import type { Page } from "@playwright/test";
import { tableNamed } from "../extension/store/index.ts";
import { dayOf } from "../shared/calendar.ts";
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
import { openTable, sealedText, writeRows } from "../test/support/stored-rows.ts";
import { createMemoryStore } from "../wallet/core/index.ts";
import type { PaymentRow } from "../wallet/core/rows.ts";
import { recount } from "../wallet/core/spending.ts";
import { type Part, percentile } from "./row.ts";

const PAYMENTS = 50_000;
const SITES = 40;
const DAYS = 730;
const OPENINGS = 20;
const DAY_MS = 86_400_000;
/** So many rows at once go into the browser. */
const PIECE = 2_000;

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
      await fill(extension);
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

/** Into the store itself, sealed as the wallet seals them, together with what they come to. */
async function fill(extension: Extension): Promise<void> {
  const payments = tableNamed("payments");
  const spending = tableNamed("spending");
  const { sealer, rows } = await openTable(extension, payments);
  // What the wallet wrote a moment ago.
  const first = rows[0]?.row as PaymentRow;
  const copies = Array.from({ length: PAYMENTS }, (_, index): PaymentRow => {
    const at = first.at - Math.floor((index / PAYMENTS) * DAYS * DAY_MS) - 1_000;
    const origin = `https://site-${(index * index) % SITES}.example`;
    const resourceUrl = `${origin}/${index}`;
    return {
      ...first,
      id: index.toString(16).padStart(32, "0"),
      at,
      day: dayOf(at),
      origin,
      resourceKey: `${first.order.merchant} ${resourceUrl}`,
      requestKey: `1 ${origin} ${index}`,
      order: { ...first.order, origin, resourceUrl, title: `Article ${index}` },
    };
  });
  const counted = createMemoryStore();
  const totals = await counted.transaction(async (tables) => {
    await tables.payments.putAll(copies);
    await recount(tables);
    return tables.spending.all();
  });
  for (const [of, many] of [
    [payments, copies],
    [spending, totals],
  ] as const)
    for (let start = 0; start < many.length; start += PIECE) {
      const piece = many.slice(start, start + PIECE).map((row) => ({ after: sealedText(sealer, of, row) }));
      await writeRows(extension, of, piece);
    }
}
