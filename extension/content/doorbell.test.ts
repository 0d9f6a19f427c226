import { beforeEach, expect, it, vi } from "vitest";
import { type FakePage, openFakePage } from "../../test/support/fake-page.ts";

let page: FakePage;
beforeEach(async () => {
  vi.resetModules();
  page = openFakePage();
  await import("./doorbell.ts");
});

/** What the page finds of the wallet: an announcement, and somebody who takes requests on. */
function look() {
  page.askForWallet();
  page.request(JSON.stringify({ type: "pay" }));
  return { announced: page.announced.length, sent: page.sent.length };
}

const NOTHING = { announced: 0, sent: 0 };

it("leaves nothing to be found before a click", () => {
  expect(look()).toEqual(NOTHING);
});

it.each([
  ["that the page made itself", ["tuppence-paywall"], false],
  ["beside our elements", ["button", "body", "html"], true],
  ["on an element that is only named like ours", ["not-tuppence-paywall", "tuppence"], true],
  ["in a form with a field named localName", [{ value: "tuppence-" }], true],
])("does not answer the door for a click %s", (_case, names, isTrusted) => {
  page.click(names.map(page.element), isTrusted);
  expect(look()).toEqual(NOTHING);
});

it("does not take for an element what is none", () => {
  page.click([{ localName: "tuppence-paywall" }]);
  expect(look()).toEqual(NOTHING);
});

it("is there within the click on an element of ours, also on what stands inside of it, and says so with the request", () => {
  page.click([page.element("button"), page.element("tuppence-paywall"), page.element("body")]);
  expect(look()).toEqual({ announced: 1, sent: 1 });
  expect(page.sent[0]).toMatchObject({ clicked: true });
});

it("does not listen twice because the reader clicked twice", () => {
  for (let clicks = 0; clicks < 3; clicks += 1) page.click([page.element("tuppence-tip")]);
  expect(look()).toEqual({ announced: 1, sent: 1 });
});
