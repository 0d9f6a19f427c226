/** The command `tuppence check`: statements and receipts, held against each other. `--help` says how. */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { formatBalance, type Micros } from "../../shared/money.ts";
import { Jwks } from "../../shared/protocol/provider.ts";
import { StatementFile, settlementId, verifyStatementRoot } from "../../shared/statement.ts";
import { readArguments } from "./arguments.ts";
import type { CommandDeps } from "./command.ts";
import { CommandError } from "./problem.ts";
import { fetchKeys, fetchPublishedRoot, providerOrigin } from "./provider.ts";
import { checkStatements } from "./statement-check.ts";

const HELP = `Adds statements up again, and finds what was altered or left out. Ends with 1 where something is wrong.

  tuppence check STATEMENT.json… [--receipts FILE] [--keys FILE | --provider ORIGIN] [--json]

  --receipts FILE    receipts that you kept, one to a line: each that falls into the statements must be in them
  --keys FILE        the provider's keys (its /.well-known/jwks.json, kept): nothing is fetched
  --provider ORIGIN  fetches the keys, and compares with what the provider publishes for everyone
  --json             for programs
`;

const OPTIONS = {
  help: { type: "boolean" },
  json: { type: "boolean" },
  receipts: { type: "string" },
  keys: { type: "string" },
  provider: { type: "string" },
} as const;

/** Whether all is well. @throws CommandError with a sentence for whoever ran it */
export async function runCheck(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help || positionals.length === 0) {
    deps.print(HELP);
    return values.help === true;
  }
  const statements = (await Promise.all(positionals.map(readStatement))).sort((a, b) => a.number - b.number);
  const receipts = values.receipts === undefined ? [] : lines(await readText(values.receipts));
  const provider = values.provider === undefined ? undefined : providerOrigin(values.provider);
  const jwks = await findKeys(values.keys, provider, deps);
  const report = await checkStatements(statements, receipts, jwks);
  const problems = [
    ...report.problems,
    ...(provider === undefined || !jwks ? [] : await comparePublished(statements, jwks, provider, deps)),
  ];
  const notes = [
    ...report.notes,
    ...(jwks ? [] : ["The provider's signature was not checked: name its keys with --keys or --provider."]),
  ];
  if (values.json) {
    const checked = statements.map(({ merchant, number }) => settlementId(merchant, number));
    deps.print(
      JSON.stringify({ checked, receiptsFound: report.receiptsFound, problems, notes }, undefined, 2),
    );
  } else print(statements, { receipts: receipts.length, found: report.receiptsFound, problems, notes }, deps);
  return problems.length === 0;
}

function print(
  statements: readonly StatementFile[],
  report: {
    readonly receipts: number;
    readonly found: number;
    readonly problems: readonly string[];
    readonly notes: readonly string[];
  },
  { print: say }: CommandDeps,
): void {
  for (const { merchant, number, closedAt, currency, mode, ...sums } of statements) {
    const day = new Date(closedAt).toISOString().slice(0, 10);
    const money = (amount: Micros) => formatBalance(amount, currency);
    say(
      `${settlementId(merchant, number)}  ${day}  ${sums.paymentCount} payments of ${money(sums.payments)}, ${sums.refundCount} refunds of ${money(sums.refunds)}, fee ${sums.feeBasisPoints / 100} %, pays out ${money(sums.payout)}${mode === "test" ? " (test mode: play money)" : ""}`,
    );
  }
  if (report.receipts > 0) say(`${report.found} of ${report.receipts} receipts found.`);
  for (const sentence of report.problems) say(`✗ ${sentence}`);
  for (const sentence of report.notes) say(`· ${sentence}`);
  say(
    report.problems.length === 0
      ? "✓ All of it adds up."
      : "Ask the provider about it, with the statement and the receipts.",
  );
}

/** A provider that shows one root to the merchant and another to everyone else would be found here. */
async function comparePublished(
  statements: readonly StatementFile[],
  jwks: Jwks,
  provider: string,
  deps: CommandDeps,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { merchant, number, signedRoot } of statements) {
    const own = await verifyStatementRoot(signedRoot, jwks);
    const published = await fetchPublishedRoot(provider, { merchant, number }, deps.fetch);
    const theirs = published === undefined ? undefined : await verifyStatementRoot(published, jwks);
    if (own && theirs?.root !== own.root)
      problems.push(
        `${settlementId(merchant, number)}: the provider publishes another root for it, or none.`,
      );
  }
  return problems;
}

async function findKeys(
  file: string | undefined,
  provider: string | undefined,
  deps: CommandDeps,
): Promise<Jwks | undefined> {
  if (file === undefined) return provider === undefined ? undefined : fetchKeys(provider, deps.fetch);
  const jwks = v.safeParse(Jwks, parseJson(file, await readText(file)));
  if (!jwks.success)
    throw new CommandError(`${file} holds no keys: it should be the provider's /.well-known/jwks.json.`);
  return jwks.output;
}

async function readStatement(file: string): Promise<StatementFile> {
  const statement = v.safeParse(StatementFile, parseJson(file, await readText(file)));
  if (statement.success) return statement.output;
  const [issue] = statement.issues;
  throw new CommandError(
    `${file} is no statement as JSON: ${v.getDotPath(issue) ?? "its whole"}: ${issue.message}. (Statements from before they were signed cannot be checked: ask for them anew.)`,
  );
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`${file} is not JSON.`);
  }
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => {
    throw new CommandError(`${file} cannot be read.`);
  });
}
