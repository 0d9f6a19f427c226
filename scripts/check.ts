/** `npm run check`: everything that needs no test to be found wrong, side by side, in seconds. `--fix` formats and mends first. */
import { spawn } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

export interface PartResult {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly durationMs: number;
}

const ROOT = path.dirname(import.meta.dirname);
const SOURCE_FOLDERS = [
  "shared",
  "wallet",
  "extension",
  "merchant",
  "server",
  "demo",
  "test",
  "bench",
  "scripts",
];
/** One per environment, so that each folder has only its own globals. The root's is for what developers run. */
const TYPE_CONFIGS = [
  "server",
  "server/dashboard/pages",
  ".",
  "merchant/snippet",
  "wallet",
  "extension/ui",
  "extension",
  "shared",
  "extension/content",
  "merchant",
];

type Outcome = Pick<PartResult, "passed" | "output">;
const PARTS: Readonly<Record<string, () => Promise<Outcome>>> = {
  "format and lint": () =>
    tool("@biomejs/biome/bin/biome", ["check", "--error-on-warnings", "--max-diagnostics=none"]),
  types: checkTypes,
  boundaries: checkBoundaries,
  "unused code": () => tool("knip/bin/knip.js", ["--no-progress"]),
};

if (import.meta.main) await main();

/** Runs every part whose name contains one of `only` (all without it); prints a line each, and the whole output of what failed. */
export async function check(only: readonly string[] = []): Promise<PartResult[]> {
  const names = Object.keys(PARTS).filter(
    (name) => only.length === 0 || only.some((part) => name.includes(part)),
  );
  return Promise.all(
    names.map(async (name) => {
      const start = performance.now();
      const outcome = await PARTS[name]?.();
      const result = { name, passed: false, output: "", ...outcome, durationMs: performance.now() - start };
      console.log(
        `${result.passed ? "ok    " : "FAILED"} ${name} (${(result.durationMs / 1000).toFixed(1)} s)`,
      );
      if (!result.passed) console.log(result.output.trimEnd());
      return result;
    }),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: "string" }, fix: { type: "boolean" } } });
  if (values.fix) console.log((await tool("@biomejs/biome/bin/biome", ["check", "--write"])).output);
  const results = await check(values.only?.split(","));
  process.exitCode = results.length > 0 && results.every((result) => result.passed) ? 0 : 1;
}

async function checkTypes(): Promise<Outcome> {
  const outcomes = await Promise.all(TYPE_CONFIGS.map(checkTypesOf));
  const seen = new Set(outcomes.flatMap((outcome) => outcome.files));
  const sources = globSync("**/*.{ts,tsx}", {
    cwd: ROOT,
    exclude: (file) => /^(node_modules|dist|out|\.)/.test(file),
  });
  const unseen = sources.filter((file) => !seen.has(path.join(ROOT, file)));
  // A file that two environments share is wrong in both.
  const output = [...new Set(outcomes.flatMap((outcome) => outcome.output.split("\n")))].filter(Boolean);
  if (unseen.length > 0) output.push(`No tsconfig.json includes: ${unseen.join(", ")}`);
  return {
    passed: outcomes.every((outcome) => outcome.passed) && unseen.length === 0,
    output: output.join("\n"),
  };
}

/** One thread each, because they run side by side. */
async function checkTypesOf(folder: string): Promise<Outcome & { files: string[] }> {
  const outcome = await tool("@typescript/native/bin/tsc", ["-p", folder, "--listFiles", "--singleThreaded"]);
  const lines = outcome.output.split("\n");
  const files = lines.filter((line) => path.isAbsolute(line)).map((file) => path.normalize(file));
  // A folder that is still empty has nothing wrong in it.
  const empty = lines[0]?.includes("TS18003") ?? false;
  const output = lines.filter((line) => !path.isAbsolute(line)).join("\n");
  return { passed: outcome.passed || empty, output: empty ? "" : output.trim(), files };
}

async function checkBoundaries(): Promise<Outcome> {
  const folders = SOURCE_FOLDERS.filter((folder) => existsSync(path.join(ROOT, folder)));
  const configs = globSync("*.config.ts", { cwd: ROOT });
  return tool("dependency-cruiser/bin/dependency-cruiser.mjs", [
    "--config",
    ".dependency-cruiser.mjs",
    "--output-type",
    "err-long",
    ...folders,
    ...configs,
  ]);
}

/** Runs a tool of node_modules with this very Node. */
function tool(file: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [path.join(ROOT, "node_modules", file), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const append = (chunk: string) => {
    output += chunk;
  };
  child.stdout.setEncoding("utf8").on("data", append);
  child.stderr.setEncoding("utf8").on("data", append);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ passed: code === 0, output }));
  });
}
