/** What the operator's commands share: the provider's own configuration and data, whether or not the server runs. */
import { pino } from "pino";
import { ERRORS, TuppenceError } from "../../shared/errors.ts";
import { type Config, ConfigError, readConfig } from "../config.ts";
import { createDeps, type Deps } from "../deps.ts";

/** A wrong argument: told in one sentence, without a stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Runs the command on the provider's data and ends with its exit code. */
export function runCommand(command: (deps: Deps) => Promise<number>): Promise<void> {
  return runBareCommand((config) => withDeps(config, command));
}

/** For a command that opens and makes nothing by itself. */
export async function runBareCommand(command: (config: Config) => Promise<number>): Promise<void> {
  const run = async () => {
    const config = readConfig(process.env);
    // Beside what the command prints, which programs may read.
    if (config.mode === "test") console.error(`${config.name}: test mode, play money.`);
    return command(config);
  };
  process.exitCode = await run().catch(explain);
}

/** The data of `config.dataFolder`, for as long as the work takes. */
export async function withDeps<T>(config: Config, command: (deps: Deps) => Promise<T>): Promise<T> {
  // No thread for curve work: a command signs nothing.
  const deps = await createDeps({ ...config, mintThreads: 0 }, { logger: pino({ level: "silent" }) });
  try {
    return await command(deps);
  } finally {
    await deps.close();
  }
}

function explain(error: unknown): number {
  if (error instanceof TuppenceError) {
    const details = Object.entries(error.details).map(([name, value]) => `${name}: ${value}`);
    console.error(`${ERRORS[error.code].title}${details.length > 0 ? ` (${details.join(", ")})` : ""}`);
  } else if (error instanceof UsageError || error instanceof ConfigError) console.error(error.message);
  else console.error(error);
  return 1;
}

/** Columns as wide as their widest cell; numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = (cell: string) => /^[−$€£]?[0-9]/.test(cell);
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        isNumber(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ");
  console.log(line(head));
  console.log(widths.map((width) => "─".repeat(width)).join("  "));
  for (const row of rows) console.log(line(row).trimEnd());
}
