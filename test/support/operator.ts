/** The commands of operators and of site owners, each in a process of its own, while a provider runs. */
import { spawn } from "node:child_process";
import process from "node:process";
import type { RunningProvider } from "./provider.ts";
import { SANDBOX_ENVIRONMENT } from "./world.ts";

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/** @param file under `server/cli/`: `settle.ts` */
export function runOperatorCommand(provider: RunningProvider, file: string): Promise<CommandResult> {
  return run([`server/cli/${file}`], {
    ...SANDBOX_ENVIRONMENT,
    TUPPENCE_DATA: provider.dataFolder,
    TUPPENCE_ORIGIN: provider.origin,
    TUPPENCE_ACCOUNTS_ORIGIN: provider.accountsOrigin,
  });
}

/** `npx tuppence …` */
export function runTuppence(args: readonly string[]): Promise<CommandResult> {
  return run(["scripts/tuppence.mjs", ...args], {});
}

function run(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<CommandResult> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
