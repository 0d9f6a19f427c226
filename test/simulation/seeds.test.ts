/** The same as `npm run simulate`, over the first seeds. */
import { expect, it } from "vitest";
import { uncovered } from "./coverage.ts";
import { runSeeds } from "./runs.ts";

const SEEDS = 150;
/** Far more than it takes; a machine that is busy with other things is slow by a factor of ten. */
const TIMEOUT_MS = 1_800_000;

it(
  "no seed loses or makes a micro, whatever fails and whoever dies",
  async () => {
    const { broken, seeds, coverage } = await runSeeds({ from: 0, count: SEEDS });
    expect(broken && `seed ${broken.seed}: ${broken.violation}`).toBeUndefined();
    expect(seeds).toBe(SEEDS);
    // A fault that no run has met is a fault that nobody has tested.
    expect(uncovered(coverage)).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  "a seed is the same run every time, whatever ran before it in its process",
  async () => {
    const inARow = await runSeeds({ from: 100, count: 4, workers: 1 });
    const apart = await runSeeds({ from: 100, count: 4, workers: 4 });
    expect(inARow.traceHashes.size).toBe(4);
    expect([...apart.traceHashes].sort()).toEqual([...inARow.traceHashes].sort());
  },
  TIMEOUT_MS,
);
