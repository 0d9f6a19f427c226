/** Runs every n-th seed and tells of each: `worker.ts FROM UP_TO STEP [MUTANT]`. */
import { installEnvironment } from "./environment.ts";
import { installHooks } from "./hooks.ts";
import { MUTANTS } from "./mutants.ts";

const [from = 0, upTo = 0, step = 1] = process.argv.slice(2, 5).map(Number);
const name = process.argv[5];
const mutant = MUTANTS.find((candidate) => candidate.name === name);
if (name !== undefined && !mutant) throw new Error(`there is no mutant "${name}"`);

// Whoever asked is gone, and with it the interest in the answer.
process.once("disconnect", () => process.exit());
installEnvironment();
installHooks(mutant);
// Only now: what is imported here is the product.
const { simulate } = await import("./simulate.ts");

for (let seed = from; seed < upTo; seed += step) {
  const { violation, traceHash, tail, events, coverage } = await simulate(seed);
  await tell({
    seed,
    violation,
    traceHash,
    events,
    tail: violation === undefined ? [] : tail,
    coverage: [...coverage],
  });
}
process.disconnect?.();

function tell(result: object): Promise<void> {
  return new Promise((resolve) => process.send?.(result, undefined, undefined, () => resolve()));
}
