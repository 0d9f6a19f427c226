/** Many tabs of paywalls: opened, clicked in one moment, and asked about in the wallet's own windows, one at a time. */
import { expect, type Page } from "@playwright/test";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import type { Extension } from "./extension.ts";
import type { MerchantSite } from "./merchant.ts";
import { decline, paywallButton } from "./reader.ts";

/** Articles of one price, at `/0.html`, `/1.html` and so on. */
export async function publishArticles(site: MerchantSite, count: number, price: string): Promise<void> {
  for (let index = 0; index < count; index++)
    await site.publishArticle(`/${index}.html`, {
      title: `Article ${index}`,
      paid: `<p>Part ${index}.</p>`,
      price,
    });
}

/** One for each of the first articles of `publishArticles`. */
export function openTabs(extension: Extension, site: MerchantSite, count: number): Promise<Page[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => openTab(extension, site.addressOf(`/${index}.html`))),
  );
}

export async function openTab({ context }: Extension, address: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address);
  await expect(paywallButton(page)).toBeVisible();
  return page;
}

/** As near to one moment as several tabs come: where each button is, is found out before. */
export async function clickAtOnce(pages: readonly Page[]): Promise<void> {
  const places = await Promise.all(
    pages.map(async (page) => {
      const box = await paywallButton(page).boundingBox();
      if (!box) throw new Error("no button");
      return { page, x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }),
  );
  await Promise.all(places.map(({ page, x, y }) => page.mouse.click(x, y)));
}

/** Of each page's paywall, in the order of the alphabet. */
export async function statesOf(pages: readonly Page[]): Promise<(string | null)[]> {
  const states = await Promise.all(
    pages.map((page) => page.locator("tuppence-paywall").getAttribute("state")),
  );
  return states.toSorted();
}

/** Windows in which the wallet asks. */
export function questionsOf({ context, url }: Extension): Page[] {
  return context.pages().filter((page) => page.url().startsWith(url(APPROVE_PAGE)));
}

/** One after the other, as they come; and there are no more. */
export async function declineAll(extension: Extension, count: number): Promise<void> {
  const questions = () => questionsOf(extension);
  for (let declined = 0; declined < count; declined++) {
    await expect.poll(questions).toHaveLength(1);
    const [question] = questions();
    if (question) await decline(question);
  }
  await expect.poll(questions).toHaveLength(0);
}

export async function closeAll(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.close()));
}
