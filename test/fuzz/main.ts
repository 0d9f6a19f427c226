/**
 * `npm run fuzz -- --inputs 120000 --seed 1`: every endpoint, every message of a page and every decoder with inputs that
 * are nearly genuine. Prints a table, and ends with 1 and the smallest counterexample where something does not hold.
 * `--only coins`, `--only "page: pay"`, `--only "provider/POST /topups"` run some of it; `--path` repeats one.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { MOST_GROWTH_BYTES, runParts } from "./runs.ts";
import type { PartResult, TargetResult } from "./target.ts";

const MOST_SEEN = 8;
const BYTES_PER_MEGABYTE = 1_048_576;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "120000" },
    seed: { type: "string" },
    only: { type: "string" },
    path: { type: "string" },
  },
});
// Another one each time, and said, so that it can be given again.
const seed = values.seed === undefined ? Math.floor(Date.now() / 1_000) : Number(values.seed);
const begun = performance.now();
const results = await runParts({
  inputs: Number(values.inputs),
  seed,
  ...(values.only === undefined ? {} : { only: values.only }),
  ...(values.path === undefined ? {} : { path: values.path }),
  onPart: (result) => console.log(table(result)),
});

const targets = results.flatMap((result) => result.targets);
const inputs = targets.reduce((total, target) => total + target.inputs, 0);
const failures = results.flatMap(({ failure }) => (failure === null ? [] : [failure]));
if (inputs === 0) {
  failures.push("nothing");
  console.log(`There is nothing that is called ${values.only}.`);
}
const seconds = Math.round((performance.now() - begun) / 1_000);
console.log(
  `\n${inputs} inputs to ${targets.length} targets in ${seconds} s, seed ${seed}: ${failures.length === 0 ? "all hold" : `${failures.length} failed`}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function table({ part, targets: rows, heap, failure, seconds: took }: PartResult): string {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const memory = heap
    ? `, heap ${heap.map((bytes) => (bytes / BYTES_PER_MEGABYTE).toFixed(1)).join(" → ")} MB (may grow by ${MOST_GROWTH_BYTES / BYTES_PER_MEGABYTE})`
    : "";
  const lines = rows.map(
    (row) => `${row.name.padEnd(width)}  ${`${row.inputs}`.padStart(6)}  ${seenIn(row)}`,
  );
  const failed = failure === null ? [] : [`FAILED ${failure}`];
  return [`\n${part}: ${took.toFixed(0)} s${memory}`, ...lines, ...failed].join("\n");
}

function seenIn({ seen }: TargetResult): string {
  const shown = seen.slice(0, MOST_SEEN).map(([what, times]) => `${what} ×${times}`);
  return [...shown, ...(seen.length > MOST_SEEN ? [`and ${seen.length - MOST_SEEN} more`] : [])].join(", ");
}
