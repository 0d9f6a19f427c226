import { expect, it } from "vitest";
import {
  closingLine,
  countPlaywright,
  countVitest,
  judgeStage,
  NONE,
  ONE_FAILED,
  ONE_PASSED,
} from "./counts.ts";

const vitest = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const playwright = { stats: { expected: 2, unexpected: 0, flaky: 0, skipped: 0 }, errors: [] };

it("does not take a file that fails to load for a file without tests", () => {
  const testResults = [{ status: "failed", assertionResults: [] }];
  expect(countVitest({ ...vitest, testResults })).toEqual({ passed: 3, failed: 1, skipped: 0 });
});
it("does not count a failed test twice, as a test and as its file", () => {
  const testResults = [{ status: "failed", assertionResults: [{}] }];
  expect(countVitest({ ...vitest, numFailedTests: 1, testResults }).failed).toBe(1);
});
it("does not let a flaky test or an error outside tests pass", () => {
  expect(countPlaywright({ ...playwright, stats: { ...playwright.stats, flaky: 1 } }).failed).toBe(1);
  expect(countPlaywright({ ...playwright, errors: [{ message: "no tests found" }] }).failed).toBe(1);
});
it("does not take silence for success", () => {
  expect(judgeStage(NONE, true)).toEqual(ONE_FAILED);
  expect(judgeStage(ONE_PASSED, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(judgeStage(ONE_PASSED, true)).toEqual(ONE_PASSED);
  expect(judgeStage(ONE_FAILED, false)).toEqual(ONE_FAILED);
});
it("refuses a report that it cannot read, instead of counting nothing", () => {
  expect(() => countVitest({})).toThrow();
  expect(() => countPlaywright({})).toThrow();
});
it("closes with the line that others look for", () => {
  expect(closingLine({ passed: 2, failed: 1, skipped: 0 })).toBe("2 passed, 1 failed");
  expect(closingLine({ passed: 2, failed: 0, skipped: 3 })).toBe("2 passed, 0 failed, 3 skipped");
});
