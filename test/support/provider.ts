/** A provider as an operator runs it: its own process, its own data folder, a port that was free. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface RunningProvider {
  /** The anonymous origin. */
  readonly origin: string;
  readonly accountsOrigin: string;
  readonly dataFolder: string;
  /** Ends the process without a chance to tidy up. */
  kill(): Promise<void>;
  /** Starts it again on the same data and the same port. */
  restart(): Promise<void>;
  /** Ends it and, unless the folder was given, removes its data. */
  close(): Promise<void>;
  /** All that it printed so far. */
  log(): string;
}

export interface ProviderOptions {
  readonly dataFolder?: string;
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the operator's tools send. */
export function readAdminToken({ dataFolder }: Pick<RunningProvider, "dataFolder">): string {
  return readFileSync(join(dataFolder, "secrets", "admin-token"), "utf8").trim();
}

/** Its origin is a port of this machine, unless the environment names another. */
const READY = /"ready":true.*?"origin":"http:\/\/[^":]+(?::(\d+))?"/;
const START_SECONDS = 60;

export async function startProvider({
  dataFolder,
  port = 0,
  environment = {},
}: ProviderOptions = {}): Promise<RunningProvider> {
  const folder = dataFolder ?? mkdtempSync(join(tmpdir(), "tuppence-provider-"));
  let printed = "";
  let child: ChildProcess | undefined;
  let actualPort = port;

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ["server/main.ts"], {
      env: { ...process.env, TUPPENCE_DATA: folder, TUPPENCE_PORT: String(actualPort), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    started.stderr.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    actualPort = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the provider did not start within ${START_SECONDS} s:\n${printed}`)),
        START_SECONDS * 1_000,
      );
      started.once("exit", (code) => {
        clearTimeout(timer);
        reject(new Error(`the provider stopped at its start (${code}):\n${printed}`));
      });
      createInterface({ input: started.stdout }).on("line", (line) => {
        printed += `${line}\n`;
        const ready = READY.exec(line);
        if (!ready) return;
        clearTimeout(timer);
        resolve(ready[1] === undefined ? actualPort : Number(ready[1]));
      });
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill(signal);
    await once(running, "exit");
  }

  await start();
  return {
    origin: `http://127.0.0.1:${actualPort}`,
    accountsOrigin: `http://localhost:${actualPort}`,
    dataFolder: folder,
    kill: () => end("SIGKILL"),
    restart: start,
    async close() {
      await end("SIGTERM");
      if (dataFolder === undefined) rmSync(folder, { recursive: true, force: true });
    },
    log: () => printed,
  };
}
