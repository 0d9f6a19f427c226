import { expect, test, vi } from "vitest";
import { startSettlementSchedule } from "./schedule.ts";

test("a run that takes longer than the interval is not run beside itself, and the end waits for it", async () => {
  vi.useFakeTimers();
  let finish = () => {};
  let started = 0;
  const settle = () =>
    new Promise<void>((resolve) => {
      started += 1;
      finish = resolve;
    });
  const stop = startSettlementSchedule({ settle, intervalSeconds: 10, onError: () => {} });
  await vi.advanceTimersByTimeAsync(35_000);
  expect(started).toBe(1);
  finish();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(started).toBe(2);
  let ended = false;
  const ending = stop().then(() => {
    ended = true;
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect([started, ended]).toEqual([2, false]);
  finish();
  await ending;
  vi.useRealTimers();
});

test("a run that fails is told and does not end the schedule", async () => {
  vi.useFakeTimers();
  const errors: unknown[] = [];
  const stop = startSettlementSchedule({
    settle: () => Promise.reject(new Error("no")),
    intervalSeconds: 1,
    onError: (error) => errors.push(error),
  });
  await vi.advanceTimersByTimeAsync(3_500);
  expect(errors).toHaveLength(3);
  await stop();
  vi.useRealTimers();
});

test("an interval of zero never settles", async () => {
  vi.useFakeTimers();
  let started = 0;
  const stop = startSettlementSchedule({
    settle: async () => void started++,
    intervalSeconds: 0,
    onError: () => {},
  });
  await vi.advanceTimersByTimeAsync(1_000_000);
  await stop();
  expect(started).toBe(0);
  vi.useRealTimers();
});
