import { afterEach, beforeEach, expect, it, vi } from "vitest";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { TOP_UP_ALARM, watchTopUps } = await import("./top-ups.ts");

const topUp = (state: "open" | "paid") => ({
  id: "a".repeat(32),
  amount: "5000000",
  state,
  at: 0,
  checkoutUrl: "https://accounts.pay.example/checkout",
});
const OPEN = { topUps: [topUp("paid"), topUp("open")] };
const ENDED = { topUps: [topUp("paid")] };
const NONE = { topUps: [] };

let looks: number;
let isWatched: boolean;
let answer: () => Promise<void>;
beforeEach(() => {
  vi.useFakeTimers();
  browser.endBackground();
  browser.session.clear();
  browser.alarms.clear();
  looks = 0;
  isWatched = false;
  answer = async () => undefined;
});
afterEach(async () => {
  // Whoever still polls stops, so that no test is looked into by the one before.
  isWatched = false;
  await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
});

function startBackground() {
  const wallet = {
    refreshTopUps: () => {
      looks += 1;
      return answer();
    },
  };
  return watchTopUps(wallet, () => isWatched);
}

it("does not wake for tabs or alarms as long as no top-up is open", async () => {
  const watch = startBackground();
  await watch.follow(NONE);
  await watch.follow(ENDED);
  expect(browser.isWatchingTabs()).toBe(false);
  expect([...browser.alarms]).toEqual([]);
});

it("does not depend on a page of ours: while one is open an alarm rings, also after this background died", async () => {
  const watch = startBackground();
  await watch.follow(OPEN);
  await watch.follow(OPEN);
  expect([...browser.alarms]).toEqual([[TOP_UP_ALARM, 0.5]]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks, "without a page that shows it nobody asks the provider once a second").toBe(0);
});

it("does not let a reader who looks at the wallet wait for the alarm, nor ask twice at once", async () => {
  const watch = startBackground();
  isWatched = true;
  await watch.follow(OPEN);
  await watch.follow(OPEN);
  expect(looks).toBe(1);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(looks).toBe(4);
});

it("does not go on asking when the page was closed or the top-up has ended, and takes it up for the next", async () => {
  const watch = startBackground();
  isWatched = true;
  await watch.follow(OPEN);
  isWatched = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looks).toBe(1);
  isWatched = true;
  await watch.follow(OPEN);
  expect(looks).toBe(2);
  await watch.follow(ENDED);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looks).toBe(2);
  expect(browser.isWatchingTabs()).toBe(false);
  expect([...browser.alarms]).toEqual([]);
  await watch.follow(OPEN);
  expect(looks).toBe(3);
  expect(browser.isWatchingTabs()).toBe(true);
});

it("looks when the checkout's tab moves on, and at no step of any other tab", async () => {
  const watch = startBackground();
  await watch.watch(7);
  await watch.follow(OPEN);
  browser.moveTab(8);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(0);
  browser.moveTab(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(1);
});

it("does not forget the checkout's tab when the background dies", async () => {
  const watch = startBackground();
  await watch.follow(OPEN);
  await watch.watch(7);
  browser.endBackground();
  const restarted = startBackground();
  await restarted.follow(OPEN);
  browser.moveTab(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(1);
});

it("does not collect tabs without end: the oldest checkouts are left to the alarm", async () => {
  const watch = startBackground();
  for (const tabId of [1, 2, 3, 4, 5, 6]) await watch.watch(tabId);
  await watch.watch(undefined);
  await watch.follow(OPEN);
  browser.moveTab(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(0);
  browser.moveTab(2);
  browser.moveTab(6);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(2);
});

it("does not give up because the provider could not be reached once", async () => {
  const watch = startBackground();
  isWatched = true;
  answer = () => Promise.reject(new Error("no network"));
  await watch.watch(7);
  await watch.follow(OPEN);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(looks).toBe(3);
  browser.moveTab(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(4);
});
