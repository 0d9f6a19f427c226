/** Several articles on one page: each is paid, opens and comes back by itself. */
import type { Page } from "@playwright/test";
import { sealPage } from "../../merchant/cli/seal-page.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, readSnapshot } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PATH = "/issue.html";
const WHOLE = "The part that was always sold as the page.";
const TIDES = "The tide comes in twice a day.";
const MILLS = "The mill turns when it goes out.";
const ISSUE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Issue 7</title></head><body>
<h1>Issue 7</h1><p>What stands in it.</p><!-- tuppence:paid 10¢ --><p>${WHOLE}</p><!-- /tuppence:paid -->
<h2>Tides</h2><p>The moon.</p><!-- tuppence:paid 5¢ part=tides --><p>${TIDES}</p><!-- /tuppence:paid -->
<h2>Mills</h2><p>The wheel.</p><section data-tuppence-price="2¢" data-tuppence-part="mills" data-tuppence-title="Of mills, and men"><p>${MILLS}</p></section>
</body></html>`;

let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, site] = await Promise.all([stockReader(provider), startMerchantSite(provider)]);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
});

test("a page that was bought before it had more parts is not sold again", async () => {
  await publish(ISSUE.replace(/<h2>Tides.*<\/section>/s, ""));
  const page = await open();
  await buy(page, ".tuppence-paid", "10¢", "Issue 7");
  await expect(page.getByText(WHOLE)).toBeVisible();
  await page.close();

  await publish(ISSUE);
  const later = await open();
  await expect(later.getByText(WHOLE)).toBeVisible();
  for (const part of ["tides", "mills"])
    await expect(later.locator(`.tuppence-paid-${part}`)).toHaveAttribute("state", "locked");
  await later.close();
});

test("one part does not open with another, costs its own price, and has its own title", async () => {
  const before = await totalOf(reader);
  const page = await open();
  await buy(page, "#tides", "5¢", "Tides");
  await expect(page.getByText(TIDES)).toBeVisible();
  await expect(page.locator(".tuppence-paid-mills")).toHaveAttribute("state", "locked");
  expect(await page.content()).not.toContain(MILLS);
  await buy(page, ".tuppence-paid-mills", "2¢", "Of mills, and men");
  await expect(page.getByText(MILLS)).toBeVisible();
  expect(await totalOf(reader)).toBe(before - 70_000n);
  const { payments } = await readSnapshot(reader.extension);
  expect(payments.map(({ resource }) => resource).sort()).toEqual([
    site.addressOf(PATH),
    site.addressOf(`${PATH}#mills`),
    site.addressOf(`${PATH}#tides`),
  ]);
  await page.close();
});

test("the parts that were bought come back by themselves, each with its own text, and cost nothing", async () => {
  const paid = await paidToMerchants(provider);
  await reader.extension.killWorker();
  for (const fragment of ["", "#tides"]) {
    await publish(ISSUE);
    const page = await open(fragment);
    await expect(page.locator(".tuppence-paid")).toContainText(WHOLE);
    await expect(page.locator("#tides")).toContainText(TIDES);
    await expect(page.locator(".tuppence-paid-mills")).toContainText(MILLS);
    await page.close();
  }
  expect(await paidToMerchants(provider)).toBe(paid);
});

async function publish(html: string): Promise<void> {
  const sealed = await sealPage(html, site.addressOf(PATH), site.terms, {
    src: "/tuppence.js",
    integrity: "",
  });
  if (!sealed) throw new Error("nothing is marked");
  site.publish(PATH, sealed.html.replace(' integrity=""', ""));
}

async function open(fragment = ""): Promise<Page> {
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf(PATH) + fragment);
  return page;
}

async function buy(page: Page, part: string, price: string, title: string): Promise<void> {
  const button = page.locator(part).getByRole("button");
  await expect(button).toHaveText(`Read on for ${price}`);
  await button.click();
  const question = await reader.extension.waitForApproval();
  await expect(question.locator(".bill-title")).toHaveText(title);
  await expect(question.locator(".bill-amount")).toHaveText(price);
  await approveAndClose(question);
  await expect(page.locator(part)).toHaveAttribute("state", "open");
}
