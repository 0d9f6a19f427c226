import { beforeEach, describe, expect, it, vi } from "vitest";
import { TIP_JAR_SELECTOR } from "../../shared/protocol/page.ts";
import type { Tab } from "../platform.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { findTip, findTipOfOtherMode } = await import("./tip-in-page.ts");

const PROVIDER = "https://pay.example";
const SITE = "https://lantern.example";
const PAGE = `${SITE}/tides.html?from=home#comments`;
const TAB: Tab = { id: 7, url: PAGE, isPrivate: false };
const JAR = { localName: "tuppence-tip", merchant: "the-lantern", provider: PROVIDER };
const linkTo = (href: unknown) => ({ localName: "link", href });
const LINK = linkTo(`${PROVIDER}/merchants/the-lantern`);

const find = (tab: Tab | undefined = TAB) =>
  findTip({ provider: async () => ({ origin: PROVIDER, currency: "USD" }) }, tab);

beforeEach(() => {
  browser.page = async (read) => read();
  showPage();
});

interface Page {
  /** What the selector finds. */
  readonly names?: readonly object[];
  readonly title?: unknown;
  readonly origin?: string;
}

/** What the page's tab has, for the function that the background runs in there. */
function showPage({ names = [JAR], title = "Tide mills", origin = SITE }: Page = {}) {
  vi.stubGlobal("self", { origin });
  vi.stubGlobal("location", { href: PAGE });
  vi.stubGlobal("document", {
    title,
    querySelectorAll: (selector: string) =>
      selector === TIP_JAR_SELECTOR
        ? names.map((attributes) => ({
            ...attributes,
            getAttribute: (name: string) => new Map(Object.entries(attributes)).get(name) ?? null,
          }))
        : [],
  });
}

it("is not found where it names the provider of the other mode, which is found by itself, so that somebody can say why", async () => {
  const OTHER = "https://test.pay.example";
  const wallet = { provider: async () => ({ origin: PROVIDER, currency: "USD", counterpart: OTHER }) };
  showPage({ names: [{ ...JAR, provider: OTHER }] });
  expect(await findTip(wallet, TAB)).toBeUndefined();
  expect((await findTipOfOtherMode(wallet, TAB))?.tip.offer.accepts[0]?.extra.provider).toBe(OTHER);
  const alone = { provider: async () => ({ origin: PROVIDER, currency: "USD" }) };
  expect(await findTipOfOtherMode(alone, TAB)).toBeUndefined();
});

it("is for the page without its fragment, in that tab, as if its own element had been clicked", async () => {
  const found = await find();
  expect(found?.tip).toMatchObject({
    offer: {
      resource: { url: `${SITE}/tides.html?from=home` },
      accepts: [{ payTo: "the-lantern", amount: "250000", extra: { kind: "tip", title: "Tide mills" } }],
    },
    least: "10000",
    most: "10000000",
  });
  expect(found?.sender).toEqual({
    origin: SITE,
    url: PAGE,
    topOrigin: SITE,
    isTopFrame: true,
    tabId: 7,
    isPrivate: false,
    clicked: true,
  });
});

it("is of a range of the wallet's own where the page has only a link", async () => {
  showPage({ names: [LINK] });
  expect((await find())?.tip).toMatchObject({
    offer: {
      resource: { url: `${SITE}/tides.html?from=home` },
      accepts: [{ payTo: "the-lantern", amount: "100000", extra: { provider: PROVIDER, kind: "tip" } }],
    },
    least: "10000",
    most: "5000000",
  });
});

it("is the page's own element's before any link's, and the first of several", async () => {
  const other = { ...JAR, merchant: "other" };
  showPage({ names: [LINK, other, JAR] });
  expect((await find())?.tip.offer.accepts).toMatchObject([{ payTo: "other" }]);
});

it("is not kept from a reader by names at other providers that come before", async () => {
  showPage({
    names: [{ ...JAR, provider: "https://other.example" }, linkTo("https://other.example/merchants/x"), LINK],
  });
  expect((await find())?.tip.offer.accepts).toMatchObject([{ payTo: "the-lantern" }]);
});

