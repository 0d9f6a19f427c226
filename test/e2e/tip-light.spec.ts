/** The light of the toolbar's icon, and tips to a page that has no tip element, or none that the reader clicks. */
import type { Page } from "@playwright/test";
import { ERRORS, type ErrorCode, tellReader } from "../../shared/errors.ts";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type FaultProxy, startProviderBehindProxy } from "../support/fault-proxy.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import type { RunningProvider } from "../support/provider.ts";
import { approveAndClose, pressToClose, readSnapshot } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

/** As the popup, the menu and the keys: what a browser's own interface does, no test can press. */
type Gesture = "menu" | "keys";

const LIT = "Tuppence – this page takes tips";
const UNLIT = "Tuppence";
/** What the menu's item and the command are called between the browser and the background. */
const TIP = "tip-page";
const NAME = "Letters from a Lighthouse";

let provider: RunningProvider;
let proxy: FaultProxy;
let reader: StockedReader;
let site: MerchantSite;
let page: Page;

test.beforeAll(async () => {
  ({ provider, proxy } = await startProviderBehindProxy({ environment: SANDBOX_ENVIRONMENT }));
  reader = await stockReader(provider);
  // It would wake the background by itself.
  await (await reader.extension.welcomePage()).close();
  site = await startMerchantSite(provider, { id: "lighthouse", name: NAME });
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await provider.close();
});

for (const [what, name] of [
  ["a tip element", () => tipElement()],
  ["a Web Monetization link", () => link("monetization")],
  ["a facilitated payment link", () => link("facilitated-payment")],
  ["a link with more than one relation, in capitals", () => link("Alternate MONETIZATION")],
  ["a link in its body", () => `</head><body>${link("monetization")}`],
] as const) {
  test(`the icon does not stay dark over a page with ${what}`, async () => {
    await open("/named.html", name());
    await expectTitle(LIT);
  });
}

test("the light is a picture that the browser takes, and the dark one follows it", async () => {
  await recordIcons();
  await open("/drawn.html", link("monetization"));
  const tabId = await tabOf(page);
  const lit = { tabId, path: iconsNamed("lit-"), was: "taken" };
  await expect.poll(recordedIcons).toEqual([lit]);
  await page.evaluate(() => document.querySelector('link[rel="monetization"]')?.remove());
  await expect.poll(recordedIcons).toEqual([lit, { ...lit, path: iconsNamed("") }]);
});

test("the light goes out when the tab goes on to another page, and is there again on the way back", async () => {
  await open("/there.html", link("monetization"));
  await expectTitle(LIT);
  await open("/elsewhere.html", "");
  expect(await titleOf(page)).toBe(UNLIT);
  await page.goBack();
  await expectTitle(LIT);
});

test("the light does not come on for names that are none of this provider's merchants, and nobody hears of them", async () => {
  const asked: string[] = [];
  const other = await startMerchantSite(provider, {
    id: "other-provider",
    backEnd: ({ url = "" }, response) => {
      asked.push(url);
      response.writeHead(404).end();
    },
  });
  const ours = merchantAddress();
  await open(
    "/others.html",
    [
      tipElement("alice", other.origin),
      ...["monetization", "facilitated-payment"].flatMap((rel) =>
        [
          `${other.origin}/merchants/alice`,
          `${other.origin}/alice`,
          ours.replace("127.0.0.1", "localhost"),
          ours.replace("http:", "https:"),
          `${ours}/tips`,
          `${ours}?amount=5`,
          `${ours}#me`,
          ours.replace("//", "//reader:secret@"),
          `${provider.origin}/merchants/`,
          "javascript:alert(1)//merchants/lighthouse",
          "data:text/html,/merchants/lighthouse",
          "/merchants/lighthouse",
          `${provider.origin}/merchants/${"x".repeat(100_000)}`,
          "http://[/merchants/x",
          "",
        ].map((href) => link(rel, href)),
      ),
      `<link rel="monetizations" href="${ours}"><a rel="monetization" href="${ours}">Alice</a>`,
      `<iframe srcdoc="${link("monetization").replaceAll('"', "'")}"></iframe>`,
    ].join(""),
  );
  await expectLooked();
  expect(await titleOf(page)).toBe(UNLIT);
  expect(asked).toEqual([]);
  await other.close();
});

