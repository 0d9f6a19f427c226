import { expect, it } from "vitest";
import { ERRORS, isErrorCode, tellReader } from "../../../shared/errors.ts";
import { describeRestore, splitMessage } from "./notice.tsx";

it("does not cut any error's first sentence short, or lose the rest", () => {
  for (const code of Object.keys(ERRORS)) {
    if (!isErrorCode(code)) continue;
    expect(splitMessage(tellReader(code))).toEqual([
      ERRORS[code].title,
      `${ERRORS[code].safe} ${ERRORS[code].next}`,
    ]);
  }
});

it("does not drop a message of one sentence", () => {
  expect(splitMessage("Something happened.")).toEqual(["Something happened.", ""]);
});

it("says how far a restore has come, and does not count what nobody knows yet", () => {
  const step = { receipts: 1_200, receiptsInBackup: 50_000, coins: 48, coinsToCheck: 12, damagedParts: 0 };
  const said = (changes: object) => describeRestore({ ...step, phase: "reading", ...changes });
  expect(said({})).toBe("1,200 of 50,000 receipts are here.");
  expect(said({ receipts: 0, receiptsInBackup: 0 })).not.toMatch(/[0-9]/);
  expect(said({ phase: "searching" })).toContain("1,200");
  expect(said({ phase: "checking" })).toContain("12 coins");
});
