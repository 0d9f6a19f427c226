import { expect, it } from "vitest";
import { failuresOfPlaywright, failuresOfVitest } from "./failures.ts";

const passed = { fullName: "adds", status: "passed", failureMessages: [] };
const failed = { fullName: "divides", status: "failed", failureMessages: ["\u001B[31mby zero\u001B[39m"] };

it("names what failed in Vitest and how, and nothing else", () => {
  const testResults = [
    { name: "a.test.ts", status: "failed", message: "", assertionResults: [passed, failed] },
    { name: "b.test.ts", status: "failed", message: "does not load", assertionResults: [] },
    { name: "c.test.ts", status: "passed", message: "", assertionResults: [passed] },
    { name: "d.test.ts", status: "failed", message: "", assertionResults: [passed] },
  ];
  expect(failuresOfVitest({ testResults }, ["a worker ended\nby SIGABRT"])).toEqual([
    "a.test.ts: divides\n  by zero",
    "b.test.ts\n  does not load",
    "d.test.ts\n  not all of its tests came to their end",
    "outside a test\n  a worker ended\n  by SIGABRT",
  ]);
});
it("names what failed in Playwright, however deep, and what failed outside of tests", () => {
  const spec = (title: string, ok: boolean) => ({
    title,
    file: "a.spec.ts",
    ok,
    tests: [{ results: [{ errors: ok ? [] : [{ message: "no such button" }] }] }],
  });
  const suites = [{ specs: [spec("opens", true)], suites: [{ specs: [spec("pays", false)] }] }];
  expect(failuresOfPlaywright({ suites, errors: [{ message: "no worker" }] })).toEqual([
    "a.spec.ts: pays\n  no such button",
    "outside a test\n  no worker",
  ]);
});