test("a page with other wallets' links does not wake the background", async () => {
  publish("/wallets.html", link("monetization", "https://wallet.example/alice"));
  await page.goto(site.addressOf("/wallets.html"));
  await reader.extension.killWorker();
  await page.reload();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)));
  expect(await reader.extension.isWorkerRunning()).toBe(false);
});

test("a name that comes late is seen, one that becomes ours too, and the light goes with the last of them", async () => {
  await open("/late.html", link("monetization", "https://wallet.example/merchants/alice"));
  await expectLooked();
  expect(await titleOf(page)).toBe(UNLIT);
  await page.evaluate(
    (href) => document.querySelector('link[rel="monetization"]')?.setAttribute("href", href),
    merchantAddress(),
  );
  await expectTitle(LIT);
  await page.evaluate(() => document.querySelector('link[rel="monetization"]')?.remove());
  await expectTitle(UNLIT);
  await page.evaluate((html) => document.body.insertAdjacentHTML("beforeend", html), tipElement());
  await expectTitle(LIT);
});

test("the provider does not learn who opens a page that can be tipped: not before the reader asks", async () => {
  const record = proxy.plan("/merchants/", {
    kind: "answered by another",
    status: 503,
    type: "text/plain",
    body: "",
  });
  await open("/quiet.html", link("monetization", merchantAddress("quiet-merchant")));
  await expectTitle(LIT);
  expect(proxy.pending(), "no record was asked for").toBe(1);
  // The popup is a gesture of the reader's.
  await page.bringToFront();
  await (await reader.extension.openPopup()).close();
  await record.met;
});

test("a page full of names costs it nothing but the light, and a name that is hidden in them is none", async () => {
  const noise = Array.from({ length: 2_000 }, (_, index) =>
    link("monetization", `https://x.example/merchants/a${index}`),
  );
  await open("/full.html", [...noise.slice(0, 50), link("monetization"), ...noise].join(""));
  await expectTitle(LIT);
  await open("/hidden.html", [...noise, link("monetization")].join(""));
  await expectLooked();
  expect(await titleOf(page)).toBe(UNLIT);
});

test("a page cannot tell that somebody read its names", async () => {
  site.publish(
    "/spy.js",
    `globalThis.seen = [];
    const note = (what) => seen.push(what);
    for (const type of ["error", "unhandledrejection", "securitypolicyviolation", "message"]) addEventListener(type, ({ type }) => note(type), true);
    for (const type of ["request-wallet", "announce-wallet", "request", "response"]) document.addEventListener("tuppence:" + type, () => note(type));
    new MutationObserver((records) => records.forEach(({ type, target }) => note(type + " " + target.nodeName))).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    new PerformanceObserver((list) => list.getEntries().forEach(({ name }) => note(name))).observe({ type: "resource" });
    for (const object of [Document.prototype, Element.prototype, Node.prototype, HTMLLinkElement.prototype])
      for (const name of Object.getOwnPropertyNames(object)) {
        const { get, value } = Object.getOwnPropertyDescriptor(object, name);
        if (get && /^(head|title|href|rel|attributes|localName)$/.test(name)) Object.defineProperty(object, name, { get() { note("get " + name); return get.call(this); } });
        if (typeof value === "function" && /^(querySelector|querySelectorAll|getAttribute|matches|getElementsByTagName)$/.test(name)) object[name] = function (...rest) { note(name); return value.apply(this, rest); };
      }
    addEventListener("load", () => setTimeout(() => (seen.length = 0)));`,
    { "content-type": "text/javascript" },
  );
  // A form hides what is named like it from whoever asks the document, in the extension's world as well.
  const clobbering = `</head><body><form name="querySelectorAll"></form><form name="addEventListener"></form>`;
  await open(
    "/spied.html",
    `<script src="/spy.js"></script>${link("monetization")}${tipElement()}${clobbering}`,
  );
  await expectTitle(LIT);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)));
  expect(await page.evaluate("seen")).toEqual([]);
});

