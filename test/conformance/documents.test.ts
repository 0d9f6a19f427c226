/** What the documents promise of tests: each one that is named is there, under that name. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** `file › name`, or `› name` of the file that was named last. */
const NAMED_TEST = /`([\w./-]+\.tsx?)? ?› ([^`]+)`/g;

it.each(["docs/THREAT-MODEL.md"])("%s names no test that is not there", (document) => {
  const missing: string[] = [];
  let file = "";
  let count = 0;
  for (const [, named, name = ""] of readFileSync(document, "utf8").matchAll(NAMED_TEST)) {
    file = named ?? file;
    count += 1;
    if (!existsSync(file) || !titleOf(name).test(readFileSync(file, "utf8")))
      missing.push(`${file} › ${name}`);
  }
  expect(missing).toEqual([]);
  expect(count).toBeGreaterThan(20);
});

/** `…` stands for what the test's table puts there. */
function titleOf(name: string): RegExp {
  const parts = name.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`["\`]${parts.join(".{1,40}")}["\`]`);
}
