import { expect, it } from "vitest";
import { ENGLISH } from "../fixtures/english.ts";
import { describeRestore } from "./notice.tsx";
import { speak } from "./text.tsx";

speak(ENGLISH);

it("says how far a restore has come, and does not count what nobody knows yet", () => {
  const step = { receipts: 1_200, receiptsInBackup: 50_000, coins: 48, coinsToCheck: 12, damagedParts: 0 };
  const said = (changes: object) => describeRestore({ ...step, phase: "reading", ...changes });
  expect(said({})).toBe("Receipts that are here: 1,200 of 50,000.");
  expect(said({ receipts: 0, receiptsInBackup: 0 })).not.toMatch(/[0-9]/);
  expect(said({ phase: "searching" })).toContain("1,200");
  expect(said({ phase: "checking" })).toContain(": 12.");
});
