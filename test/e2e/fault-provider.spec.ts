/** What networks, servers and tabs do to a payment under way: it ends paid once, or not at all, and nothing is lost. */
import type { Page } from "@playwright/test";
import { tellReader } from "../../shared/errors.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test, turnClock } from "../support/extension.ts";
import { type Fault, type FaultProxy, startProviderBehindProxy } from "../support/fault-proxy.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import type { RunningProvider } from "../support/provider.ts";
import {
  approve,
  expectArticleOpen,
  paywallButton,
  pressToClose,
  readSnapshot,
  topUp,
} from "../support/reader.ts";
import { firstOf } from "../support/thorough.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;
const SETTLE = "/x402/settle";
const HTML = { type: "text/html", body: "<!doctype html><h1>Bad gateway</h1>" };
/** As long as a page waits for a provider that does not answer, and a little. The wallet's clock is turned by it. */
const PATIENCE_MS = 21_000;

let provider: RunningProvider;
let proxy: FaultProxy;
let reader: StockedReader;
let site: MerchantSite;
let page: Page;
let articles = 0;

test.beforeAll(async () => {
  ({ provider, proxy } = await startProviderBehindProxy({ environment: SANDBOX_ENVIRONMENT }));
  [reader, site] = await Promise.all([stockReader(provider), startMerchantSite(provider)]);
  // With a budget for the site, one click is all that a payment takes.
  page = await reader.extension.context.newPage();
  await openNewArticle();
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$2" });
  await expectArticleOpen(page);
  await page.close();
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
});
test.afterEach(async () => {
  await page.close();
  expect(proxy.pending(), "faults that no request met").toBe(0);
  await expectBooksAddUp(provider, [reader]);
});
test.afterAll(async () => {
  await reader.extension.close();
  await site.close();
  await provider.close();
});

const faults: readonly { readonly what: string; readonly fault: Fault; readonly times?: number }[] = [
  { what: "the request is lost", fault: { kind: "request lost" } },
  { what: "the answer is lost", fault: { kind: "answer lost" } },
  { what: "the answer is lost three times", fault: { kind: "answer lost" }, times: 3 },
  { what: "half of the answer comes back", fault: { kind: "answer cut" } },
  { what: "the payment arrives twice at once", fault: { kind: "sent twice" } },
  { what: "a 500 comes back for what was paid", fault: { kind: "answer replaced", status: 500, ...HTML } },
  { what: "a page comes back for what was paid", fault: { kind: "answer replaced", status: 200, ...HTML } },
  {
    what: "a gateway answers that nobody is there",
    fault: { kind: "answered by another", status: 503, ...HTML },
  },
  {
    what: "an answer of another shape comes back for what was paid",
    fault: { kind: "answer replaced", status: 200, type: "application/json", body: '{"success":true}' },
  },
  {
    what: "a receipt comes back that nobody signed",
    fault: {
      kind: "answer replaced",
      status: 200,
      type: "application/json",
      body: JSON.stringify({
        success: true,
        transaction: "0".repeat(32),
        network: "tuppence:usd",
        payer: "nobody",
        extensions: { tuppence: { receipt: "e30.e30.e30" } },
      }),
    },
  },
];

for (const { what, fault, times } of firstOf(faults, 6)) {
  test(`where ${what}, the article opens by itself, and is charged once`, async () => {
    await expectOneCharge(async () => {
      await openNewArticle();
      const planned = proxy.plan(SETTLE, fault, times);
      await paywallButton(page).click();
      await planned.met;
      await expectArticleOpen(page);
    });
  });
}

test("where the provider says that a payment is refused which it took before, the receipt counts", async () => {
  await expectOneCharge(async () => {
    await openNewArticle();
    proxy.plan(SETTLE, { kind: "answer lost" });
    const refused = { success: false, errorReason: "seal_invalid", transaction: "", network: "tuppence:usd" };
    const body = JSON.stringify(refused);
    proxy.plan(SETTLE, { kind: "answered by another", status: 200, type: "application/json", body });
    await paywallButton(page).click();
    await expectArticleOpen(page);
  });
});

test("a tab that is closed while its payment is under way finds the article open when it comes back", async () => {
  await expectOneCharge(async () => {
    const address = await openNewArticle();
    const held = proxy.plan(SETTLE, { kind: "held" });
    await paywallButton(page).click();
    await held.met;
    await page.close();
    held.release();
    await expect.poll(async () => (await newestPayment()).state).toBe("paid");
    page = await reader.extension.context.newPage();
    await page.goto(address);
    await expectArticleOpen(page);
  });
});

test("a reader who clicks in a second tab while the first one's payment is under way pays once", async () => {
  await expectOneCharge(async () => {
    const address = await openNewArticle();
    const held = proxy.plan(SETTLE, { kind: "held" });
    await paywallButton(page).click();
    await held.met;
    const second = await reader.extension.context.newPage();
    await second.goto(address);
    await paywallButton(second).click();
    await expect(second.locator("tuppence-paywall")).toHaveAttribute("state", "asking");
    held.release();
    await expectArticleOpen(page);
    await expectArticleOpen(second);
    await second.close();
  });
});

test("a provider that is down at the click is told of in words; when it comes back the payment is made once", async () => {
  await expectOneCharge(async () => {
    await openNewArticle();
    await provider.kill();
    await clickAndLosePatience();
    await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(
      tellReader("provider_unreachable"),
    );
    const popup = await reader.extension.openPopup();
    await expect(popup.getByText(/cannot be reached/).first()).toBeVisible();
    await expectInFlight(popup);
    await popup.close();
    expect((await newestPayment()).state).toBe("pending");
    await provider.restart();
    // The reader clicks again, as the words say they need not: it is the same payment.
    await paywallButton(page).click();
    await expectArticleOpen(page);
  });
});

