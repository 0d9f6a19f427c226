/**
 * `npm start`: builds the extension, starts the provider, its test mode and the demo newspaper, and opens a browser with the extension in
 * it. Without a display it takes the tour by itself instead, in a headless browser. `-- --once` takes the tour on
 * fresh data, and ends with 0 only if every step of it really happened.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { formatMoney } from "../shared/money.ts";
import { launchExtension } from "../test/support/extension.ts";
import { startWorld, type World } from "../test/support/world.ts";
import { ensureBrowsers } from "./browsers.ts";
import { buildAll } from "./build.ts";
import { startServers } from "./servers.ts";
import { DATA, hasDisplay, REFUND_WINDOW_SECONDS } from "./settings.ts";
import { tour } from "./tour.ts";

const PICTURES = path.join("out", "tour");

const { values: options } = parseArgs({ options: { once: { type: "boolean" } } });

try {
  ensureBrowsers(["chromium"]);
  await buildAll(options.once ? ["chrome", "merchant"] : ["chrome", "merchant", "dashboard"]);
  if (options.once) await runOnce();
  else await runOn();
} catch (error) {
  console.error(`\n${error instanceof Error ? (error.stack ?? error.message) : error}`);
  process.exit(1);
}

/** Everything of its own: data that go away, ports that were free. */
async function runOnce(): Promise<void> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), "tuppence-tour-"));
  const world = await startWorld({ dataFolder, refundWindowSeconds: REFUND_WINDOW_SECONDS });
  try {
    await takeTour(world);
  } finally {
    await world.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function runOn(): Promise<void> {
  const world = await startServers();
  if (hasDisplay()) await openBrowser(world);
  else await showWithoutDisplay(world);
}

/** Until the reader closes the browser. */
async function openBrowser(world: World): Promise<void> {
  const extension = await launchExtension({ headless: false, profileFolder: path.resolve(DATA, "browser") });
  const closed = new Promise<void>((resolve) => extension.context.once("close", () => resolve()));
  const page = await extension.context.newPage();
  await page.goto(world.newspaper.origin);
  console.log(
    "A browser is open: its welcome page makes a wallet, then read an article. Close it to stop everything.",
  );
  await closed;
  await world.close();
}

/** The tour first; then provider and newspaper stay up until they are interrupted. */
async function showWithoutDisplay(world: World): Promise<void> {
  console.log("There is no display, so a headless Chromium takes the tour on fresh data:");
  await runOnce();
  console.log(
    "\nProvider and newspaper stay up. Load dist/chrome into a browser on this machine to use them; Ctrl-C stops them.",
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void world.close().finally(() => process.exit(0)));
  }
}

async function takeTour(world: World): Promise<void> {
  console.log("");
  const { toppedUp, paid, clickToArticleMs, receiptVerified, settled } = await tour({
    world,
    picturesFolder: PICTURES,
    print: console.log,
  });
  const sums = [
    `topped up ${formatMoney(toppedUp)}`,
    `paid ${formatMoney(paid)}`,
    `${clickToArticleMs.toFixed(0)} ms from click to readable article`,
    `receipt ${receiptVerified ? "verified" : "NOT verified"}`,
    `settled ${formatMoney(settled.payout)} to ${settled.merchant}`,
  ];
  console.log(`\nPictures of every screen: ${PICTURES}/\n${sums.join(" · ")}`);
}
