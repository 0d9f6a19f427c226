/**
 * `npm run attack -- --rounds 20 --readers 8 --from 0`: as many rounds as one likes, and what each strategy made of them.
 * `--mutant NAME` does it with one mistake in the wallet, `--mutants` with each until it is caught.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Tally } from "./attack.ts";
import { MUTANTS } from "./mutants.ts";
import { CHANCE_BOUND, playRounds } from "./runs.ts";

const MOST_ROUNDS_FOR_A_MUTANT = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    readers: { type: "string", default: "8" },
    from: { type: "string", default: "0" },
    mutant: { type: "string" },
    mutants: { type: "boolean" },
  },
});
const from = Number(values.from);
const readers = Number(values.readers);

process.exitCode = values.mutants ? await catchMutants() : await run();

/** Zero if no strategy did better than chance. */
async function run(): Promise<number> {
  const { mutant } = values;
  const { tallies, requests, rounds } = await playRounds({
    from,
    rounds: Number(values.rounds),
    readers,
    ...(mutant === undefined ? {} : { mutant }),
    onRound: (sofar) => console.log(`${sofar[0]?.payments} payments attacked`),
  });
  console.log(`\n${rounds} rounds of ${readers} readers, ${requests} requests`);
  console.table(tallies.map(rowOf));
  const finds = tallies.filter(isFind);
  for (const { strategy } of finds) console.log(`Better than chance: ${strategy}`);
  return finds.length === 0 ? 0 : 1;
}

/** Zero only if every one was caught. */
async function catchMutants(): Promise<number> {
  let missed = 0;
  for (const { name, caughtBy } of MUTANTS) {
    const isCaught = (tallies: readonly Tally[]) =>
      tallies.some(({ strategy, chance }) => strategy === caughtBy && chance < CHANCE_BOUND);
    const { tallies } = await playRounds({
      from,
      rounds: MOST_ROUNDS_FOR_A_MUTANT,
      readers,
      mutant: name,
      isEnough: isCaught,
    });
    if (!isCaught(tallies)) missed++;
    const finds = tallies.filter(({ chance }) => chance < CHANCE_BOUND).map(({ strategy }) => strategy);
    console.log(`${isCaught(tallies) ? "caught" : "MISSED"}  ${name}: ${finds.join("; ")}`);
  }
  console.log(`${MUTANTS.length - missed} of ${MUTANTS.length} mutants caught`);
  return missed === 0 ? 0 : 1;
}

function isFind({ proves, given, chance }: Tally): boolean {
  return chance < CHANCE_BOUND || (proves && given > 0);
}

function rowOf({ strategy, given, right, payments, chance }: Tally) {
  return { strategy, given: `${given} of ${payments}`, right, chance: Number(chance.toPrecision(3)) };
}
