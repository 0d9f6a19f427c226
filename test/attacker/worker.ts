/** Plays rounds and attacks each: `worker.ts FROM_SEED ROUNDS READERS [MUTANT]`. Tells after every round. */
import { installHooks } from "../simulation/hooks.ts";
import { MUTANTS } from "./mutants.ts";

const [from = 0, rounds = 0, readers = 0] = process.argv.slice(2, 5).map(Number);
const name = process.argv[5];
const mutant = MUTANTS.find((candidate) => candidate.name === name);
if (name !== undefined && !mutant) throw new Error(`there is no mutant "${name}"`);

const PURCHASES_OF_MUTANTS = 4;

// Whoever asked is gone, and with it the interest in the answer.
process.once("disconnect", () => process.exit());
installHooks(mutant);
// Only now: what is imported here is the product.
const { openWorld } = await import("./world.ts");
const { playRound } = await import("./play.ts");
const { attack } = await import("./attack.ts");

const world = await openWorld();
for (let seed = from; seed < from + rounds; seed++) {
  const round = await playRound(
    world,
    mutant === undefined
      ? { seed, readers, restores: seed % 2 === 0 ? "from the backup" : "from the phrase alone" }
      : // A mistake shows at once, or it shows nowhere.
        {
          seed,
          readers,
          restores: mutant.restores ? "from the phrase alone" : "not at all",
          purchases: PURCHASES_OF_MUTANTS,
        },
  );
  const faults = world.faults.splice(0).map(String);
  await tell({
    guesses: [...attack(round)],
    payments: round.truth.payments.size,
    requests: round.record.exchanges.length,
    faults,
  });
}
await world.close();
process.disconnect?.();

function tell(result: object): Promise<void> {
  return new Promise((resolve) => process.send?.(result, undefined, undefined, () => resolve()));
}
