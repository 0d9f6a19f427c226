import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import { makeTestWallet } from "../../wallet/core/testing.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { TOP_UP_ALARM, watchTopUps } = await import("./top-ups.ts");

const NOW = Date.UTC(2026, 10, 23, 14, 32);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const topUp = (state: "open" | "paid", at = NOW) => ({
  id: "a".repeat(32),
  amount: "5000000",
  state,
  at,
  checkoutUrl: "https://accounts.pay.example/checkout",
});
const OPEN = { topUps: [topUp("paid"), topUp("open")] };
const ENDED = { topUps: [topUp("paid")] };
const NONE = { topUps: [] };
const { wallet } = await makeTestWallet();
const SNAPSHOT = await wallet.snapshot();

let looks: number;
/** Pages of ours that are open: such as the reader opened to look at the wallet, and questions. */
let pages: number;
let questions: number;
let answer: () => Promise<void>;
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  browser.endBackground();
  browser.session.clear();
  browser.alarms.clear();
  looks = 0;
  pages = 0;
  questions = 0;
  answer = async () => undefined;
});
afterEach(async () => {
  // Whoever still polls stops, so that no test is looked into by the one before.
  pages = 0;
  questions = 0;
  await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
});

/** `stored` is what its wallet says of itself. */
function startBackground(stored: Pick<WalletSnapshotJson, "topUps"> = OPEN) {
  const wallet = {
    refreshTopUps: () => {
      looks += 1;
      return answer();
    },
    snapshot: async () => ({ ...SNAPSHOT, ...stored }),
  };
  const viewers = { count: () => pages + questions, countOfWallet: () => pages };
  return watchTopUps(wallet, viewers, { nowMs: () => Date.now() });
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
  pages = 1;
  await watch.follow(OPEN);
  await watch.follow(OPEN);
  expect(looks).toBe(1);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(looks).toBe(4);
});

it("does not go on asking when the page was closed or the top-up has ended, and takes it up for the next", async () => {
  const watch = startBackground();
  pages = 1;
  await watch.follow(OPEN);
  pages = 0;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looks).toBe(1);
  pages = 1;
  watch.look();
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

it("does not tell the provider by an abandoned checkout when a question opens and closes", async () => {
  const watch = startBackground();
  await watch.follow(OPEN);
  await vi.advanceTimersByTimeAsync(15 * MINUTE_MS);
  for (let payments = 0; payments < 3; payments += 1) {
    questions = 1;
    watch.look();
    await vi.advanceTimersByTimeAsync(5_000);
    questions = 0;
    await watch.follow(OPEN);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
  }
  expect(looks).toBe(0);
  pages = 1;
  questions = 1;
  watch.look();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(looks, "a reader who looks at the wallet is not kept waiting").toBe(3);
});

it("does not let a question that waits for its top-up stand still, and gives it up after a while", async () => {
  const watch = startBackground();
  questions = 1;
  await watch.follow({ topUps: [topUp("open"), topUp("open", NOW - 5 * HOUR_MS)] });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(looks).toBe(4);
  await vi.advanceTimersByTimeAsync(15 * MINUTE_MS);
  const looked = looks;
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(looks).toBe(looked);
});

it("does not let the alarm ring all day for a checkout that nobody finishes, and begins anew with the next one", async () => {
  const watch = startBackground();
  await watch.follow(OPEN);
  await vi.advanceTimersByTimeAsync(HOUR_MS - 1);
  await watch.ring();
  expect([looks, browser.alarms.size]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(1);
  await watch.ring();
  expect([looks, browser.alarms.size]).toEqual([1, 0]);
  expect(browser.isWatchingTabs(), "who finishes it after all is not kept waiting").toBe(true);
  await watch.follow({ topUps: [topUp("open", Date.now()), topUp("open")] });
  expect([...browser.alarms]).toEqual([[TOP_UP_ALARM, 0.5]]);
});

it("asks nobody for an alarm that comes when the computer wakes up again, hours later", async () => {
  browser.alarms.set(TOP_UP_ALARM, 0.5);
  const restarted = startBackground({ topUps: [topUp("open", NOW - 5 * HOUR_MS)] });
  await restarted.ring();
  expect([looks, browser.alarms.size]).toEqual([0, 0]);
});

it("does not ask twice at once because the alarm rings while a page of ours looks", async () => {
  const watch = startBackground();
  pages = 1;
  await watch.follow(OPEN);
  await watch.ring();
  expect(looks).toBe(1);
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

it("does not ask at each page that the reader opens, hours later, where the checkout was", async () => {
  const watch = startBackground();
  await watch.watch(7);
  await watch.follow(OPEN);
  vi.setSystemTime(NOW + HOUR_MS);
  browser.moveTab(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(0);
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
  pages = 1;
  answer = () => Promise.reject(new Error("no network"));
  await watch.watch(7);
  await watch.follow(OPEN);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(looks).toBe(3);
  browser.moveTab(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(looks).toBe(4);
});
