/** `tuppence COMMAND`: the site owner's commands. */
import { runCheck } from "./check.ts";
import type { CommandDeps } from "./command.ts";
import { CommandError } from "./problem.ts";
import { runProve } from "./prove.ts";
import { runSeal } from "./seal.ts";

const HELP = `tuppence COMMAND

  seal    seals the paid part of pages, so that they can be published anywhere
  check   adds statements up again, and finds what was altered or left out
  prove   proves that the payment of a receipt is in a statement

tuppence COMMAND --help says more.
`;

/** Each answers whether all is well. */
const COMMANDS: Readonly<Record<string, (args: readonly string[], deps: CommandDeps) => Promise<boolean>>> = {
  seal: async (args, deps) => {
    await runSeal(args, deps);
    return true;
  },
  check: runCheck,
  prove: runProve,
};

const [name, ...args] = process.argv.slice(2);
const command = name === undefined ? undefined : COMMANDS[name];
try {
  if (!command) console.log(HELP);
  const isWell = await command?.(args, {
    fetch,
    now: Date.now,
    print: (line) => console.log(line),
    note: (line) => console.error(line),
  });
  process.exitCode = isWell || name === "--help" ? 0 : 1;
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
