/**
 * `npm test`: everything there is, in the order in which it is cheap to learn that something is wrong. A stage
 * without a single passed or failed test has failed, and so has a runner that ends badly for another reason than a
 * test: no success is silent, nothing is retried. `--only unit,conformance` runs those stages alone. What failed is
 * named once more at the end, and the last line is `N passed, N failed`.
 *
 * `npm run test:thorough` plays all of what is long (test/support/thorough.ts); `npm run test:examples` is the stages of
 * which `npm test` has only a part, because the packages of two frameworks are installed for them.
 */
import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ensureBrowsers } from "./browsers.ts";
import { check } from "./check.ts";
import {
  add,
  type Counts,
  closingLine,
  countPlaywright,
  countVitest,
  judgeStage,
  NONE,
  ONE_FAILED,
  ONE_PASSED,
} from "./counts.ts";
import { failuresOfPlaywright, failuresOfVitest } from "./failures.ts";
import { OUTSIDE_TESTS } from "./outside-tests.ts";
import { ensurePostgres } from "./postgres.ts";

const ROOT = path.dirname(import.meta.dirname);
const REPORTS = path.join(ROOT, "out", "reports");

const STAGES: Readonly<Record<string, () => Promise<Counts>>> = {
  check: runCheck,
  unit: () => runVitest("unit"),
  conformance: () => runVitest("conformance"),
  build: runBuild,
  e2e: () => runPlaywright(),
  firefox: () => runVitest("firefox"),
  examples: runExamples,
};
/** Not run unless asked for. */
const EXTRA_STAGES = ["examples"];
/** These need a browser, and what `build` made. */
const BROWSER_STAGES = ["e2e", "firefox", "examples"];

/** Of all stages, in words. */
const failures: string[] = [];

await main();

async function main(): Promise<void> {
  let sum = NONE;
  try {
    const stages = chosenStages();
    if (stages.some((stage) => BROWSER_STAGES.includes(stage))) ensureBrowsers(["chromium", "firefox"]);
    if (stages.includes("conformance")) ensurePostgres();
    let built = true;
    for (const stage of stages) {
      console.log(`\n── ${stage} ──`);
      const counts: Counts = built || !BROWSER_STAGES.includes(stage) ? await runStage(stage) : notBuilt();
      if (stage === "build") built = counts.failed === 0;
      sum = add(sum, counts);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    sum = add(sum, ONE_FAILED);
  }
  for (const failure of failures) console.log(`\nFailed: ${failure}`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
  console.log(`\n${closingLine(sum)}`);
}

function chosenStages(): string[] {
  const { values } = parseArgs({ options: { only: { type: "string" }, thorough: { type: "boolean" } } });
  if (values.thorough) process.env.TUPPENCE_TEST_THOROUGH = "1";
  const stages =
    values.only?.split(",") ?? Object.keys(STAGES).filter((stage) => !EXTRA_STAGES.includes(stage));
  const unknown = stages.filter((stage) => !Object.hasOwn(STAGES, stage));
  if (unknown.length === 0) return stages;
  throw new Error(`There is no stage "${unknown.join(",")}", only ${Object.keys(STAGES).join(", ")}.`);
}

async function runStage(stage: string): Promise<Counts> {
  const counts = (await STAGES[stage]?.()) ?? NONE;
  console.log(`${stage}: ${closingLine(counts)}`);
  return counts;
}

function notBuilt(): Counts {
  // What an older build would prove is nothing.
  console.log("Not run, because the build failed.");
  return ONE_FAILED;
}

async function runCheck(): Promise<Counts> {
  const parts = await check();
  return judgeStage(parts.map(({ passed }) => (passed ? ONE_PASSED : ONE_FAILED)).reduce(add, NONE), true);
}

async function runVitest(project: string, files: readonly string[] = []): Promise<Counts> {
  const report = freshReport(project);
  const outside = freshReport(OUTSIDE_TESTS);
  const reporters = ["default", "json", "scripts/outside-tests.ts"].map((name) => `--reporter=${name}`);
  const ranWell = await run("node_modules/vitest/vitest.mjs", [
    "run",
    "--project",
    project,
    ...reporters,
    `--outputFile.json=${report}`,
    ...files,
  ]);
  return judgeStage(
    readReport(report, countVitest, (read) => failuresOfVitest(read, readJson(outside))),
    ranWell,
  );
}

/** @param name of the report that the configuration writes */
async function runPlaywright(name = "e2e", options: readonly string[] = []): Promise<Counts> {
  const report = freshReport(name);
  const ranWell = await run("node_modules/@playwright/test/cli.js", ["test", ...options]);
  return judgeStage(readReport(report, countPlaywright, failuresOfPlaywright), ranWell);
}

/** All of `demo/examples`: the back ends that a program pays, and the sites that are paid in a browser. */
async function runExamples(): Promise<Counts> {
  for (const file of globSync("demo/examples/*/package.json", { cwd: ROOT }))
    installPackagesOf(path.dirname(file));
  const paidByPrograms = await runVitest("conformance", ["test/conformance/examples.test.ts"]);
  const paidInBrowsers = await runPlaywright("examples", ["--config", "test/examples/playwright.config.ts"]);
  return add(paidByPrograms, paidInBrowsers);
}

/** @throws Error if npm cannot */
function installPackagesOf(folder: string): void {
  console.log(`Installing the packages of ${folder} …`);
  const options = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", ["install", ...options], {
    cwd: path.join(ROOT, folder),
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm could not install the packages of ${folder}.`);
}

async function runBuild(): Promise<Counts> {
  return (await run("scripts/build.ts", [])) ? ONE_PASSED : ONE_FAILED;
}

/** The report of an earlier run must not be taken for this one's. */
function freshReport(name: string): string {
  mkdirSync(REPORTS, { recursive: true });
  const report = path.join(REPORTS, `${name}.json`);
  rmSync(report, { force: true });
  return report;
}

function readReport(
  file: string,
  count: (report: unknown) => Counts,
  failuresOf: (report: unknown) => string[],
): Counts {
  try {
    const report = readJson(file);
    failures.push(...failuresOf(report));
    return count(report);
  } catch (error) {
    console.log(
      `The runner left no report that can be read: ${error instanceof Error ? error.message : error}`,
    );
    return NONE;
  }
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Runs a program of JavaScript or TypeScript with this very Node; true if it ended well. */
function run(file: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [path.join(ROOT, file), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code === 0));
  });
}
