/** What was bought stays open, whatever happened to tab, worker, browser and page since: nobody pays twice. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, launchExtension, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { PASSPHRASE, setPassphrase } from "../support/passphrase.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, expectArticleOpen, paywallButton } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;
const PATH = "/bought.html";
const WORDS = "The part that was paid for.";

let profileFolder: string;
let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;

test.beforeAll(async () => {
  profileFolder = await mkdtemp(join(tmpdir(), "tuppence-coming-back-"));
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, site] = await Promise.all([stockReader(provider, { profileFolder }), startMerchantSite(provider)]);
  await publish("5¢");
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf(PATH));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await page.close();
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  expect(await paidToMerchants(provider), "one payment, however often it was opened").toBe(PRICE);
  await reader.extension.close();
  await rm(profileFolder, { recursive: true, force: true });
  await site.close();
  await provider.close();
});

test("a new tab does not ask for money again", () => comeBack());

test("a bought article is not locked for having its address followed by a fragment", () =>
  comeBack("#further-down"));

test("what was bought is not forgotten with the worker", async () => {
  await reader.extension.killWorker();
  await comeBack();
});

test("the provider's absence does not lock what was bought", async () => {
  await provider.kill();
  try {
    await comeBack();
  } finally {
    await provider.restart();
  }
});

test("what was bought is not forgotten with the browser's restart, nor is the balance", async () => {
  const before = await totalOf(reader);
  await reader.extension.close();
  reader = { ...reader, extension: await launchExtension({ profileFolder }) };
  await comeBack();
  expect(await totalOf(reader)).toBe(before);
});

test("a list of such sites that an older version had the browser write down is taken off the disk", async () => {
  const popup = await reader.extension.openPopup();
  const lasting = () =>
    popup.evaluate(async () =>
      (await chrome.scripting.getRegisteredContentScripts()).map(
        ({ persistAcrossSessions }) => persistAcrossSessions,
      ),
    );
  await popup.evaluate(async () => {
    const scripts = await chrome.scripting.getRegisteredContentScripts();
    await chrome.scripting.updateContentScripts(
      scripts.map((script) => ({ ...script, persistAcrossSessions: true })),
    );
  });
  expect(await lasting()).toEqual([true]);
  await reader.extension.killWorker();
  await comeBack();
  await expect.poll(lasting).toEqual([false]);
  await popup.close();
});

test("an article that was sealed again at another price is not sold twice", async () => {
  for (const price of ["$1", "1¢"]) {
    await publish(price);
    await comeBack();
  }
});

test("a click before the wallet's answer does not pay for what was bought", async () => {
  const page = await reader.extension.context.newPage();
  await reader.extension.killWorker();
  // From the page's own side: as soon as the button is there, before any answer can be.
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      const button = document.querySelector("tuppence-paywall")?.shadowRoot?.querySelector("button");
      if (!button) return;
      observer.disconnect();
      button.click();
    }).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await page.goto(site.addressOf(PATH));
  await expectArticleOpen(page);
  await expectNoQuestion();
  await page.close();
});

test("another article of the same site is not given away with the one that was bought", async () => {
  await site.publishArticle("/other.html", { title: "Other", paid: "<p>Not paid for.</p>", price: "5¢" });
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf("/other.html"));
  const bought = await reader.extension.context.newPage();
  await bought.goto(site.addressOf(PATH));
  await expectArticleOpen(bought);
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  await bought.close();
  await page.close();
});

test("with a passphrase what was bought opens after the browser's restart once the wallet is unlocked, where the reader waits", async () => {
  await setPassphrase(reader.extension);
  await reader.extension.close();
  reader = { ...reader, extension: await launchExtension({ profileFolder }) };
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf(PATH));
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
  const popup = await reader.extension.openPopup();
  await popup.getByLabel("Passphrase").fill(PASSPHRASE);
  await popup.getByRole("button", { name: "Unlock" }).click();
  await expectArticleOpen(page);
  await popup.close();
  await page.close();
});

function publish(price: string) {
  return site.publishArticle(PATH, { title: "Bought", paid: `<p>${WORDS}</p>`, price });
}

/** Opens the article in a tab of its own, without a click. */
async function comeBack(fragment = ""): Promise<void> {
  const before = await totalOf(reader);
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf(PATH) + fragment);
  await expectArticleOpen(page);
  await expect(page.getByText(WORDS)).toBeVisible();
  await expectNoQuestion();
  await page.close();
  expect(await totalOf(reader)).toBe(before);
}

async function expectNoQuestion(): Promise<void> {
  const { context, url } = reader.extension;
  expect(context.pages().filter((page) => page.url().startsWith(url("extension/ui/approve")))).toEqual([]);
}
