import { expect, it } from "vitest";
import { describeSeconds, describeTime } from "./time.ts";

const now = Date.UTC(2026, 10, 23, 12, 0);

it.each([
  [now - 5_000, "just now"],
  [now + 5_000, "just now"],
  [now - 25 * 60_000, "11:35 AM"],
  [now - 12 * 3_600_000 - 60_000, "Yesterday"],
  [now - 72 * 3_600_000, "Nov 20"],
])("does not tell a reader the wrong day (%s)", (at, words) => {
  expect(describeTime(at, now, "en-US", "UTC").replace(/\s/g, " ")).toBe(words);
});

it.each([
  [30, "30 seconds"],
  [60, "1 minute"],
  [900, "15 minutes"],
  [90, "90 seconds"],
  [86_400, "1 day"],
  [0, "0 seconds"],
])("does not round %s seconds to something else", (seconds, words) => {
  expect(describeSeconds(seconds)).toBe(words);
});
