import { beforeEach, describe, expect, it, vi } from "vitest";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import { EXTENSION_ID } from "../../test/support/fake-platform.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { isApprovalWindow, isOwnPage, readFrame, readTab } = await import("./sender.ts");

const SITE = "https://lantern.example";
const OWN = `chrome-extension://${EXTENSION_ID}`;

/** What Chrome says of a content script in the top frame of an ordinary tab. */
const TOP_FRAME = {
  id: EXTENSION_ID,
  url: `${SITE}/tides.html`,
  origin: SITE,
  frameId: 0,
  documentId: "B7F0",
  documentLifecycle: "active",
  tab: { id: 7, url: `${SITE}/tides.html`, incognito: false, active: true, index: 0 },
};

describe("a frame that asks", () => {
  it("is known by what the browser says of it", () => {
    expect(readFrame(TOP_FRAME, true)).toEqual({
      origin: SITE,
      url: `${SITE}/tides.html`,
      topOrigin: SITE,
      isTopFrame: true,
      tabId: 7,
      isPrivate: false,
      clicked: true,
    });
  });

  it("has no click of its own making", () => {
    expect(readFrame({ ...TOP_FRAME, clicked: true }, false)?.clicked).toBe(false);
  });

  it("is opaque where it is sandboxed, whatever its address says", () => {
    expect(readFrame({ ...TOP_FRAME, origin: "null" }, true)).toMatchObject({
      origin: "null",
      topOrigin: "null",
      url: `${SITE}/tides.html`,
    });
  });

  it("is opaque where the browser names no origin, rather than guessed from the address", () => {
    const { origin, ...unnamed } = TOP_FRAME;
    expect(readFrame(unnamed, true)?.origin).toBe("null");
  });

  it("inside of another page is a frame, under the origin of that page", () => {
    const framed = {
      ...TOP_FRAME,
      frameId: 4,
      tab: { ...TOP_FRAME.tab, url: "https://evil.example/around" },
    };
    expect(readFrame(framed, true)).toMatchObject({
      origin: SITE,
      isTopFrame: false,
      topOrigin: "https://evil.example",
    });
  });

  it.each([undefined, "", "not an address"])(
    "inside of a page whose address is %j has nobody known around it",
    (url) => {
      const framed = {
        ...TOP_FRAME,
        frameId: 4,
        tab: { id: 7, incognito: false, ...(url === undefined ? {} : { url }) },
      };
      expect(readFrame(framed, true)?.topOrigin).toBe("null");
    },
  );

  it("in a private window is told apart", () => {
    expect(readFrame({ ...TOP_FRAME, tab: { ...TOP_FRAME.tab, incognito: true } }, true)?.isPrivate).toBe(
      true,
    );
  });

  it("in Firefox, which tells no lifecycle, is one all the same", () => {
    const { documentLifecycle, ...firefox } = TOP_FRAME;
    expect(readFrame(firefox, true)?.origin).toBe(SITE);
  });

  it.each([
    ["of another extension", { ...TOP_FRAME, id: "ponmlkjihgfedcbaponmlkjihgfedcba" }],
    ["of nobody", { ...TOP_FRAME, id: undefined }],
    ["that the reader has not opened yet", { ...TOP_FRAME, documentLifecycle: "prerender" }],
    ["that the reader has left", { ...TOP_FRAME, documentLifecycle: "cached" }],
    ["that is being closed", { ...TOP_FRAME, documentLifecycle: "pending_deletion" }],
    ["without a tab", { ...TOP_FRAME, tab: undefined }],
    ["whose tab is not said to be private or not", { ...TOP_FRAME, tab: { id: 7, url: SITE } }],
    ["without a number", { ...TOP_FRAME, frameId: undefined }],
    ["that is none", undefined],
  ])("%s is not listened to", (_case, sender) => {
    expect(readFrame(sender, true)).toBeUndefined();
  });
});

describe("a page of ours", () => {
  const popup = { id: EXTENSION_ID, url: `${OWN}/extension/ui/popup/index.html`, origin: OWN };

  it.each([
    ["the popup", popup],
    ["the welcome page, in a tab", { ...popup, frameId: 0, tab: TOP_FRAME.tab }],
    ["one of a browser that names no origin", { id: EXTENSION_ID, url: popup.url }],
  ])("is %s", (_case, sender) => {
    expect(isOwnPage(sender)).toBe(true);
  });

  it.each([
    ["a content script, though it is of this extension", TOP_FRAME],
    ["a content script whose page claims an address of ours", { ...popup, origin: SITE }],
    ["a content script whose page claims an origin of ours", { ...popup, url: `${SITE}/tides.html` }],
    ["a sandboxed page of ours", { ...popup, origin: "null" }],
    // In a network whose names the attacker gives out, this is a page like any other.
    [
      "a site that is named like the extension",
      { ...popup, url: `http://${EXTENSION_ID}/`, origin: `http://${EXTENSION_ID}` },
    ],
    [
      "a page of another extension",
      { ...popup, url: `chrome-extension://ponmlkji/x.html`, origin: "chrome-extension://ponmlkji" },
    ],
    ["another extension with an address of ours", { ...popup, id: "ponmlkjihgfedcbaponmlkjihgfedcba" }],
    ["a page whose address is none", { ...popup, url: "popup" }],
    ["a program outside of the browser", { id: EXTENSION_ID }],
    ["nobody", undefined],
  ])("is not %s", (_case, sender) => {
    expect(isOwnPage(sender)).toBe(false);
  });

  describe("that is the approval window", () => {
    const question = { ...popup, url: `${OWN}/${APPROVE_PAGE}?id=1` };

    it("is known by its address, whatever follows that", () => {
      expect(isApprovalWindow(question)).toBe(true);
    });

    it.each([
      ["another page of ours", popup],
      ["one that names it behind its own address", { ...popup, url: `${popup.url}#/${APPROVE_PAGE}` }],
      ["a site that has such a page", { ...question, url: `${SITE}/${APPROVE_PAGE}`, origin: SITE }],
      ["nobody", undefined],
    ])("is not %s", (_case, sender) => {
      expect(isApprovalWindow(sender)).toBe(false);
    });
  });

  describe("in Firefox, where its host is not the extension's id", () => {
    const host = "0c4f2a5e-8a0e-4c4e-9d3e-5f0f7f1a2b3c";
    beforeEach(() => {
      const { platform } = browser;
      vi.spyOn(platform, "extensionUrl").mockImplementation((path) => `moz-extension://${host}/${path}`);
    });

    it("is known by that host", () => {
      const own = { id: EXTENSION_ID, url: `moz-extension://${host}/extension/ui/popup/index.html` };
      expect(isOwnPage(own)).toBe(true);
      expect(isOwnPage({ ...own, url: `moz-extension://${host.replace("0", "1")}/popup.html` })).toBe(false);
    });
  });
});

it("the tab that the reader asks about in the toolbar is a top page, with their click", () => {
  expect(readTab({ id: 7, url: `${SITE}/tides.html`, isPrivate: true }, "null")).toEqual({
    origin: "null",
    url: `${SITE}/tides.html`,
    topOrigin: "null",
    isTopFrame: true,
    tabId: 7,
    isPrivate: true,
    clicked: true,
  });
});
