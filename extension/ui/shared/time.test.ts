import { expect, it } from "vitest";
import { ENGLISH } from "../fixtures/english.ts";
import { speak } from "./text.tsx";
import { describeTime, describeWithin } from "./time.ts";

speak(ENGLISH);

const now = Date.UTC(2026, 10, 23, 12, 0);

it.each([
  [now - 5_000, "just now"],
  [now + 5_000, "just now"],
  [now - 25 * 60_000, "11:35 AM"],
  [now - 12 * 3_600_000 - 60_000, "Yesterday"],
  [now - 72 * 3_600_000, "Nov 20"],
])("does not tell a reader the wrong day (%s)", (at, words) => {
  expect(describeTime(at, now, "UTC").replace(/\s/g, " ")).toBe(words);
});

it.each([
  [30, "within 30 seconds"],
  [60, "within 1 minute"],
  [900, "within 15 minutes"],
  [90, "within 90 seconds"],
  [86_400, "within 1 day"],
  [0, "within 0 seconds"],
])("does not round %s seconds to something else", (seconds, words) => {
  expect(describeWithin(seconds)).toBe(words);
});
