/** A simulation that notices nothing is worth nothing: each of these mistakes has to be found, near the seed that found it last. */
import { expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";
import { runSeeds } from "./runs.ts";

/** `npm run simulate -- --mutants` looks from zero, and says which seeds belong into `mutants.ts` now. */
const NEIGHBOURHOOD = 30;
const TIMEOUT_MS = 1_800_000;

it.each(MUTANTS)(
  "finds: $name",
  async ({ name, seed }) => {
    const { broken } = await runSeeds({ from: seed, count: NEIGHBOURHOOD, mutant: name });
    expect(broken?.violation).toBeDefined();
  },
  TIMEOUT_MS,
);
