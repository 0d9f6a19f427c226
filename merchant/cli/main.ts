/** `tuppence COMMAND`: what site owners and programs need on a command line. */
import { runCheck } from "./check.ts";
import type { CommandDeps } from "./command.ts";
import { runDoctor } from "./doctor.ts";
import { runFetch, runWallet } from "./pay.ts";
import { CommandError } from "./problem.ts";
import { runProve } from "./prove.ts";
import { runSeal } from "./seal.ts";

const HELP = `tuppence COMMAND

  seal    seals the paid part of pages, so that they can be published anywhere
  check   adds statements up again, and finds what was altered or left out
  doctor  visits a page as its readers, crawlers, feed readers and caches do, and says what is wrong
  prove   proves that the payment of a receipt is in a statement
  fetch   fetches an address, and pays for it out of a wallet's file
  wallet  makes such a wallet, tops it up, says what is in it

tuppence COMMAND --help says more.
`;

/** Each answers whether all is well. */
const COMMANDS: Readonly<Record<string, (args: readonly string[], deps: CommandDeps) => Promise<boolean>>> = {
  seal: async (args, deps) => {
    await runSeal(args, deps);
    return true;
  },
  check: runCheck,
  doctor: runDoctor,
  prove: runProve,
  fetch: runFetch,
  wallet: runWallet,
};

const [name, ...args] = process.argv.slice(2);
const command = name === undefined ? undefined : COMMANDS[name];
try {
  if (!command) console.log(HELP);
  const isWell = await command?.(args, {
    fetch,
    now: Date.now,
    print: (line) => console.log(line),
    write: (bytes) => void process.stdout.write(bytes),
    note: (line) => console.error(line),
    hasColours: process.stdout.isTTY === true && process.stdout.hasColors(),
  });
  process.exitCode = isWell || name === "--help" ? 0 : 1;
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
