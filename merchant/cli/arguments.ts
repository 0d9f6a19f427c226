import { type ParseArgsConfig, parseArgs } from "node:util";
import { CommandError } from "./problem.ts";

/** @throws CommandError at an option that there is not */
export function readArguments<T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new CommandError(`${error instanceof Error ? error.message : error} --help says what there is.`);
  }
}
