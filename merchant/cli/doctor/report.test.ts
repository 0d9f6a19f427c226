import { expect, test } from "vitest";
import { createExamination } from "./examination.ts";
import { FINDINGS } from "./findings.ts";
import { countFindings, type DoctorReport, describeReport } from "./report.ts";
import { createRequests, LIMITS } from "./requests.ts";

const URL_OF_PAGE = "https://paper.example/one.html";

function reportOf(fill: (visitor: ReturnType<typeof createExamination>["visitor"]) => void): DoctorReport {
  const deps = { fetch, lookup: async () => [], now: () => 0, limits: LIMITS };
  const { visitor, findings, leftOut } = createExamination(createRequests(new URL(URL_OF_PAGE), deps));
  fill(visitor);
  return {
    version: 1,
    url: URL_OF_PAGE,
    outcome: "findings",
    counts: countFindings(findings),
    findings: [...findings],
    leftOut: [...leftOut],
  };
}

test("what was found stands under who found it, with what to do", () => {
  const report = reportOf((visitor) => {
    visitor("feed").find("paid-text-leaks", "https://paper.example/feed.xml", "“the wheel turns”");
    visitor("payer").leaveOut("a payment: name a wallet");
  });
  const text = describeReport(report, false);
  expect(text).toBe(`${URL_OF_PAGE}

✓ A reader without the wallet
✓ A search engine
A feed reader
  ✗ error  ${FINDINGS["paid-text-leaks"].what}  paid-text-leaks
      at  https://paper.example/feed.xml
    seen  “the wheel turns”
      do  ${FINDINGS["paid-text-leaks"].todo}
✓ A cache
A paying reader
  – not checked: a payment: name a wallet

1 error, 0 warnings, 0 notes, 1 thing not checked.`);
});

test("colours are for who can see them", () => {
  const report = reportOf((visitor) => visitor("reader").find("paywall-missing", URL_OF_PAGE));
  expect(describeReport(report, false)).not.toContain("\u001b");
  expect(describeReport(report, true)).toContain("\u001b[31m✗ error\u001b[39m");
});

test("a site cannot write into the terminal of who examines it, nor fill it", () => {
  const evil = `\u001b[2J\u0007\u202e${"a".repeat(5_000)}`;
  const report = reportOf((visitor) => {
    visitor("reader").find("csp-blocks-snippet", URL_OF_PAGE, evil);
    visitor("payer").leaveOut(evil);
  });
  const text = describeReport(report, false);
  for (const character of ["\u001b", "\u0007", "\u202e"]) expect(text).not.toContain(character);
  expect(text.length).toBeLessThan(1_500);
});

test("the same thing at the same address is said once", () => {
  const report = reportOf((visitor) => {
    visitor("reader").find("paid-text-leaks", URL_OF_PAGE, "one");
    visitor("crawler").find("paid-text-leaks", URL_OF_PAGE, "two");
    visitor("payer").leaveOut("a payment");
    visitor("payer").leaveOut("a payment");
  });
  expect(report.findings).toHaveLength(1);
  expect(report.leftOut).toHaveLength(1);
});
