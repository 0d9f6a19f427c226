/**
 * `npm run package`: what the stores are given, in `out/packages`. An archive for each browser, and for Mozilla's reviewers the
 * source that it was built from, as git has it. The same commit gives the same bytes. Before that everything is checked and
 * built; afterwards what is in the archives is judged, and Mozilla's linter has its say. How a reviewer makes the same
 * archive: docs/STORE-LISTING.md.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { zipSync } from "fflate";
import * as v from "valibot";
import type { BrowserName } from "../vite.config.ts";
import { buildAll } from "./build.ts";
import { check } from "./check.ts";

const ROOT = path.dirname(import.meta.dirname);
export const PACKAGES = path.join(ROOT, "out", "packages");
export const BROWSERS: readonly BrowserName[] = ["chrome", "firefox"];

/** By path from the extension's root, in the order of the alphabet. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** All that may be in an archive, and how large one file of the kind may be. What is none of these was put there by mistake. */
const CONTENTS: readonly { readonly what: string; readonly names: RegExp; readonly mostBytes: number }[] = [
  { what: "manifest", names: /^manifest\.json$/, mostBytes: 5_000 },
  { what: "texts of a language", names: /^_locales\/[a-zA-Z_]+\/messages\.json$/, mostBytes: 80_000 },
  {
    what: "script for pages of sites",
    names: /^extension\/content\/(doorbell|known-site)\.js$/,
    mostBytes: 3_000,
  },
  { what: "background's loader", names: /^service-worker-loader\.js$/, mostBytes: 200 },
  { what: "background", names: /^assets\/index\.ts-[\w-]+\.js$/, mostBytes: 450_000 },
  { what: "page with its styles", names: /^extension\/ui\/[a-z]+\/index\.html$/, mostBytes: 30_000 },
  { what: "script of pages", names: /^assets\/[\w.-]+\.js$/, mostBytes: 80_000 },
  { what: "icon", names: /^(extension\/icons|assets)\/[\w-]+\.png$/, mostBytes: 10_000 },
];
/** Compressed, as a reader downloads it; seven languages are a third of it. */
const MOST_ARCHIVE_BYTES = 340_000;

/** What Mozilla's linter warns of, and why it may. Every other warning fails. */
export const EXPECTED_WARNINGS: ReadonlyMap<string, string> = new Map([
  [
    "UNSAFE_VAR_ASSIGNMENT",
    "Preact can set innerHTML where a program asks it to (dangerouslySetInnerHTML). Nothing of ours does: npm run check refuses it.",
  ],
]);

/** The archive format has no time zone, and nothing before this. */
const NO_TIME = new Date(1980, 0, 1);

if (import.meta.main) await main();

