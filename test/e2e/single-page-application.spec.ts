/** An application that makes, removes and brings back the element as it likes, also in the middle of a payment. */
import type { Page } from "@playwright/test";
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
import { approveAndClose, paywallButton, readSnapshot } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;

/** The application: it fetches what `seal` published, and makes elements of it. */
const APPLICATION = `
  const view = document.querySelector("main");
  let kept;
  globalThis.application = {
    async show(path) {
      history.pushState(null, "", path);
      const html = await (await fetch(path + ".html")).text();
      const data = new DOMParser().parseFromString(html, "text/html").querySelector('script[type="application/tuppence+json"]');
      kept = document.createElement("tuppence-paywall");
      const script = document.createElement("script");
      script.type = "application/tuppence+json";
      script.textContent = data.textContent;
      kept.append(script);
      view.replaceChildren(kept);
    },
    remove: () => kept.remove(),
    bringBack: () => view.replaceChildren(kept),
    move() {
      const section = document.createElement("section");
      view.append(section);
      section.append(kept);
    },
    /** Another article in the same element. */
    async replaceArticle(path) {
      history.pushState(null, "", path);
      const html = await (await fetch(path + ".html")).text();
      const data = new DOMParser().parseFromString(html, "text/html").querySelector('script[type="application/tuppence+json"]');
      kept.querySelector("script").textContent = "";
      kept.querySelector("script").remove();
      const script = document.createElement("script");
      script.type = "application/tuppence+json";
      script.textContent = data.textContent;
      kept.prepend(script);
    },
  };
  document.documentElement.dataset.ready = "";
`;
const HTML = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Application</title><link rel="icon" href="data:,"><script type="module" src="/tuppence.js"></script><script type="module" src="/application.js"></script></head><body><main></main></body></html>`;

let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;
let page: Page;
let before: bigint;
let paid: bigint;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, site] = await Promise.all([stockReader(provider), startMerchantSite(provider)]);
  site.publish("/", HTML);
  site.publish("/application.js", APPLICATION, { "content-type": "text/javascript" });
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
  await page.goto(site.addressOf("/"));
  await expect(page.locator("html")).toHaveAttribute("data-ready", "");
  before = await totalOf(reader);
  paid = await paidToMerchants(provider);
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
});

test("an element that was made after the page had loaded is not dead", async () => {
  await publish("/late");
  await show("/late");
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectOpen("/late");
  await expectPaidOnce();
});

test("an element that is removed, brought back, moved and made anew after the payment is open each time, and paid once", async () => {
  await publish("/again");
  await show("/again");
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectOpen("/again");
  await call("remove");
  await expect(page.locator("tuppence-paywall")).toHaveCount(0);
  await call("bringBack");
  await expectOpen("/again");
  await call("move");
  await expectOpen("/again");
  await publish("/elsewhere");
  await show("/elsewhere");
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  await show("/again");
  await expectOpen("/again");
  await expectPaidOnce();
});

test("an element that is gone while the window asks, and back before the answer, opens with that one payment", async () => {
  await publish("/gone-and-back");
  await show("/gone-and-back");
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await call("remove");
  await call("bringBack");
  await approveAndClose(question);
  await expectOpen("/gone-and-back");
  await expectPaidOnce();
});

test("another element for the same article, made while the window asks, joins the payment instead of asking again", async () => {
  await publish("/made-anew");
  await show("/made-anew");
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await show("/made-anew");
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "asking");
  await approveAndClose(question);
  await expectOpen("/made-anew");
  await expectPaidOnce();
});

test("what is paid for while its element is gone is there when the element comes back", async () => {
  await publish("/away");
  await publish("/meanwhile");
  await show("/away");
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await show("/meanwhile");
  await approveAndClose(question);
  await expect.poll(async () => (await readSnapshot(reader.extension)).payments[0]?.state).toBe("paid");
  // The text that was paid for must not open in the other article's place.
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  await expect(page.getByText("The paid part of /away.")).toHaveCount(0);
  await show("/away");
  await expectOpen("/away");
  await expectPaidOnce();
});

test("an element that is given another article does not keep the first one's text, and sells the second", async () => {
  await publish("/first");
  await publish("/second");
  await show("/first");
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectOpen("/first");
  await page.evaluate("application.replaceArticle('/second')");
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  await expect(page.getByText("The paid part of /first.")).toHaveCount(0);
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectOpen("/second");
  expect(await totalOf(reader)).toBe(before - 2n * PRICE);
});

test("an application that is left in the middle of a payment does not lose it", async () => {
  await publish("/left");
  await show("/left");
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await page.goto("about:blank");
  await approveAndClose(question);
  await expect.poll(async () => (await readSnapshot(reader.extension)).payments[0]?.state).toBe("paid");
  await page.goto(site.addressOf("/"));
  await expect(page.locator("html")).toHaveAttribute("data-ready", "");
  await show("/left");
  await expectOpen("/left");
  await expectPaidOnce();
});

async function publish(path: string): Promise<void> {
  await site.publishArticle(`${path}.html`, {
    title: path,
    paid: `<p>The paid part of ${path}.</p>`,
    price: "5¢",
  });
}

function show(path: string): Promise<unknown> {
  return page.evaluate(`application.show(${JSON.stringify(path)})`);
}

function call(verb: "remove" | "bringBack" | "move"): Promise<unknown> {
  return page.evaluate(`application.${verb}()`);
}

async function expectOpen(path: string): Promise<void> {
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "open");
  await expect(page.getByText(`The paid part of ${path}.`)).toHaveCount(1);
}

async function expectPaidOnce(): Promise<void> {
  expect(await totalOf(reader)).toBe(before - PRICE);
  expect(await paidToMerchants(provider)).toBe(paid + PRICE);
}
