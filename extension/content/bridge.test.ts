import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_MESSAGE_LENGTH } from "../../shared/protocol/page.ts";
import { type FakePage, openFakePage } from "../../test/support/fake-page.ts";

let page: FakePage;
/** A trusted click of the reader's on an element of ours. */
let click: () => void;
beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  page = openFakePage();
  const { startBridge } = await import("./bridge.ts");
  startBridge();
  click = () => {
    startBridge().clickedAt = performance.now();
  };
});
afterEach(() => {
  vi.useRealTimers();
});

const PAY = JSON.stringify({ v: 1, id: "request-1", type: "pay" });
const TIP = JSON.stringify({ v: 1, id: "request-2", type: "tip" });
const STATUS = JSON.stringify({ v: 1, id: "request-3", type: "status" });
const ANSWER = '{"v":1,"id":"request-1","ok":{}}';
const clicks = () => page.sent.map((message) => Object(message).clicked);
const elapse = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

it("says who it is, as often as the page asks, and no more than that", () => {
  page.askForWallet();
  page.askForWallet();
  const announcement = JSON.stringify({ v: 1, name: "Tuppence", version: "1.2.3" });
  expect(page.announced).toEqual([announcement, announcement]);
});

it("hands on the page's own text, unread, and the background's answer, as they are", async () => {
  page.answer = async () => ANSWER;
  page.request("{ anything");
  await elapse();
  expect(page.sent).toEqual([{ kind: "page", message: "{ anything", clicked: false }]);
  expect(page.responses).toEqual([ANSWER]);
});

it("gives the page no answer where the background has none for it", async () => {
  page.request(STATUS);
  await elapse();
  expect(page.sent).toHaveLength(1);
  expect(page.responses).toEqual([]);
});

it.each([
  ["an object", { type: "pay" }],
  ["a text that is an object", new String(PAY)],
  ["nothing", undefined],
  ["a number", 5],
  ["more than a message may be long", "x".repeat(MAX_MESSAGE_LENGTH + 1)],
])("does not wake the background for %s", async (_case, detail) => {
  page.request(detail);
  await elapse();
  expect(page.sent).toEqual([]);
});

it("does not queue more than it can carry, and goes on when there is room again", async () => {
  const answers: ((answer: unknown) => void)[] = [];
  page.answer = () => new Promise((resolve) => answers.push(resolve));
  for (let requests = 0; requests < 40; requests += 1) page.request(STATUS);
  await elapse();
  expect(page.sent).toHaveLength(32);
  answers[0]?.(null);
  await elapse();
  for (let requests = 0; requests < 40; requests += 1) page.request(STATUS);
  await elapse();
  expect(page.sent).toHaveLength(33);
});

it("listens once, though both content scripts of the frame start it", async () => {
  vi.resetModules();
  const second = await import("./bridge.ts");
  second.startBridge();
  page.request(STATUS);
  page.askForWallet();
  await elapse();
  expect(page.sent).toHaveLength(1);
  expect(page.announced).toHaveLength(1);
});

describe("a click", () => {
  it.each([PAY, TIP])("is used up by one payment: %s", (payment) => {
    click();
    page.request(payment);
    page.request(PAY);
    page.request(TIP);
    expect(clicks()).toEqual([true, false, false]);
  });

  it("is not used up by what costs nothing, nor by what cannot be read", () => {
    click();
    for (const message of [STATUS, "not json", "null", PAY]) page.request(message);
    expect(clicks()).toEqual([true, true, true, true]);
  });

  it("does not last: what a page asks a quarter of a minute later nobody clicked for", async () => {
    click();
    await elapse(14_999);
    page.request(STATUS);
    await elapse(1);
    page.request(PAY);
    expect(clicks()).toEqual([true, false]);
  });

  it("that both scripts hear is the same click", async () => {
    vi.resetModules();
    const second = await import("./bridge.ts");
    click();
    second.startBridge();
    page.request(PAY);
    page.request(PAY);
    expect(clicks()).toEqual([true, false]);
  });
});

describe("a background that dies", () => {
  it("is sent the same message again, with the click that stood behind it, until it answers", async () => {
    let deaths = 0;
    page.answer = async () => {
      if (deaths < 3) {
        deaths += 1;
        throw new Error("The message port closed before a response was received.");
      }
      return ANSWER;
    };
    click();
    page.request(PAY);
    await elapse(10_000);
    expect(page.sent).toEqual(Array(4).fill({ kind: "page", message: PAY, clicked: true }));
    expect(page.responses).toEqual([ANSWER]);
  });

  it("before it began to answer is asked again too", async () => {
    const answers = [undefined, ANSWER];
    page.answer = async () => answers.shift();
    page.request(STATUS);
    await elapse(10_000);
    expect(page.responses).toEqual([ANSWER]);
  });

  it("for good is not asked without end, nor without pauses", async () => {
    page.answer = () => Promise.reject(new Error("no receiving end"));
    page.request(STATUS);
    await elapse();
    expect(page.sent.length).toBeLessThanOrEqual(2);
    await elapse(600_000);
    expect(page.sent).toHaveLength(20);
    expect(page.responses).toEqual([]);
  });

  it("because the extension is gone is not asked again", async () => {
    page.answer = () => {
      page.removeExtension();
      return Promise.reject(new Error("Extension context invalidated."));
    };
    page.request(STATUS);
    await elapse(600_000);
    expect(page.sent).toHaveLength(1);
  });
});

it("asks nothing for a page that the reader has not opened yet, and everything once it is opened", async () => {
  page.prerender();
  page.answer = async () => ANSWER;
  page.request(STATUS);
  await elapse(60_000);
  expect(page.sent).toEqual([]);
  page.activate();
  await elapse();
  expect(page.sent).toHaveLength(1);
  expect(page.responses).toEqual([ANSWER]);
});