it("of a sandboxed page is nobody's, whatever the tab's address says", async () => {
  showPage({ origin: "null" });
  expect((await find())?.sender.origin).toBe("null");
});

it("is the page's that is there when it is read, though the tab has moved on since", async () => {
  expect((await find({ ...TAB, url: "https://evil.example/" }))?.sender).toMatchObject({
    origin: SITE,
    url: PAGE,
  });
});

it("has a title that fits, however long the page's is", async () => {
  showPage({ title: "x".repeat(10_000) });
  expect((await find())?.tip.offer).toMatchObject({ accepts: [{ extra: { title: "x".repeat(300) } }] });
});

it("is found in a page that is full of names, of which only so many are looked at", async () => {
  showPage({ names: [LINK, ...Array(5_000).fill(LINK)] });
  expect(await find()).toBeDefined();
  showPage({ names: [...Array(5_000).fill(linkTo("https://other.example/merchants/x")), LINK] });
  expect(await find()).toBeUndefined();
});

describe("there is none", () => {
  it("where the page names nobody", async () => {
    showPage({ names: [] });
    expect(await find()).toBeUndefined();
  });

  it("where there is no wallet, so no provider either", async () => {
    expect(await findTip({ provider: async () => undefined }, TAB)).toBeUndefined();
  });

  it.each(["chrome://settings/", "file:///home/reader/letter.html", "about:blank", "not an address"])(
    "in %s, which is not even read",
    async (url) => {
      browser.page = vi.fn(async (read: () => unknown) => read());
      expect(await find({ ...TAB, url })).toBeUndefined();
      expect(browser.page).not.toHaveBeenCalled();
    },
  );

  it("where no tab is in front, or its address is not to be known", async () => {
    expect(await findTip({ provider: async () => ({ origin: PROVIDER, currency: "USD" }) }, undefined)).toBe(
      undefined,
    );
  });

  it("where the browser lets nobody read the page", async () => {
    browser.page = () => Promise.reject(new Error("The extensions gallery cannot be scripted."));
    expect(await find()).toBeUndefined();
  });

  it.each([
    ["a title that is no text", { title: { toString: "x" } }],
    ["no merchant", { names: [{ ...JAR, merchant: null }] }],
    ["a merchant longer than any", { names: [{ ...JAR, merchant: "x".repeat(301) }] }],
    ["a range without anything in it", { names: [{ ...JAR, least: "$5", most: "$1" }] }],
    ["an amount that is none", { names: [{ ...JAR, amount: "a lot" }] }],
  ] satisfies [string, Page][])("where the page has %s", async (_case, page) => {
    showPage(page);
    expect(await find()).toBeUndefined();
  });

  it.each([
    ["another provider", "https://other.example/merchants/the-lantern"],
    ["a provider that is only named like ours", `${PROVIDER}.evil.example/merchants/the-lantern`],
    ["our provider by a name and a password", "https://x:y@pay.example/merchants/the-lantern"],
    ["our provider without encryption", "http://pay.example/merchants/the-lantern"],
    ["another port", `${PROVIDER}:8443/merchants/the-lantern`],
    ["nobody", `${PROVIDER}/merchants/`],
    ["something that is no id", `${PROVIDER}/merchants/The%20Lantern`],
    ["somewhere above", `${PROVIDER}/merchants/../payments`],
    ["something below", `${PROVIDER}/merchants/the-lantern/tips`],
    ["a query", `${PROVIDER}/merchants/the-lantern?amount=500`],
    ["a fragment", `${PROVIDER}/merchants/the-lantern#me`],
    ["a script", "javascript:alert(1)//merchants/the-lantern"],
    ["megabytes", `${PROVIDER}/merchants/${"x".repeat(5_000_000)}`],
    ["no text", { toString: "x" }],
  ])("where a link goes to %s", async (_case, href) => {
    showPage({ names: [linkTo(href)] });
    expect(await find()).toBeUndefined();
  });
});
