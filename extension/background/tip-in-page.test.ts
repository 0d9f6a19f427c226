import { beforeEach, describe, expect, it, vi } from "vitest";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { findTip } = await import("./tip-in-page.ts");

const SITE = "https://lantern.example";
const PAGE = `${SITE}/tides.html?from=home#comments`;
const JAR = { merchant: "the-lantern", provider: "https://pay.example" };

beforeEach(() => {
  browser.active = { id: 7, url: PAGE, isPrivate: false };
  browser.page = async (read) => read();
  showPage();
});

/** What the page's tab has, for the function that the background runs in there. */
function showPage(
  page: { readonly jar?: object | null; readonly title?: unknown; readonly origin?: string } = {},
) {
  const { jar = JAR, title = "Tide mills", origin = SITE } = page;
  const attributes = new Map(Object.entries(jar ?? {}));
  vi.stubGlobal("self", { origin });
  vi.stubGlobal("location", { href: PAGE });
  vi.stubGlobal("document", {
    title,
    querySelector: (selector: string) =>
      jar === null || selector !== "tuppence-tip"
        ? null
        : { getAttribute: (name: string) => attributes.get(name) ?? null },
  });
}

it("is for the page without its fragment, in that tab, as if its own element had been clicked", async () => {
  const found = await findTip();
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

it("of a sandboxed page is nobody's, whatever the tab's address says", async () => {
  showPage({ origin: "null" });
  expect((await findTip())?.sender.origin).toBe("null");
});

it("is the page's that is there when it is read, though the tab has moved on since", async () => {
  browser.active = { id: 7, url: "https://evil.example/", isPrivate: false };
  expect((await findTip())?.sender).toMatchObject({ origin: SITE, url: PAGE });
});

it("has a title that fits, however long the page's is", async () => {
  showPage({ title: "x".repeat(10_000) });
  expect((await findTip())?.tip.offer).toMatchObject({ accepts: [{ extra: { title: "x".repeat(300) } }] });
});

describe("there is none", () => {
  it("where the page has no tip jar", async () => {
    showPage({ jar: null });
    expect(await findTip()).toBeUndefined();
  });

  it.each(["chrome://settings/", "file:///home/reader/letter.html", "about:blank", "not an address"])(
    "in %s, which is not even read",
    async (url) => {
      browser.active = { id: 7, url, isPrivate: false };
      browser.page = vi.fn(async (read: () => unknown) => read());
      expect(await findTip()).toBeUndefined();
      expect(browser.page).not.toHaveBeenCalled();
    },
  );

  it("where no tab is in front, or its address is not to be known", async () => {
    browser.active = undefined;
    expect(await findTip()).toBeUndefined();
  });

  it("where the browser lets nobody read the page", async () => {
    browser.page = () => Promise.reject(new Error("The extensions gallery cannot be scripted."));
    expect(await findTip()).toBeUndefined();
  });

  it.each([
    ["a title that is no text", { title: { toString: "x" } }],
    ["an attribute that is longer than any", { jar: { ...JAR, label: "x".repeat(301) } }],
    ["no merchant", { jar: { provider: JAR.provider } }],
    ["a range without anything in it", { jar: { ...JAR, least: "$5", most: "$1" } }],
    ["an amount that is none", { jar: { ...JAR, amount: "a lot" } }],
  ])("where the page has %s", async (_case, page) => {
    showPage(page);
    expect(await findTip()).toBeUndefined();
  });
});
