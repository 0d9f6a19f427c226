import { expect, it } from "vitest";
import { GUARD_MS, guardAfterKey, guardFrom, keyApproves } from "./guard.ts";

it("does not let an Enter that was meant for the page approve", () => {
  expect(keyApproves(guardFrom(0), "Enter", false, false, GUARD_MS - 1)).toBe(false);
  expect(keyApproves(guardFrom(0), "Enter", false, false, GUARD_MS)).toBe(true);
});

it("does not let the Enter at the end of a sentence approve, however long the sentence is", () => {
  let opensAt = guardFrom(0);
  for (let now = 0; now <= 3_000; now += 150) opensAt = guardAfterKey(opensAt, "a", false, now);
  expect(keyApproves(opensAt, "Enter", false, false, 3_100)).toBe(false);
});

it("does not approve because a key is held down, or pressed in a control of the window", () => {
  expect(keyApproves(0, "Enter", true, false, 1_000)).toBe(false);
  expect(keyApproves(0, "Enter", false, true, 1_000)).toBe(false);
});

it("does not keep out a reader who tabs to the button or types an amount", () => {
  expect(guardAfterKey(400, "Tab", false, 1_000)).toBe(400);
  expect(guardAfterKey(400, "5", true, 1_000)).toBe(400);
  expect(guardAfterKey(400, "Enter", false, 1_000)).toBe(400);
});