test("while the provider takes its time, neither the window nor the popup leaves the reader in doubt about the money", async () => {
  await expectOneCharge(async () => {
    // Of a site without a budget, so that the wallet asks.
    const other = await startMerchantSite(provider, { id: "other", name: "Another Site" });
    await other.publishArticle("/asked.html", { title: "Asked about", paid: "<p>Paid.</p>", price: "5¢" });
    await page.goto(other.addressOf("/asked.html"));
    const held = proxy.plan(SETTLE, { kind: "held" });
    await paywallButton(page).click();
    const question = await reader.extension.waitForApproval();
    await approve(question);
    await held.met;
    await expect(question.getByRole("heading", { name: "Paying 5¢…" })).toBeVisible();
    await expect(question.getByRole("button")).toHaveCount(0);
    const popup = await reader.extension.openPopup();
    await expectInFlight(popup);
    held.release();
    await expectArticleOpen(page);
    await expect(popup.locator(".hero-flight")).toHaveCount(0);
    await expect(partOf(popup, "In payments under way")).toHaveCount(0);
    await popup.close();
    await other.close();
  });
});

test("a provider that comes back soon is not even noticed", async () => {
  await expectOneCharge(async () => {
    await openNewArticle();
    await provider.kill();
    await paywallButton(page).click();
    await provider.restart();
    await expectArticleOpen(page);
  });
});

test("a payment whose time ran out while the provider was away comes back, and the page may ask again", async () => {
  const before = await balances();
  await openNewArticle(2);
  proxy.setDown(true);
  await clickAndLosePatience();
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "error");
  proxy.setDown(false);
  await expect.poll(async () => (await newestPayment()).state).toBe("failed");
  expect(await balances()).toEqual(before);
  await expectOneCharge(async () => {
    await paywallButton(page).click();
    await expectArticleOpen(page);
  });
});

const lostWithdraws = [
  { what: "the quote", path: "/v1/mint/quote/account" },
  { what: "the coins", path: "/v1/mint/account" },
];

for (const { what, path } of firstOf(lostWithdraws, 1)) {
  test(`where ${what} of a withdraw are lost on the way, the reader is told, and pays with them at the next click`, async () => {
    // From the top-up on, after which the coins would come by themselves.
    const lost = proxy.plan(path, { kind: "answer lost" }, Number.MAX_SAFE_INTEGER);
    const popup = await reader.extension.openPopup();
    await topUp(reader.extension, popup, "$5");
    reader.toppedUp += 5_000_000n;
    await expect.poll(() => totalOf(reader)).toBe(reader.toppedUp - (await paidToMerchants(provider)));
    await popup.close();
    const before = await balances();
    // More than the drawer holds, so that the rest has to come from the account.
    await openNewArticle(undefined, "$6");
    await paywallButton(page).click();
    const question = await reader.extension.waitForApproval();
    await approve(question);
    await expect(question.getByRole("alert")).toContainText("Your money is safe");
    await pressToClose(question, question.getByRole("button", { name: "Close" }));
    await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(
      tellReader("provider_unreachable"),
    );
    lost.end();
    await paywallButton(page).click();
    await approve(await reader.extension.waitForApproval());
    await expectArticleOpen(page);
    expect(await balances()).toEqual({
      reader: before.reader - 6_000_000n,
      merchants: before.merchants + 6_000_000n,
    });
  });
}

/** Publishes an article that nobody has bought, and goes to it. */
async function openNewArticle(maxTimeoutSeconds?: number, price = "5¢"): Promise<string> {
  articles += 1;
  const path = `/article-${articles}.html`;
  const { html } = await site.publishArticle(path, {
    title: `Article ${articles}`,
    paid: `<p>The paid part of article ${articles}.</p>`,
    price,
  });
  if (maxTimeoutSeconds !== undefined)
    site.publish(path, html.replace(/"maxTimeoutSeconds":\d+/, `"maxTimeoutSeconds":${maxTimeoutSeconds}`));
  await page.goto(site.addressOf(path));
  return site.addressOf(path);
}

/** The wallet's clock goes on while the page waits for a provider that is not there. */
async function clickAndLosePatience(): Promise<void> {
  await paywallButton(page).click();
  await expect.poll(async () => (await newestPayment()).state).toBe("pending");
  await turnClock(reader.extension, PATIENCE_MS);
}

/** The popup says of the price that it is neither spent nor there, and where it stands. */
async function expectInFlight(popup: Page): Promise<void> {
  await expect(popup.locator(".hero-flight")).toHaveText("5¢ in flight");
  await popup.getByText("Where it is").click();
  await expect(partOf(popup, "In payments under way")).toHaveText("$0.05");
  await expect(popup.getByRole("listitem").filter({ hasText: "On its way" })).toHaveCount(1);
}

/** Of the balance. */
function partOf(popup: Page, part: string) {
  return popup.getByRole("term").filter({ hasText: part }).locator("xpath=following-sibling::dd");
}

async function expectOneCharge(pay: () => Promise<void>): Promise<void> {
  const before = await balances();
  await pay();
  await expect.poll(async () => (await newestPayment()).state).toBe("paid");
  expect(await balances()).toEqual({ reader: before.reader - PRICE, merchants: before.merchants + PRICE });
}

async function balances(): Promise<{ reader: bigint; merchants: bigint }> {
  return { reader: await totalOf(reader), merchants: await paidToMerchants(provider) };
}

async function newestPayment() {
  const [newest] = (await readSnapshot(reader.extension)).payments;
  if (!newest) throw new Error("there is no payment");
  return newest;
}
