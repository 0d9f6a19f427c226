/**
 * Test mode in the wallet: a second one with play money at a provider of its own. Two real providers, and the site owner goes from
 * one wallet to the other and back.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { violations } from "../support/accessibility.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { freePair } from "../support/pair.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  expectBalance,
  paywallButton,
  readSnapshot,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../support/reader.ts";
import { readRows } from "../support/stored-rows.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PAID_WORDS = "The part that was paid for.";
const IN_TEST_MODE = "Your wallet is in test mode, and this page takes real money. Nothing was paid.";
const NOT_IN_TEST_MODE =
  "This page takes the play money of test mode, and your wallet is not in test mode. Nothing was paid.";

let live: RunningProvider;
let play: RunningProvider;
let liveSite: MerchantSite;
let playSite: MerchantSite;
test.beforeAll(async () => {
  const pair = await freePair();
  const start = ({ port, environment }: (typeof pair)["live"]) =>
    startProvider({ port, environment: { ...SANDBOX_ENVIRONMENT, ...environment } });
  live = await start(pair.live);
  play = await start(pair.test);
  liveSite = await startMerchantSite(live);
  playSite = await startMerchantSite(play);
  for (const site of [liveSite, playSite])
    for (const path of ["/one.html", "/two.html", "/three.html"])
      await site.publishArticle(path, { title: `Article ${path}`, paid: PAID_WORDS });
});
test.afterAll(async () => {
  await Promise.all([liveSite.close(), playSite.close()]);
  await Promise.all([live.close(), play.close()]);
});

test("a site owner pays with play money, and the wallet with the real money is not touched by it, byte for byte", async () => {
  const profileFolder = await mkdtemp(join(tmpdir(), "tuppence-test-mode-"));
  let extension = await launchExtension({ profileFolder });
  try {
    await setUpWallet(extension, live.origin);
    let popup = await extension.openPopup();
    await topUp(extension, popup, "$5");
    await waitForCoins(extension);
    await payArticle(extension, liveSite.addressOf("/one.html"));
    await expectBalance(popup, "$4.95");
    await expectNoMark(popup);
    const before = await restingRows(extension);

    // The popup that is open changes with the switch.
    const options = await openTesting(extension);
    expect(await violations(options)).toEqual([]);
    await setTestMode(options, true);
    await expectMark(popup);
    await expectBalance(popup, "$0.00");
    expect(await violations(options)).toEqual([]);
    await expectToolbar(extension, { badge: "TEST", title: "Tuppence – test mode, play money only" });

    await topUp(extension, popup, "$10");
    await expectBalance(popup, "$10.00");
    await payArticle(extension, playSite.addressOf("/one.html"), expectMark);
    await expectBalance(popup, "$9.95");
    for (const colorScheme of ["light", "dark"] as const) {
      await popup.emulateMedia({ colorScheme });
      expect(await violations(popup)).toEqual([]);
    }

    // The worker's death and the browser's end.
    await extension.killWorker();
    expect((await readSnapshot(extension)).balance.total).toBe("9950000");
    await popup.close();
    await extension.close();
    extension = await launchExtension({ profileFolder });
    popup = await extension.openPopup();
    await expectMark(popup);
    await expectBalance(popup, "$9.95");
    await expectToolbar(extension, { badge: "TEST", title: "Tuppence – test mode, play money only" });
    const opened = await extension.context.newPage();
    await opened.goto(playSite.addressOf("/one.html"));
    await expectArticleOpen(opened);

    expect(await readRows(extension)).toEqual(before);

    await popup.getByRole("button", { name: "Leave", exact: true }).click();
    await expectNoMark(popup);
    await expectBalance(popup, "$4.95");
    await expectToolbar(extension, { badge: "", title: "Tuppence" });
    const snapshot = await readSnapshot(extension);
    expect(snapshot.payments).toHaveLength(1);
    await payArticle(extension, liveSite.addressOf("/two.html"), expectNoMark);
    await expectBalance(popup, "$4.90");

    // And once more: the play money is where it was.
    await extension.ask({ kind: "ui", type: "setTestMode", on: true });
    await expectMark(popup);
    await expectBalance(popup, "$9.95");
  } finally {
    await extension.close();
    await rm(profileFolder, { recursive: true, force: true });
  }
});

test("neither wallet pays at the other's pages, nor asks, and the page says why", async ({ extension }) => {
  await setUpWallet(extension, live.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await expectRefused(extension, playSite.addressOf("/two.html"), "offer_of_test_mode", NOT_IN_TEST_MODE);
  await expectBalance(popup, "$5.00");

  const options = await openTesting(extension);
  await setTestMode(options, true);
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await expectRefused(extension, liveSite.addressOf("/three.html"), "offer_of_live_mode", IN_TEST_MODE);
  await expectBalance(popup, "$5.00");
  expect(await readSnapshot(extension)).toMatchObject({ payments: [], approvals: [] });
});

test("a site that one wallet paid hears nothing of the other before the reader clicks there", async ({
  extension,
}) => {
  await setUpWallet(extension, live.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await payArticle(extension, liveSite.addressOf("/one.html"));
  const known = await extension.context.newPage();
  await known.goto(liveSite.addressOf("/one.html"));
  await expectArticleOpen(known);

  const options = await openTesting(extension);
  await setTestMode(options, true);
  const origins = () =>
    options.evaluate(async () =>
      (await chrome.scripting.getRegisteredContentScripts()).flatMap(({ matches }) => matches ?? []),
    );
  await expect.poll(origins).toEqual([]);
  await known.reload();
  // What the wallet would answer comes before this answer of its own page.
  await readSnapshot(extension);
  await expect(paywallButton(known)).toBeVisible();
  expect(await askAsPage(known)).toEqual({ announced: 0, answered: 0 });

  await setTestMode(options, false);
  await expect.poll(origins).toEqual([`${liveSite.origin}/*`]);
  await known.reload();
  await expectArticleOpen(known);
  expect(await askAsPage(known)).toMatchObject({ announced: 1 });
});

test("the wallet is not changed under a question, and changed once it is answered", async ({ extension }) => {
  await setUpWallet(extension, live.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  const options = await openTesting(extension);
  const page = await extension.context.newPage();
  await page.goto(liveSite.addressOf("/one.html"));
  await paywallButton(page).click();
  const question = await extension.waitForApproval();
  await expect(question.getByRole("button", { name: /^Pay / })).toBeEnabled();

  await options.bringToFront();
  await options.getByRole("switch", { name: "Test mode" }).click();
  await expect(options.getByRole("alert")).toContainText("Your wallet is in the middle of a payment.");
  await expect(options.getByRole("switch", { name: "Test mode" })).not.toBeChecked();
  expect(await violations(options)).toEqual([]);
  await expectNoMark(question);

  await approveAndClose(question);
  await expectArticleOpen(page);
  await setTestMode(options, true);
  await expectMark(popup);
});

test("a provider without test mode has no switch, and one that lies about it is not believed", async ({
  extension,
}) => {
  const alone = await startProvider({
    environment: { TUPPENCE_COUNTERPART: live.origin, TUPPENCE_COUNTERPART_ACCOUNTS: live.accountsOrigin },
  });
  try {
    await setUpWallet(extension, alone.origin);
    const options = await openTesting(extension);
    await options.getByRole("switch", { name: "Test mode" }).click();
    await expect(options.getByRole("alert")).toContainText("something that makes no sense");
    expect(await readSnapshot(extension)).toMatchObject({
      testMode: "offered",
      provider: { origin: alone.origin },
    });
  } finally {
    await alone.close();
  }
});

async function openTesting(extension: Extension): Promise<Page> {
  const options = await extension.context.newPage();
  await options.goto(`${extension.url(OPTIONS_PAGE)}#/testing`);
  return options;
}

async function setTestMode(options: Page, on: boolean): Promise<void> {
  await options.bringToFront();
  const mode = options.getByRole("switch", { name: "Test mode" });
  await mode.click();
  await expect(mode).toBeChecked({ checked: on });
}

async function payArticle(
  extension: Extension,
  address: string,
  look: (question: Page) => Promise<void> = async () => undefined,
): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(address);
  await paywallButton(page).click();
  const question = await extension.waitForApproval();
  await expect(question.getByRole("button", { name: /^Pay / })).toBeEnabled();
  await look(question);
  expect(await violations(question)).toEqual([]);
  await approveAndClose(question);
  await expectArticleOpen(page);
  await expect(page.getByText(PAID_WORDS)).toBeVisible();
  await page.close();
}

async function expectRefused(
  extension: Extension,
  address: string,
  code: string,
  words: string,
): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(address);
  const heard = page.evaluate(
    () =>
      new Promise((resolve) => {
        addEventListener("tuppence-error", (event) => resolve(Object(event).detail.code));
      }),
  );
  const windows = extension.context.pages().length;
  await paywallButton(page).click();
  await expect(page.locator("tuppence-paywall")).toContainText(words);
  expect(await heard).toBe(code);
  expect(extension.context.pages()).toHaveLength(windows);
  await page.close();
}

async function expectMark(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-mode", "test");
  await expect(page.getByText("Play money only. Your own wallet is untouched.")).toBeVisible();
}

async function expectNoMark(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-mode", "live");
  await expect(page.getByText("Test mode", { exact: true }).and(page.locator("strong"))).toHaveCount(0);
}

async function expectToolbar(
  extension: Extension,
  wanted: { readonly badge: string; readonly title: string },
): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(extension.url("extension/icons/16.png"));
  const toolbar = () =>
    page.evaluate(async () => ({
      badge: await chrome.action.getBadgeText({}),
      title: await chrome.action.getTitle({}),
    }));
  await expect.poll(toolbar).toEqual(wanted);
  await page.close();
}

/** Once the wallet has nothing more to do by itself. */
async function restingRows(extension: Extension): ReturnType<typeof readRows> {
  let last: Awaited<ReturnType<typeof readRows>> = {};
  await expect
    .poll(
      async () => {
        const before = JSON.stringify(last);
        last = await readRows(extension);
        return JSON.stringify(last) === before;
      },
      { intervals: [3_000] },
    )
    .toBe(true);
  return last;
}

/** As a page's own script does, without a click. */
function askAsPage(page: Page): Promise<{ announced: number; answered: number }> {
  return page.evaluate(async () => {
    const heard = { announced: 0, answered: 0 };
    document.addEventListener("tuppence:announce-wallet", () => {
      heard.announced += 1;
    });
    document.addEventListener("tuppence:response", () => {
      heard.answered += 1;
    });
    document.dispatchEvent(new CustomEvent("tuppence:request-wallet"));
    const request = { v: 1, id: "request-1234", type: "status", payload: { paymentId: "0".repeat(32) } };
    document.dispatchEvent(new CustomEvent("tuppence:request", { detail: JSON.stringify(request) }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    return heard;
  });
}
