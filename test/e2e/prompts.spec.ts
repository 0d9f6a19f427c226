/** The wallet's questions: one at a time, in front, and not to be answered by a hand that meant something else. */
import type { Page } from "@playwright/test";
import { tellReader } from "../../shared/errors.ts";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approveAndClose,
  decline,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const TITLES = ["First", "Second", "Third"];
const PRICE = 50_000n;

let provider: RunningProvider;
let reader: StockedReader;
/** Of a merchant of its own for each test, with an article for each title. */
let site: MerchantSite;
let sites = 0;
let tabs: Page[];

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
});
test.beforeEach(async () => {
  sites += 1;
  site = await startMerchantSite(provider, { id: `asking-${sites}`, name: `Asking Site ${sites}` });
  tabs = [];
  for (const title of TITLES) {
    await site.publishArticle(`/${title}.html`, { title, paid: `<p>All of ${title}.</p>`, price: "5¢" });
  }
});
test.afterEach(async () => {
  for (const tab of tabs) await tab.close();
  await site.close();
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await provider.close();
});

test("questions from many tabs are not stacked: one window, and the next when it is answered", async () => {
  const before = await totalOf(reader);
  const first = await openTab("First");
  const second = await openTab("Second");
  const third = await openTab("Third");
  await click(first);
  const question = await reader.extension.waitForApproval();
  await expect(question.getByText("First", { exact: true })).toBeVisible();
  await click(second);
  await click(third);
  await expect.poll(countQuestions).toBe(3);
  expect(approvalWindows()).toEqual([question]);
  await expect(question.getByText("First", { exact: true })).toBeVisible();
  await approveAndClose(question);
  await expectArticleOpen(first);

  const next = await reader.extension.waitForApproval();
  await expect(next.getByText("Second", { exact: true })).toBeVisible();
  expect(approvalWindows()).toEqual([next]);
  await decline(next);
  await expect(second.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("declined"));

  const last = await reader.extension.waitForApproval();
  await expect(last.getByText("Third", { exact: true })).toBeVisible();
  await last.close();
  await expect.poll(countQuestions).toBe(0);
  expect(approvalWindows()).toEqual([]);
  expect(await totalOf(reader)).toBe(before - PRICE);
});

test("who waits in the line is not forgotten with the background", async () => {
  const first = await openTab("First");
  const second = await openTab("Second");
  await click(first);
  const question = await reader.extension.waitForApproval();
  await click(second);
  await expect.poll(countQuestions).toBe(2);
  await reader.extension.killWorker();
  await decline(question);
  const next = await reader.extension.waitForApproval();
  await expect(next.getByText("Second", { exact: true })).toBeVisible();
  await decline(next);
});

test("a question that waits is answered from the popup in its turn, never in a second window", async () => {
  const first = await openTab("First");
  const second = await openTab("Second");
  await click(first);
  const question = await reader.extension.waitForApproval();
  await click(second);
  await expect.poll(countQuestions).toBe(2);
  const popup = await reader.extension.openPopup();
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: /^Answer .*Second/ }).click();
  await closed;
  expect(approvalWindows()).toEqual([question]);
  await decline(question);
  await decline(await reader.extension.waitForApproval());
});

test("a window that is out of sight comes back with the next click on the page, and the page hears why", async () => {
  const first = await openTab("First");
  await click(first);
  const question = await reader.extension.waitForApproval();
  await minimize(question);
  expect(await stateOf(question)).toBe("minimized");
  // In the same tab, from another article.
  await first.goto(site.addressOf("/Second.html"));
  await click(first);
  await expect(first.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("prompt_open"));
  expect(await stateOf(question)).toBe("normal");
  expect(approvalWindows()).toEqual([question]);
  await decline(question);
});

test("in its first moments no press approves: not Enter, not Space, not a click that was under way", async () => {
  const before = await totalOf(reader);
  // A question in whose window no time passes, however slow the machine is.
  const frozen = await reader.extension.context.addInitScript((page) => {
    if (!location.href.includes(page)) return;
    const now = performance.now.bind(performance);
    performance.now = () => 0;
    const goOn = () => {
      performance.now = now;
    };
    Object.assign(globalThis, { goOn });
  }, APPROVE_PAGE);
  const first = await openTab("First");
  await click(first);
  const question = await reader.extension.waitForApproval();
  const pay = question.getByRole("button", { name: /^Pay / });
  await expect(pay).toBeVisible();
  await tryToApprove(question);
  await expect(pay).toBeDisabled();
  expect(await countQuestions()).toBe(1);
  expect(await totalOf(reader)).toBe(before);
  await frozen.dispose();
  await question.evaluate("goOn()");
  await expect(pay).toBeEnabled();
  await decline(question);
});

test("a window that something was laid over does not approve before it is in front again, and not at once then", async () => {
  const before = await totalOf(reader);
  const first = await openTab("First");
  await click(first);
  const question = await reader.extension.waitForApproval();
  const pay = question.getByRole("button", { name: /^Pay / });
  await expect(pay).toBeEnabled();
  // A browser that is driven has every page believe that it is in front, so the window hears of it from here.
  const hear = (event: string) =>
    question.evaluate((type) => void globalThis.dispatchEvent(new Event(type)), event);
  await hear("blur");
  await expect(pay).toBeDisabled();
  await tryToApprove(question);
  expect(await countQuestions()).toBe(1);
  expect(await totalOf(reader)).toBe(before);
  await hear("focus");
  await expect(pay).toBeEnabled();
  await approveAndClose(question);
  await expectArticleOpen(first);
});

async function openTab(title: string): Promise<Page> {
  const tab = await reader.extension.context.newPage();
  tabs.push(tab);
  await tab.goto(site.addressOf(`/${title}.html`));
  return tab;
}

async function click(tab: Page): Promise<void> {
  await paywallButton(tab).click();
}

/** Where the button is, whatever it says of itself, and with the keys. */
async function tryToApprove(question: Page): Promise<void> {
  const box = await question.getByRole("button", { name: /^Pay / }).boundingBox();
  if (box === null) throw new Error("there is no button");
  const at = [box.x + box.width / 2, box.y + box.height / 2] as const;
  await question.mouse.click(...at);
  await question.mouse.dblclick(...at);
  for (const key of ["Enter", "Space", "Tab", "Tab", "Tab", "Tab", "Enter"]) {
    if (await isOnDecline(question)) break;
    await question.keyboard.press(key);
  }
}

/** There Enter is a no, and is heard at any time. */
function isOnDecline(question: Page): Promise<boolean> {
  return question.evaluate(() => document.activeElement?.textContent === "Not now");
}

function approvalWindows(): Page[] {
  return reader.extension.context.pages().filter((opened) => opened.url().includes(APPROVE_PAGE));
}

async function countQuestions(): Promise<number> {
  return (await readSnapshot(reader.extension)).approvals.filter(({ state }) => state === "asking").length;
}

async function minimize(page: Page): Promise<void> {
  const worker = await reader.extension.serviceWorker();
  await worker.evaluate(async (address) => {
    const [tab] = await chrome.tabs.query({ url: address });
    if (tab) await chrome.windows.update(tab.windowId, { state: "minimized" });
  }, page.url());
}

async function stateOf(page: Page): Promise<string | undefined> {
  const worker = await reader.extension.serviceWorker();
  return worker.evaluate(async (address) => {
    const [tab] = await chrome.tabs.query({ url: address });
    return tab && (await chrome.windows.get(tab.windowId)).state;
  }, page.url());
}