test("a page that only has a link is tipped from the popup: its merchant is paid, by the name that the provider knows", async () => {
  const before = await totalOf(reader);
  const paid = await paidToMerchants(provider);
  await open("/linked.html", link("monetization"));
  await page.bringToFront();
  const popup = await reader.extension.openPopup();
  const tip = popup.getByRole("button", { name: /^Tip / });
  await expect(tip).toContainText(NAME);
  const asked = reader.extension.waitForApproval();
  await tip.click();
  const question = await asked;
  await expect(question.getByRole("heading")).toHaveText(`A tip to ${NAME}`);
  await expect(question.getByText("On fog")).toBeVisible();
  await expect(question.getByRole("button", { name: "Tip 10¢" })).toBeEnabled();
  await question.getByLabel("Or your own amount").fill("$6");
  await expect(question.getByText("The most here is $5.00.")).toBeVisible();
  await question.getByLabel("Or your own amount").fill("30¢");
  await approveAndClose(question);
  await expect.poll(() => totalOf(reader)).toBe(before - 300_000n);
  expect(await paidToMerchants(provider)).toBe(paid + 300_000n);
  const [payment] = (await readSnapshot(reader.extension)).payments;
  expect(payment).toMatchObject({
    state: "paid",
    title: "On fog",
    kind: "tip",
    resource: site.addressOf("/linked.html"),
  });
});

test("the browser does not lack the menu's item for a tip", async () => {
  const worker = await reader.extension.serviceWorker();
  // It refuses to change an item that it does not have.
  await worker.evaluate((id) => chrome.contextMenus.update(id, {}), TIP);
});

test("no keys of the wallet's are the browser's own already: it would keep them, and say nothing", async () => {
  const worker = await reader.extension.serviceWorker();
  expect(await worker.evaluate(() => chrome.commands.getAll())).toEqual([
    { name: "_execute_action", description: "", shortcut: "Alt+Shift+U" },
    { name: TIP, description: "Tip this site", shortcut: "Alt+Shift+G" },
  ]);
});

for (const gesture of ["menu", "keys"] as const) {
  test(`a tip by the ${gesture} needs no click on the page, and is asked about like any other`, async () => {
    const before = await totalOf(reader);
    await open(`/by-${gesture}.html#part`, link("facilitated-payment"));
    await press(gesture);
    const question = await reader.extension.waitForApproval();
    await expect(question.getByRole("heading")).toHaveText(`A tip to ${NAME}`);
    // Pressed once more it does not lay a second window over the first.
    await press(gesture);
    await expect.poll(countQuestions).toBe(1);
    await approveAndClose(question);
    await expect.poll(() => totalOf(reader)).toBe(before - 100_000n);
    expect(approvalWindows()).toEqual([]);
  });

  test(`by the ${gesture} a page that names nobody is told so in plain words, and nothing is asked of anybody`, async () => {
    await open("/nobody.html", link("monetization", "https://wallet.example/alice"));
    await press(gesture);
    const told = await reader.extension.waitForApproval();
    await expectProblem(told, "nothing_to_tip");
    await press(gesture);
    await expect.poll(countQuestions).toBe(0);
    expect(approvalWindows()).toHaveLength(1);
    await pressToClose(told, told.getByRole("button", { name: "Close" }));
  });
}

test("a page that names somebody else's merchant gets nothing, and the reader hears why", async () => {
  const thief = await startMerchantSite(provider, { id: "thief" });
  const before = await totalOf(reader);
  thief.publish("/stolen.html", `<!doctype html><title>Stolen</title>${link("monetization")}`);
  await page.goto(thief.addressOf("/stolen.html"));
  await expectTitle(LIT);
  await page.bringToFront();
  const popup = await reader.extension.openPopup();
  await expect(popup.getByText(tellReader("origin_not_verified"))).toBeVisible();
  await expect(popup.getByRole("button", { name: /^Tip / })).toHaveCount(0);
  await popup.close();
  await press("keys");
  const told = await reader.extension.waitForApproval();
  await expectProblem(told, "origin_not_verified");
  await told.close();
  expect(await countQuestions()).toBe(0);
  expect(await totalOf(reader)).toBe(before);
  await thief.close();
});

test("a merchant that the provider does not know is nobody", async () => {
  await open("/unknown.html", link("monetization", merchantAddress("nobody-at-all")));
  await expectTitle(LIT);
  await press("menu");
  const told = await reader.extension.waitForApproval();
  await expectProblem(told, "merchant_unknown");
  await told.close();
});

