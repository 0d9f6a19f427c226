/**
 * `npm run bench`: builds what ships, measures it, prints a table. `-- --json FILE` merges the figures into a file,
 * `-- --only NAME[,NAME]` runs a part, `-- --all` also those that take many minutes and many gigabytes of disk. Timings
 * live here and nowhere in the tests.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildAll } from "../scripts/build.ts";
import { dashboard } from "./dashboard.ts";
import { removeFilled } from "./filled.ts";
import { growth } from "./growth.ts";
import { history } from "./history.ts";
import { idle } from "./idle.ts";
import { ledger } from "./ledger.ts";
import { popup } from "./popup.ts";
import { restore } from "./restore.ts";
import type { Row } from "./row.ts";
import { seal } from "./seal.ts";
import { settle } from "./settle.ts";
import { settlement } from "./settlement.ts";
import { statement } from "./statement.ts";
import { unlock } from "./unlock.ts";
import { verifyReceipts } from "./verify-receipt.ts";
import { weight } from "./weight.ts";
import { x402 } from "./x402.ts";

const PARTS = [
  weight,
  idle,
  popup,
  unlock,
  history,
  ledger,
  settle,
  x402,
  verifyReceipts,
  restore,
  statement,
  seal,
  dashboard,
];
/** The last one leaves payments in the filled database that nobody made. */
const LONG_PARTS = [settlement, growth];
const ALL_PARTS = [...PARTS, ...LONG_PARTS];

const { values: options } = parseArgs({
  options: { json: { type: "string" }, only: { type: "string" }, all: { type: "boolean", default: false } },
});
const wanted = options.only?.split(",") ?? (options.all ? ALL_PARTS : PARTS).map((part) => part.name);
const unknown = wanted.filter((name) => !ALL_PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no part ${unknown.join(", ")}. There are: ${ALL_PARTS.map((part) => part.name).join(", ")}.`,
  );
  process.exit(2);
}

await buildAll(["chrome", "merchant", "dashboard"]);
const rows: Row[] = [];
try {
  for (const part of ALL_PARTS.filter(({ name }) => wanted.includes(name))) {
    console.log(`measuring ${part.name} …`);
    rows.push(...(await part.measure()));
  }
} finally {
  await removeFilled();
}
console.log(`\n${table(rows)}`);
if (options.json !== undefined) mergeInto(options.json, rows);

function table(all: readonly Row[]): string {
  const cells = all.map(({ name, value, unit, aim, baseline }) => [
    name,
    `${print(value)} ${unit}`.trim(),
    aim === undefined ? "" : compareWithAim(value, unit, aim),
    baseline ?? "",
  ]);
  const lines = [["figure", "measured", "aim", "beside it"], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What happens in a second, or how much more of it than elsewhere, may exceed the aim; everything else may fall below. */
function compareWithAim(value: number, unit: Row["unit"], aim: number): string {
  const isMoreBetter = unit === "/s" || unit === "×";
  const isReached = isMoreBetter ? value >= aim : value <= aim;
  return `${isReached ? "✓" : "✗"} ${isMoreBetter ? "≥" : "≤"} ${print(aim)}`;
}

function print(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en-US") : value.toFixed(value < 10 ? 2 : 1);
}

function mergeInto(file: string, all: readonly Row[]): void {
  const before: unknown = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const figures = Object.fromEntries(all.map(({ name, value }) => [name, value]));
  writeFileSync(file, `${JSON.stringify(Object.assign({}, before, figures), null, 2)}\n`);
}