async function main(): Promise<void> {
  const checked = await check();
  if (!checked.every(({ passed }) => passed)) throw new Error("Nothing was packaged: see what failed above.");
  await buildAll(BROWSERS);
  rmSync(PACKAGES, { recursive: true, force: true });
  mkdirSync(PACKAGES, { recursive: true });
  const version = readVersion();
  const faults: string[] = [];
  for (const browser of BROWSERS) {
    const files = readBuilt(browser);
    const archive = zip(files);
    writeFileSync(path.join(PACKAGES, archiveName(version, browser)), archive);
    faults.push(...findFaults(files, archive, version).map((fault) => `${browser}: ${fault}`));
  }
  const { faults: linted, expected } = lint(path.join(PACKAGES, archiveName(version, "firefox")));
  faults.push(...linted.map((fault) => `linter: ${fault}`));
  for (const code of expected) console.log(`linter: ${code}, as expected. ${EXPECTED_WARNINGS.get(code)}`);
  const uncommitted = archiveSource(ROOT, path.join(PACKAGES, `tuppence-${version}-source.zip`), version);
  for (const file of globSync("*.zip", { cwd: PACKAGES }).toSorted()) console.log(describe(file));
  if (uncommitted !== undefined) console.log(`No archive of the source: ${uncommitted}`);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

export function archiveName(version: string, browser: BrowserName): string {
  return `tuppence-${version}-${browser}.zip`;
}

export function readVersion(): string {
  const { version } = v.parse(Versioned, JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")));
  return version;
}

/** All of `dist/<browser>`, so that what should not be there is found. @throws Error where nothing was built */
export function readBuilt(browser: BrowserName): Files {
  const folder = path.join(ROOT, "dist", browser);
  const names = globSync(["**/*", "**/.*"], { cwd: folder })
    .map((name) => name.replaceAll(path.sep, "/"))
    .filter((name) => statSync(path.join(folder, name)).isFile());
  if (names.length === 0) throw new Error(`There is nothing in dist/${browser}. Run "npm run build".`);
  return new Map(names.toSorted().map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** The same files give the same bytes, whenever and wherever. */
export function zip(files: Files): Uint8Array {
  return zipSync(Object.fromEntries(files), { level: 9, mtime: NO_TIME });
}

/** What must not go to a store, in sentences. */
export function findFaults(files: Files, archive: Uint8Array, version: string): string[] {
  const faults: string[] = [];
  for (const [name, bytes] of files) {
    const kind = CONTENTS.find(({ names }) => names.test(name));
    if (!kind) faults.push(`${name} is nothing that an archive may contain`);
    else if (bytes.length > kind.mostBytes)
      faults.push(`${name} has ${bytes.length} bytes, and a ${kind.what} may have ${kind.mostBytes}`);
    if (name.endsWith(".js") && Buffer.from(bytes).includes("sourceMappingURL"))
      faults.push(`${name} names a source map`);
  }
  if (archive.length > MOST_ARCHIVE_BYTES)
    faults.push(`the archive has ${archive.length} bytes, and may have ${MOST_ARCHIVE_BYTES}`);
  const manifest = v.safeParse(Versioned, parseJson(files.get("manifest.json")));
  if (!manifest.success) faults.push("there is no manifest.json with a version");
  else if (manifest.output.version !== version)
    faults.push(`manifest.json says version ${manifest.output.version}, and package.json ${version}`);
  return faults;
}

const Versioned = v.object({ version: v.string() });

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(bytes ?? []).toString("utf8"));
  } catch {
    return undefined;
  }
}

const Finding = v.object({ code: v.string(), message: v.string(), file: v.optional(v.string()) });
const LintReport = v.object({
  errors: v.array(Finding),
  warnings: v.array(Finding),
  notices: v.array(Finding),
});

/** What Mozilla's linter says of a folder or an archive: faults, and those warnings that are known and explained. */
export function lint(place: string): { readonly faults: string[]; readonly expected: string[] } {
  const program = path.join(ROOT, "node_modules/web-ext/bin/web-ext.js");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [program, "lint", `--source-dir=${place}`, "--output=json"],
    {
      encoding: "utf8",
    },
  );
  const report = v.safeParse(LintReport, parseJson(Buffer.from(stdout)));
  if (!report.success) throw new Error(`The linter did not report: ${stderr}`);
  const { errors, warnings, notices } = report.output;
  const expected = warnings.filter(({ code }) => EXPECTED_WARNINGS.has(code));
  const others = [...errors, ...warnings.filter(({ code }) => !EXPECTED_WARNINGS.has(code)), ...notices];
  return {
    faults: others.map(({ code, message, file }) => `${code}${file ? ` in ${file}` : ""}: ${message}`),
    expected: [...new Set(expected.map(({ code }) => code))],
  };
}

/** Everything of the newest commit and nothing else. Gives the reason where it makes none: another source than the one that was built helps nobody. */
export function archiveSource(folder: string, file: string, version: string): string | undefined {
  const status = git(folder, ["status", "--porcelain"]);
  if (status === undefined) return "this is no git checkout.";
  if (status !== "") return `these changes are in no commit:\n${status}`;
  // Its entries carry the commit's time, written in the time zone of whoever runs it.
  const made = git(
    folder,
    ["archive", "--format=zip", `--prefix=tuppence-${version}/`, `--output=${file}`, "HEAD"],
    { TZ: "UTC" },
  );
  return made === undefined ? "git could not make it." : undefined;
}

function git(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string | undefined {
  const { status, stdout } = spawnSync("git", args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  return status === 0 ? stdout.trimEnd() : undefined;
}

function describe(name: string): string {
  const bytes = readFileSync(path.join(PACKAGES, name));
  const hash = createHash("sha256").update(bytes).digest("hex");
  return `out/packages/${name}  ${bytes.length.toLocaleString("en-US")} bytes  sha256 ${hash}`;
}
