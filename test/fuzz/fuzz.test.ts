/** The beginning of `npm run fuzz`, always the same: each part, a few hundred inputs, in processes of their own. */
import { expect, it } from "vitest";
import { runParts } from "./runs.ts";

const INPUTS = 1_500;
/** A busy machine is not a broken program. */
const TIMEOUT_MS = 600_000;
const SEED = 20_261_124;

it(
  "holds whatever is sent to an endpoint, said by a page or given to a decoder",
  async () => {
    const results = await runParts({ inputs: INPUTS, seed: SEED });
    expect(results.map(({ failure }) => failure).filter((failure) => failure !== null)).toEqual([]);
    const targets = results.flatMap((result) => result.targets);
    expect(targets.filter(({ inputs }) => inputs === 0)).toEqual([]);
    // What refuses everything was not reached by anything.
    expect(targets.filter(({ seen }) => seen.length === 0)).toEqual([]);
  },
  TIMEOUT_MS,
);
