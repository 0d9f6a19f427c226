/** Finds the system's browsers, for tests, tour and benchmarks: none is downloaded, so that what is tested is what people have. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";

export type BrowserName = "chromium" | "firefox";

const BROWSERS = {
  chromium: {
    variable: "TUPPENCE_CHROMIUM",
    // Google's own Chrome last: since version 137 it refuses --load-extension.
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    debianPackage: "chromium",
  },
  firefox: {
    variable: "TUPPENCE_FIREFOX",
    commands: ["firefox-esr", "firefox"],
    debianPackage: "firefox-esr",
  },
} as const;

/** The path of the browser's program; undefined if the machine has none. @throws Error if the variable names no program */
export function findBrowser(name: BrowserName): string | undefined {
  const { variable, commands } = BROWSERS[name];
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    if (!isProgram(named)) throw new Error(`${variable} is "${named}", which is not a program.`);
    return named;
  }
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)];
  return commands.flatMap((command) => folders.map((folder) => path.join(folder, command))).find(isProgram);
}

/** @throws Error that says what to install */
export function requireBrowser(name: BrowserName): string {
  const program = findBrowser(name);
  if (program === undefined) throw new Error(howToInstall([name]));
  return program;
}

/** Installs what is missing where that needs no question: as root on Debian and what comes of it. @throws Error that says what to install */
export function ensureBrowsers(names: readonly BrowserName[]): void {
  const missing = missingOf(names);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) throw new Error(howToInstall(missing));
  const packages = missing.map((name) => BROWSERS[name].debianPackage);
  installPackages(packages);
  const stillMissing = missingOf(names);
  if (stillMissing.length > 0) throw new Error(howToInstall(stillMissing));
}

function missingOf(names: readonly BrowserName[]): BrowserName[] {
  return names.filter((name) => findBrowser(name) === undefined);
}

function howToInstall(missing: readonly BrowserName[]): string {
  const packages = missing.map((name) => BROWSERS[name].debianPackage).join(" ");
  const variables = missing.map((name) => BROWSERS[name].variable).join(" and ");
  return `Missing: ${missing.join(" and ")}. On Debian or Ubuntu: "sudo apt-get install ${packages}"; or name the program in ${variables}.`;
}

/** As root, on Debian. */
export function installPackages(packages: readonly string[]): void {
  console.log(`Installing ${packages.join(" and ")} …`);
  runQuietly("apt-get", ["update", "-qq"]);
  runQuietly("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages]);
}

function runQuietly(command: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env });
  if (status !== 0)
    throw new Error(`"${command} ${args.join(" ")}" failed${error ? `: ${error.message}` : "."}`);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
