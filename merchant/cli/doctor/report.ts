/** What the doctor says, for programs and for people. */
import { styleText } from "node:util";
import * as v from "valibot";
import { FINDINGS, type FindingCode, type Severity } from "./findings.ts";

export const VISITORS = {
  reader: "A reader without the wallet",
  crawler: "A search engine",
  feed: "A feed reader",
  cache: "A cache",
  payer: "A paying reader",
} as const;
export type VisitorName = keyof typeof VISITORS;

const Finding = v.object({
  code: v.custom<FindingCode>((value) => typeof value === "string" && Object.hasOwn(FINDINGS, value)),
  severity: v.picklist(["error", "warning", "note"]),
  visitor: v.picklist(["reader", "crawler", "feed", "cache", "payer"]),
  /** The address at which it was seen. */
  where: v.string(),
  /** A short quotation: never a receipt, a coin, or more than a few words of a paid text. */
  seen: v.string(),
  what: v.string(),
  todo: v.string(),
});
export type Finding = v.InferOutput<typeof Finding>;

/** The output of `--json`. Fields may be added; what is there stays, or `version` grows. */
export const DoctorReport = v.object({
  version: v.literal(1),
  url: v.string(),
  /** `unchecked`: the page could not be looked at, and `problem` says why. */
  outcome: v.picklist(["clean", "findings", "unchecked"]),
  problem: v.optional(v.string()),
  counts: v.object({ error: v.number(), warning: v.number(), note: v.number() }),
  findings: v.array(Finding),
  /** What was left out, and what therefore nobody knows. */
  leftOut: v.array(
    v.object({ visitor: v.picklist(["reader", "crawler", "feed", "cache", "payer"]), why: v.string() }),
  ),
  /** What the paying reader spent, in micros. */
  paid: v.optional(v.object({ amount: v.string(), currency: v.string() })),
});
export type DoctorReport = v.InferOutput<typeof DoctorReport>;

const MARKS: Readonly<Record<Severity, string>> = { error: "✗", warning: "!", note: "·" };
const COLOURS = { error: "red", warning: "yellow", note: "dim" } as const;

export function countFindings(findings: readonly Finding[]): DoctorReport["counts"] {
  const count = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted).length;
  return { error: count("error"), warning: count("warning"), note: count("note") };
}

/** Grouped by who saw it; each finding says what to do. */
export function describeReport(report: DoctorReport, hasColours: boolean): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    hasColours ? styleText(style, text, { validateStream: false }) : text;
  const lines = [paint("bold", report.url), ""];
  for (const [visitor, name] of Object.entries(VISITORS)) {
    const findings = report.findings.filter((finding) => finding.visitor === visitor);
    const leftOut = report.leftOut.filter((left) => left.visitor === visitor);
    const isFine = findings.length === 0 && leftOut.length === 0;
    lines.push(isFine ? `${paint("green", "✓")} ${name}` : paint("bold", name));
    for (const { code, severity, where, seen, what, todo } of findings) {
      lines.push(
        `  ${paint(COLOURS[severity], `${MARKS[severity]} ${severity}`)}  ${what}  ${paint("dim", code)}`,
      );
      lines.push(`      at  ${where}`);
      if (seen !== "") lines.push(`    seen  ${seen}`);
      lines.push(`      do  ${todo}`);
    }
    for (const { why } of leftOut) lines.push(`  ${paint("dim", `– not checked: ${why}`)}`);
  }
  lines.push("", summary(report));
  return lines.join("\n");
}

function summary({ counts: { error, warning, note }, leftOut }: DoctorReport): string {
  const some = (count: number, name: string) => `${count} ${name}${count === 1 ? "" : "s"}`;
  const left = leftOut.length === 0 ? "" : `, ${some(leftOut.length, "thing")} not checked`;
  return `${some(error, "error")}, ${some(warning, "warning")}, ${some(note, "note")}${left}.`;
}
