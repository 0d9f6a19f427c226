/**
 * `npm run simulate -- --seeds 10000 --from 0`: many seeds, on all cores; stops at the first that breaks an invariant.
 * `--trace` prints one seed, event by event. `--mutants` runs each mutant until it is found.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { coverageTable, uncovered } from "./coverage.ts";
import { installEnvironment } from "./environment.ts";
import { installHooks } from "./hooks.ts";
import { MUTANTS } from "./mutants.ts";
import { type Result, runSeeds } from "./runs.ts";

const MOST_SEEDS_FOR_A_MUTANT = 1_000;
const PROGRESS_MS = 5_000;
const TAIL_LINES = 60;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "300" },
    from: { type: "string", default: "0" },
    workers: { type: "string" },
    mutant: { type: "string" },
    trace: { type: "boolean" },
    mutants: { type: "boolean" },
  },
});
const from = Number(values.from);
const count = Number(values.seeds);
const workers = values.workers === undefined ? {} : { workers: Number(values.workers) };

if (values.trace) process.exitCode = await trace();
else if (values.mutants) process.exitCode = await findMutants();
else process.exitCode = await run();

async function run(): Promise<number> {
  const begun = performance.now();
  let told = begun;
  const rate = (done: number) => `${(done / ((performance.now() - begun) / 1_000)).toFixed(1)} seeds/s`;
  const runs = await runSeeds({
    from,
    count,
    ...workers,
    ...(values.mutant === undefined ? {} : { mutant: values.mutant }),
    onProgress: (done) => {
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      console.log(`${done} of ${count} seeds, ${rate(done)}`);
    },
  });
  console.log(`\n${coverageTable(runs.coverage)}\n`);
  console.log(`${runs.seeds} seeds from ${from}, ${runs.events} events, ${rate(runs.seeds)}`);
  const missed = uncovered(runs.coverage);
  if (missed.length > 0) console.log(`Not met: ${missed.join("; ")}`);
  if (!runs.broken) return 0;
  tell(runs.broken);
  return 1;
}

function tell({ seed, violation, tail }: Result): void {
  console.log(`\n${tail.slice(-TAIL_LINES).join("\n")}`);
  console.log(`\nSeed ${seed} breaks: ${violation}`);
  console.log(`All of it: npm run simulate -- --from ${seed} --trace`);
}

async function trace(): Promise<number> {
  installEnvironment();
  installHooks(MUTANTS.find(({ name }) => name === values.mutant));
  const { simulate } = await import("./simulate.ts");
  const { violation, traceHash } = await simulate(from, (line) => console.log(line));
  console.log(`trace ${traceHash}`);
  console.log(violation === undefined ? `Seed ${from} holds.` : `Seed ${from} breaks: ${violation}`);
  return violation === undefined ? 0 : 1;
}

/** Zero only if every one was found. */
async function findMutants(): Promise<number> {
  let missed = 0;
  for (const { name, why } of MUTANTS) {
    const { broken, seeds } = await runSeeds({
      from,
      count: MOST_SEEDS_FOR_A_MUTANT,
      mutant: name,
      ...workers,
    });
    if (!broken) missed++;
    console.log(
      broken
        ? `found   ${name}: seed ${broken.seed}, ${broken.violation?.slice(0, 160)}`
        : `MISSED  ${name}, in ${seeds} seeds: ${why}`,
    );
  }
  console.log(`${MUTANTS.length - missed} of ${MUTANTS.length} mutants found`);
  return missed === 0 ? 0 : 1;
}
