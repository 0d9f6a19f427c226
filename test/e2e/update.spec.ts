/**
 * The extension is updated under a reader of the first version: a profile with what that version left in it, the provider
 * that it dealt with, the site as it stood. The same without a browser, in more detail: test/conformance/first-version.test.ts.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchMerchantRecord, fetchProvider } from "../../merchant/cli/provider.ts";
import { BUILT_SNIPPET } from "../../merchant/cli/seal-folder.ts";
import { sealPage } from "../../merchant/cli/seal-page.ts";
import { readSnippet } from "../../merchant/cli/seal-site.ts";
import { fromHex } from "../../shared/bytes.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { expectBooksAddUp, paidToMerchants, type StockedReader, totalOf } from "../support/books.ts";
import { expect, launchExtension, test } from "../support/extension.ts";
import {
  FIRST_VERSION,
  PAID_IN_ALL,
  PAYMENTS_THEN,
  putFirstVersion,
  restoreProviderData,
  TOPPED_UP,
} from "../support/first-version.ts";
import { freePort } from "../support/free-port.ts";
import { fetchAt, type Hosts, resolverFlag } from "../support/hosts.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { expectArticleOpen, expectBalance, paywallButton, readSnapshot } from "../support/reader.ts";
import { type Site, serveSite } from "../support/site.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const { merchant, provider: then } = FIRST_VERSION;
const PRICE = 50_000n;
const NEW = "/new.html";
/** Every payment of then has run out of time. */
const UPDATED_AFTER_MS = 30 * 60_000;

let folder: string;
let provider: RunningProvider;
let site: Site;
let reader: StockedReader;

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tuppence-update-"));
  const dataFolder = join(folder, "provider");
  restoreProviderData(dataFolder);
  const port = await freePort();
  const { origin, accountsOrigin } = then;
  const running = await startProvider({
    dataFolder,
    port,
    environment: {
      ...SANDBOX_ENVIRONMENT,
      TUPPENCE_ORIGIN: origin,
      TUPPENCE_ACCOUNTS_ORIGIN: accountsOrigin,
      TUPPENCE_PROVISIONAL_LIMIT: "100",
    },
  });
  provider = { ...running, origin, accountsOrigin };
  const hosts: Hosts = { [new URL(origin).hostname]: port, [new URL(accountsOrigin).hostname]: port };
  site = await serveSiteOfThen(hosts);
  const extraFlags = [
    resolverFlag({ ...hosts, [new URL(merchant.origin).hostname]: Number(new URL(site.origin).port) }),
  ];

  const profileFolder = join(folder, "profile");
  await putIntoProfile(profileFolder);
  // The browser starts again, as it does when it updates an extension, and the background finds what was left.
  const extension = await launchExtension({ profileFolder, extraFlags });
  reader = { extension, toppedUp: TOPPED_UP };
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

test("the popup shows the same reader: balance, what was paid, allowance, and what was under way comes to its end", async () => {
  const popup = await reader.extension.openPopup();
  await expectBalance(popup, "$7.26");
  await expect(popup.getByText("Tide mills").first()).toBeVisible();
  await popup.close();
  const standing = async () =>
    (await readSnapshot(reader.extension)).payments.map(({ title, amount, state }) => [title, amount, state]);
  await expect.poll(standing, { timeout: 60_000 }).toEqual(PAYMENTS_THEN);
  const { allowances } = await readSnapshot(reader.extension);
  expect(allowances).toMatchObject([{ origin: merchant.origin, left: "930000" }]);
  expect(await reader.extension.ask({ kind: "ui", type: "showPhrase" })).toEqual({
    ok: { phrase: FIRST_VERSION.reader.phrase },
  });
  await expectBooksAddUp(provider, [reader]);
  expect(await paidToMerchants(provider)).toBe(PAID_IN_ALL);
});

test("an article that was bought before the update opens by itself, and costs nothing", async () => {
  const before = await totalOf(reader);
  const page = await reader.extension.context.newPage();
  await page.goto(merchant.origin + merchant.page.path);
  await expectArticleOpen(page);
  await expect(page.getByText("The paid part of Tide mills.")).toBeVisible();
  await page.close();
  expect(await totalOf(reader)).toBe(before);
});

test("a new article is paid with the coins of before, inside the allowance of before, with one click", async () => {
  const before = await totalOf(reader);
  const page = await reader.extension.context.newPage();
  await page.goto(merchant.origin + NEW);
  await paywallButton(page).click();
  await expectArticleOpen(page);
  await page.close();
  expect(await totalOf(reader)).toBe(before - PRICE);
  expect(await paidToMerchants(provider)).toBe(PAID_IN_ALL + PRICE);
});

/** As the first version left it: this one's own database goes, and that one's comes in its place. */
async function putIntoProfile(profileFolder: string): Promise<void> {
  // No name of then is anybody yet, so that what wakes up meanwhile reaches nobody.
  const extension = await launchExtension({ profileFolder });
  const page = await extension.context.newPage();
  await page.goto(extension.url("extension/icons/16.png"));
  // It would start the background again, which opens the database.
  await (await extension.welcomePage()).close();
  await extension.killWorker();
  const laterMs = Date.now() - UPDATED_AFTER_MS - FIRST_VERSION.made.atMs;
  await page.evaluate(putFirstVersion, { name: "tuppence", stored: FIRST_VERSION.indexedDb, laterMs });
  await extension.close();
}

/** The article that was bought, and one that nobody has bought. The script is this version's: sites bring their own. */
async function serveSiteOfThen(hosts: Hosts): Promise<Site> {
  const fetchThen = fetchAt(hosts);
  const snippet = await readSnippet(BUILT_SNIPPET);
  const key = await signingKeyFromSeed(fromHex(merchant.sealKeySeedHex));
  const page = await sealPage(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>New</title></head><body><h1>New</h1><section data-tuppence-price="5¢"><p>New, and paid for.</p></section></body></html>`,
    merchant.origin + NEW,
    {
      merchant: merchant.id,
      key,
      provider: await fetchProvider(then.origin, fetchThen),
      merchantRecord: await fetchMerchantRecord(then.origin, merchant.id, fetchThen),
      defaultPrice: undefined,
      walletUrl: undefined,
      nowSeconds: Math.floor(Date.now() / 1_000),
    },
    { src: "/tuppence.js", integrity: snippet.integrity },
  );
  if (!page) throw new Error("the article marks nothing as paid");
  return serveSite({
    "/tuppence.js": { html: snippet.content.toString(), headers: { "content-type": "text/javascript" } },
    [merchant.page.path]: { html: merchant.page.html.replace(/ integrity="[^"]*"/, "") },
    [NEW]: { html: page.html },
  });
}