function link(rel: string, href = merchantAddress()): string {
  return `<link rel="${rel}" href="${href}">`;
}

function merchantAddress(merchant = site.id): string {
  return `${provider.origin}/merchants/${merchant}`;
}

function tipElement(merchant = site.id, from = provider.origin): string {
  return `<tuppence-tip merchant="${merchant}" provider="${from}" amount="25¢" least="1¢" most="$5"></tuppence-tip>`;
}

/** Publishes a page with this in its head, and opens it. */
async function open(path: string, head: string): Promise<void> {
  publish(path.replace(/#.*/, ""), head);
  await page.goto(site.addressOf(path));
}

function publish(path: string, head: string): void {
  site.publish(
    path,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>On fog</title><link rel="icon" href="data:,">${head}</head><body><h1>On fog</h1></body></html>`,
  );
}

/** From here on the worker notes which pictures the browser was given, and whether it took them. */
async function recordIcons(): Promise<void> {
  const worker = await reader.extension.serviceWorker();
  await worker.evaluate(() => {
    const setIcon = chrome.action.setIcon.bind(chrome.action);
    const icons: object[] = [];
    Object.assign(globalThis, { icons });
    Object.assign(chrome.action, {
      setIcon: async (details: chrome.action.TabIconDetails) => {
        const note = (was: string) => void icons.push({ ...details, was });
        await setIcon(details).then(
          () => note("taken"),
          (error: unknown) => note(String(error)),
        );
      },
    });
  });
}

async function recordedIcons(): Promise<unknown> {
  return (await reader.extension.serviceWorker()).evaluate("icons");
}

function iconsNamed(beginning: string) {
  const at = (size: number) => reader.extension.url(`extension/icons/${beginning}${size}.png`);
  return { 16: at(16), 32: at(32), 48: at(48) };
}

async function tabOf(of: Page): Promise<number | undefined> {
  const worker = await reader.extension.serviceWorker();
  return worker.evaluate(async (address) => (await chrome.tabs.query({ url: address }))[0]?.id, of.url());
}

/** What the toolbar's button says over the tab of the page; a screen reader says the same. */
async function titleOf(of: Page): Promise<string> {
  const worker = await reader.extension.serviceWorker();
  return worker.evaluate(async (address) => {
    const [tab] = await chrome.tabs.query({ url: address });
    return chrome.action.getTitle(tab?.id === undefined ? {} : { tabId: tab.id });
  }, of.url());
}

async function expectTitle(title: string): Promise<void> {
  await expect.poll(() => titleOf(page)).toBe(title);
}

/** The content script has looked again since everything that the test did. */
async function expectLooked(): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)));
}

/**
 * No test can open a menu of the browser's own, nor press keys that it takes before any page: the browser's event is given
 * to the background's listeners, as the browser would give it.
 */
async function press(gesture: Gesture): Promise<void> {
  const worker = await reader.extension.serviceWorker();
  await worker.evaluate(
    async ({ address, byMenu, id }) => {
      const [tab] = await chrome.tabs.query({ url: address });
      const event = byMenu ? chrome.contextMenus.onClicked : chrome.commands.onCommand;
      const first = byMenu ? { menuItemId: id, editable: false, pageUrl: address } : id;
      Reflect.get(event, "dispatch").call(event, first, tab);
    },
    { address: page.url().replace(/#.*/, "*"), byMenu: gesture === "menu", id: TIP },
  );
}

function approvalWindows(): Page[] {
  return reader.extension.context.pages().filter((opened) => opened.url().includes(APPROVE_PAGE));
}

async function countQuestions(): Promise<number> {
  return (await readSnapshot(reader.extension)).approvals.filter(({ state }) => state === "asking").length;
}

async function expectProblem(told: Page, code: ErrorCode): Promise<void> {
  await expect(told.getByText(ERRORS[code].title)).toBeVisible();
  await expect(told.getByText(`${ERRORS[code].safe} ${ERRORS[code].next}`)).toBeVisible();
  await expect(told.getByRole("button", { name: /^(Tip|Pay)/ })).toHaveCount(0);
}
