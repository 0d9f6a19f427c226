import { beforeEach, expect, it, vi } from "vitest";
import { EXTENSION_ID } from "../../test/support/fake-platform.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { light } = await import("./light.ts");

const PROVIDER = "https://pay.example";
const PAGE = "https://lantern.example/tides.html";
const TOP = {
  id: EXTENSION_ID,
  url: PAGE,
  origin: "https://lantern.example",
  frameId: 0,
  documentLifecycle: "active",
  tab: { id: 7, url: PAGE, incognito: false },
};
const wallet = { provider: async () => ({ origin: PROVIDER, currency: "USD" }) };

let links: string[];
beforeEach(() => {
  browser.titles.clear();
  browser.session.clear();
  links = [`${PROVIDER}/merchants/the-lantern`];
  browser.page = async () => ({
    origin: "https://lantern.example",
    url: PAGE,
    title: "Tides",
    elements: [],
    links,
  });
});
const titles = () => [...browser.titles];

it("comes on in the tab of the page, and in no other, and goes when the page names nobody any more", async () => {
  await light({ wallet, testProvider: undefined }, TOP);
  expect(titles()).toEqual([[7, "Tuppence – this page takes tips"]]);
  links = [];
  await light({ wallet, testProvider: undefined }, TOP);
  expect(titles()).toEqual([[7, "Tuppence"]]);
});

it.each([
  ["a frame", { ...TOP, frameId: 3 }],
  ["a page that nobody looks at yet", { ...TOP, documentLifecycle: "prerender" }],
  ["another extension", { ...TOP, id: "ponmlkjihgfedcbaponmlkjihgfedcba" }],
  ["nobody", undefined],
])("is not for %s to put on, nor is anything read for it", async (_case, sender) => {
  browser.page = vi.fn(browser.page);
  await light({ wallet, testProvider: undefined }, sender);
  expect(titles()).toEqual([]);
  expect(browser.page).not.toHaveBeenCalled();
});

it("does not take the word that this is test mode off the button", async () => {
  await light({ wallet, testProvider: PROVIDER }, TOP);
  links = [];
  expect(titles()).toEqual([[7, "Test mode – Tuppence – this page takes tips"]]);
  await light({ wallet, testProvider: PROVIDER }, TOP);
  expect(titles()).toEqual([[7, "Test mode – Tuppence"]]);
});

it("is off without a wallet", async () => {
  await light({ wallet: { provider: async () => undefined }, testProvider: undefined }, TOP);
  expect(titles()).toEqual([[7, "Tuppence"]]);
});

it("leaves nothing behind, of private windows neither", async () => {
  await light({ wallet, testProvider: undefined }, { ...TOP, tab: { ...TOP.tab, incognito: true } });
  expect(titles()).toHaveLength(1);
  expect([...browser.session]).toEqual([]);
});

it("that comes too late for its tab is no fault", async () => {
  vi.spyOn(browser.platform, "setTabIcon").mockRejectedValueOnce(new Error("No tab with id: 7."));
  await expect(light({ wallet, testProvider: undefined }, TOP)).resolves.toBeUndefined();
});
