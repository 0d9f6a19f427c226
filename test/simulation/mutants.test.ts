/** A simulation that notices nothing is worth nothing: each of these mistakes has to be found, and soon. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { firstOf } from "../support/thorough.ts";
import { MUTANTS } from "./mutants.ts";
import { runSeeds } from "./runs.ts";

/**
 * From the seed that found it last, which finds it at once while nothing has changed. `npm run simulate -- --mutants` looks
 * from zero, and says which seeds belong into `mutants.ts` now.
 */
const MOST_SEEDS = 1_000;
const TIMEOUT_MS = 1_800_000;

/** First, and in a moment: a mutant of code that was rewritten since changes nothing. */
it.each(MUTANTS)("stands in today's code: $name", ({ edits }) => {
  for (const { file, from } of edits) {
    const source = readFileSync(path.join(import.meta.dirname, "../..", file), "utf8");
    expect(source.split(from), file).toHaveLength(2);
  }
});

it.each(firstOf(MUTANTS, 8))(
  "finds: $name",
  async ({ name, seed }) => {
    const { broken } = await runSeeds({ from: seed, count: MOST_SEEDS, mutant: name });
    expect(broken?.violation).toBeDefined();
  },
  TIMEOUT_MS,
);
