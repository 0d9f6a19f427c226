/** Which tests failed and how, by the JSON reports of Vitest and Playwright: said again at the end, where one looks first. */
import * as v from "valibot";

const MOST_LINES = 12;
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

const VitestReport = v.object({
  testResults: v.array(
    v.object({
      name: v.string(),
      status: v.string(),
      message: v.optional(v.string(), ""),
      assertionResults: v.array(
        v.object({
          fullName: v.string(),
          status: v.string(),
          failureMessages: v.optional(v.array(v.string()), []),
        }),
      ),
    }),
  ),
});

const Outside = v.array(v.string());
/** What Vitest leaves of a file whose process ended before its tests did. */
const UNFINISHED = "not all of its tests came to their end";

/** Suites hold suites; what is in them is read as it is met. */
const PlaywrightSuite = v.object({
  specs: v.optional(v.array(v.unknown()), []),
  suites: v.optional(v.array(v.unknown()), []),
});
const PlaywrightSpec = v.object({
  title: v.string(),
  file: v.string(),
  ok: v.boolean(),
  tests: v.array(
    v.object({
      results: v.array(v.object({ errors: v.array(v.object({ message: v.optional(v.string(), "") })) })),
    }),
  ),
});
const PlaywrightReport = v.object({
  suites: v.array(v.unknown()),
  errors: v.array(v.object({ message: v.optional(v.string(), "") })),
});

/** @param outside what the reporter of scripts/outside-tests.ts left */
export function failuresOfVitest(report: unknown, outside: unknown = []): string[] {
  const inTests = v
    .parse(VitestReport, report)
    .testResults.flatMap(({ name, status, message, assertionResults }) => {
      const failed = assertionResults
        .filter((test) => test.status === "failed")
        .map((test) => saying(`${name}: ${test.fullName}`, test.failureMessages.join("\n")));
      return failed.length === 0 && status === "failed" ? [saying(name, message || UNFINISHED)] : failed;
    });
  return [...inTests, ...v.parse(Outside, outside).map((message) => saying("outside a test", message))];
}

export function failuresOfPlaywright(report: unknown): string[] {
  const { suites, errors } = v.parse(PlaywrightReport, report);
  return [
    ...suites.flatMap(failuresOfSuite),
    ...errors.map(({ message }) => saying("outside a test", message)),
  ];
}

function failuresOfSuite(suite: unknown): string[] {
  const { specs, suites } = v.parse(PlaywrightSuite, suite);
  const failed = specs
    .map((spec) => v.parse(PlaywrightSpec, spec))
    .filter(({ ok }) => !ok)
    .map(({ title, file, tests }) => {
      const errors = tests.flatMap(({ results }) => results.flatMap((result) => result.errors));
      return saying(`${file}: ${title}`, errors.map(({ message }) => message).join("\n"));
    });
  return [...failed, ...suites.flatMap(failuresOfSuite)];
}

function saying(name: string, message: string): string {
  const lines = message.replace(ESCAPES, "").split("\n").slice(0, MOST_LINES);
  return [name, ...lines.map((line) => `  ${line}`)].join("\n");
}
