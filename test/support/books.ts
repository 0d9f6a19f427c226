/** Whether money was lost: what readers hold and what merchants were paid, against what was topped up, to the micro. */
import { spawn } from "node:child_process";
import { expect } from "@playwright/test";
import { pino } from "pino";
import { readConfig } from "../../server/config.ts";
import { createDeps } from "../../server/deps.ts";
import type { Extension } from "./extension.ts";
import { type LaunchOptions, launchExtension } from "./extension.ts";
import type { RunningProvider } from "./provider.ts";
import { readSnapshot, setUpWallet, topUp, waitForCoins } from "./reader.ts";

/** Enough for every test of a file, and below what a day allows. */
const TOP_UP = "$5";
const TOPPED_UP = 5_000_000n;

export interface StockedReader {
  readonly extension: Extension;
  /** Micros. A test that tops up once more adds it here. */
  toppedUp: bigint;
}

/** A wallet that is set up and topped up, with all of it in coins. */
export async function stockReader(
  provider: RunningProvider,
  options: LaunchOptions = {},
): Promise<StockedReader> {
  const extension = await launchExtension(options);
  await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, TOP_UP);
  await waitForCoins(extension);
  await popup.close();
  return { extension, toppedUp: TOPPED_UP };
}

export async function totalOf({ extension }: StockedReader): Promise<bigint> {
  return BigInt((await readSnapshot(extension)).balance.total);
}

/** Waits until nothing is under way any more, and adds up. Every reader of the provider has to be given. */
export async function expectBooksAddUp(
  provider: RunningProvider,
  readers: readonly StockedReader[],
): Promise<void> {
  const inFlight = async () => {
    const snapshots = await Promise.all(readers.map(({ extension }) => readSnapshot(extension)));
    return snapshots.map(({ balance, payments }) => ({
      inFlight: balance.inFlight,
      open: payments.filter(({ state }) => state === "pending" || state === "refunding").length,
    }));
  };
  const nothing = readers.map(() => ({ inFlight: "0", open: 0 }));
  await expect.poll(inFlight, { timeout: 60_000, intervals: [250] }).toEqual(nothing);

  const { merchants, floatAndAccounts } = await readLedger(provider);
  const held = sum(await Promise.all(readers.map(totalOf)));
  const toppedUp = sum(readers.map((reader) => reader.toppedUp));
  expect(
    held + merchants,
    `wallets (${held}) and merchants (${merchants}) together hold what was topped up`,
  ).toBe(toppedUp);
  expect(floatAndAccounts, "the provider owes readers what their wallets show").toBe(held);
  expect(await audit(provider)).toEqual({ code: 0, differences: [] });
}

/** What the provider's books say was paid to merchants so far, fees and all. A second charge would show here. */
export async function paidToMerchants(provider: RunningProvider): Promise<bigint> {
  return (await readLedger(provider)).merchants;
}

async function readLedger(provider: RunningProvider) {
  const config = { ...readConfig(environmentOf(provider)), mintThreads: 0 };
  const deps = await createDeps(config, { logger: pino({ level: "silent" }) });
  try {
    const balanceOf = async (prefix: string) => sum([...(await deps.ledger.balances(prefix)).values()]);
    return {
      merchants: await balanceOf("merchant:"),
      floatAndAccounts: (await balanceOf("float:")) + (await balanceOf("reader:")),
    };
  } finally {
    await deps.close();
  }
}

/** The operator's command, in a process of its own. */
function audit(provider: RunningProvider): Promise<{ code: number | null; differences: string[] }> {
  const child = spawn(process.execPath, ["server/cli/audit.ts"], {
    env: { ...process.env, ...environmentOf(provider) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let printed = "";
  child.stderr.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const differences = printed.split("\n").filter((line) => line.startsWith("DIFFERENCE"));
      resolve({ code, differences });
    });
  });
}

function environmentOf({ dataFolder, origin, accountsOrigin }: RunningProvider) {
  return {
    TUPPENCE_DATA: dataFolder,
    TUPPENCE_ORIGIN: origin,
    TUPPENCE_ACCOUNTS_ORIGIN: accountsOrigin,
  };
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
