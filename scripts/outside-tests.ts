/**
 * A reporter for Vitest: what went wrong outside of any test, such as a crash of the process that plays them, which its
 * JSON report leaves out.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** The report's name; it is a list of texts. */
export const OUTSIDE_TESTS = "outside-tests";

export default class implements Reporter {
  onTestRunEnd(_: readonly TestModule[], errors: readonly SerializedError[]): void {
    const said = errors.map(({ message, cause }) => [message, ...causes(cause)].join("\n"));
    const file = path.join(import.meta.dirname, "../out/reports", `${OUTSIDE_TESTS}.json`);
    writeFileSync(file, JSON.stringify(said));
  }
}

function causes(cause: unknown): string[] {
  if (typeof cause !== "object" || cause === null || !("message" in cause)) return [];
  return [String(cause.message), ...("cause" in cause ? causes(cause.cause) : [])];
}
