/** Programs of the bench, each a process of its own, so that none measures another's event loop. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { type Load, LoadResult } from "./load.ts";

const START_MS = 30_000;
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;

export interface Running {
  readonly pid: number;
  /** Where it listens. */
  readonly address: string;
  end(): Promise<void>;
}

/** Starts a program that prints where it listens. */
export async function startServer(
  script: string,
  parameters: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = spawn(process.execPath, [script, ...parameters], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const address = await addressOf(child, script).catch((error: unknown) => {
    child.kill();
    throw error;
  });
  return {
    pid: child.pid ?? 0,
    address,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

function addressOf(child: ChildProcess, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`${script} did not say where it listens`));
    const timer = setTimeout(giveUp, START_MS);
    child.once("exit", giveUp);
    if (!child.stdout) return giveUp();
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [address] = ADDRESS.exec(line) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      child.off("exit", giveUp);
      resolve(address);
    });
  });
}

/** @throws Error where a single answer was not what it had to be */
export function sendLoad(load: Load): Promise<LoadResult> {
  return startLoad(load).result;
}

export interface RunningLoad {
  /** When all is sent, or after `stop`. */
  readonly result: Promise<LoadResult>;
  stop(): void;
}

export function startLoad(load: Load): RunningLoad {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-load-"));
  const file = join(folder, "load.json");
  writeFileSync(file, JSON.stringify(load));
  const child = spawn(process.execPath, [join(import.meta.dirname, "load.ts"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const read = async (): Promise<LoadResult> => {
    try {
      const result = v.parse(LoadResult, await printedBy(child, "the load"));
      if (result.bad > 0) throw new Error(`${result.bad} of ${load.bodies.length} answers were bad`);
      return result;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  return { result: read(), stop: () => void child.kill("SIGTERM") };
}

/** Runs a program of the bench to its end. Answers the JSON that it prints. */
export function runProgram(
  script: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...parameters], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return printedBy(child, script);
}

async function printedBy(child: ChildProcess, name: string): Promise<unknown> {
  if (!child.stdout) throw new Error(`${name} prints nowhere`);
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(printed);
}
