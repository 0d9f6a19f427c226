/** The command `tuppence doctor`: visits a page as everyone does who comes by, and says what is wrong. `--help` says how. */
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { formatMoney, parseMicros, ZERO } from "../../shared/money.ts";
import { readArguments } from "./arguments.ts";
import type { CommandDeps } from "./command.ts";
import { examine } from "./doctor/examine.ts";
import type { Purse } from "./doctor/payer.ts";
import { type DoctorReport, describeReport } from "./doctor/report.ts";
import { LIMITS } from "./doctor/requests.ts";
import { priceOf, RESUME_MS, withWallet } from "./pay.ts";
import { CommandError } from "./problem.ts";
import { BUILT_SNIPPET } from "./seal-folder.ts";
import { readSnippet } from "./seal-site.ts";

const HELP = `Visits a page as a reader without the wallet, a search engine, a feed reader, a cache and a paying reader, and says what is
wrong and what to do.

  tuppence doctor URL [--paid-text FILE] [--wallet FILE --max PRICE] [--strict] [--json]

  URL               a page with a paywall, or an address that answers 402
  --paid-text FILE  the paid part, as text or HTML: it is then looked for where it must not be
  --wallet FILE     pays once, out of this wallet (tuppence wallet makes one), and tries what must not open anything. Where the
                    merchant has a refund window, all of it is taken back
  --max PRICE       the most that may be given at any moment. Twice the price and 0.1¢ is enough for everything
  --snippet FILE    the built snippet, to compare the page's with (dist/merchant/tuppence.js)
  --strict          warnings count as errors
  --json            for programs: docs/DOCTOR.md says what it holds

Ends with 0 where there is no error, 1 where there is one, 2 where the page could not be looked at.
`;

const OPTIONS = {
  help: { type: "boolean" },
  json: { type: "boolean" },
  max: { type: "string" },
  "paid-text": { type: "string" },
  snippet: { type: "string" },
  strict: { type: "boolean" },
  wallet: { type: "string" },
} as const;

const UNCHECKED_EXIT_CODE = 2;

/** Whether there is no error. @throws CommandError, with its own exit code, where nothing could be looked at */
export async function runDoctor(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  try {
    return await run(args, deps);
  } catch (error) {
    throw error instanceof CommandError ? new CommandError(error.message, UNCHECKED_EXIT_CODE) : error;
  }
}

async function run(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  const { values, positionals } = readArguments(args, OPTIONS);
  const [address] = positionals;
  if (values.help || address === undefined) {
    deps.print(HELP);
    return values.help === true;
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new CommandError(`${address} is not an address such as https://paper.example/one.html.`);
  if (url.username !== "" || url.password !== "")
    throw new CommandError("A page's address holds no password.");
  const paidText = values["paid-text"] === undefined ? undefined : await readText(values["paid-text"]);
  const built = await readSnippet(values.snippet ?? BUILT_SNIPPET).catch(() => ({ integrity: undefined }));
  const look = (purse: Purse | undefined) =>
    examine(url, {
      fetch: deps.fetch,
      now: deps.now,
      lookup: (host) => lookup(host, { all: true }),
      limits: LIMITS,
      built,
      paidText,
      purse,
    });
  const report = await withPurse(values, deps, look);
  if (values.json) deps.print(JSON.stringify(report, undefined, 2));
  if (report.problem !== undefined) throw new CommandError(report.problem);
  if (!values.json) print(report, deps);
  return report.counts.error === 0 && !(values.strict && report.counts.warning > 0);
}

function withPurse(
  { wallet, max }: { wallet?: string; max?: string },
  deps: CommandDeps,
  look: (purse: Purse | undefined) => Promise<DoctorReport>,
): Promise<DoctorReport> {
  if (wallet === undefined) {
    if (max !== undefined) throw new CommandError("--max is for a --wallet, which is missing.");
    return look(undefined);
  }
  if (max === undefined) throw new CommandError("--max is missing: say the most that the visit may cost.");
  const most = priceOf("--max", max);
  return withWallet(wallet, undefined, deps, async (program) => {
    // What an earlier visit left behind comes back first.
    await program.resume(RESUME_MS);
    const report = await look({ program, max: most });
    await program.resume(RESUME_MS);
    return report;
  });
}

function print(report: DoctorReport, deps: CommandDeps): void {
  deps.print(describeReport(report, deps.hasColours === true));
  const { amount = "0", currency = "USD" } = report.paid ?? {};
  if (amount !== "0") deps.print(`Paid: ${formatMoney(parseMicros(amount) ?? ZERO, currency)}.`);
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => {
    throw new CommandError(`${path} cannot be read.`);
  });
}
