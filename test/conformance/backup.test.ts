/** Backup beside a provider that is paid all the time, and restore: what was answered before is there, and nothing by half. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { auditProvider } from "../../server/audit.ts";
import { restoreBackup } from "../../server/backup.ts";
import { ConfigError, type Environment } from "../../server/config.ts";
import { postgresDatabases } from "../support/database.ts";
import { type ReadyPayment, readyPayments, receiptOf, registerMerchant, settle } from "./payments.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

let folder: string;
let data: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tuppence-backup-"));
  data = join(folder, "data");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As an operator does: in its own process, on the data folder. */
async function run(command: string, args: string[], dataFolder = data, environment: Environment = {}) {
  const child = spawn(process.execPath, [join("server/cli", `${command}.ts`), ...args], {
    env: { PATH: process.env.PATH ?? "", ...environment, TUPPENCE_DATA: dataFolder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  await once(child, "close");
  return { code: child.exitCode, output };
}

const receiptFrom = async (test: TestProvider, { body }: ReadyPayment) =>
  receiptOf(await (await settle(test, body)).json());

it("holds every payment that was answered before it began, while payments go on, and adds up", async () => {
  const test = await startTestProvider({ TUPPENCE_DATA: data });
  await registerMerchant(test);
  const before = await readyPayments(test, 30);
  const receipts = await Promise.all(before.map((payment) => receiptFrom(test, payment)));

  let isOver = false;
  let paidMeanwhile = 0;
  const traffic = async (): Promise<void> => {
    while (!isOver) {
      const payments = await readyPayments(test, 5);
      await Promise.all(payments.map((payment) => receiptFrom(test, payment)));
      paidMeanwhile += payments.length;
    }
  };
  const running = traffic();
  const backedUp = await run("backup", ["--to", join(folder, "backup")]);
  isOver = true;
  await running;
  expect(backedUp).toMatchObject({ code: 0 });
  expect(paidMeanwhile).toBeGreaterThan(0);
  const { port } = new URL(test.origin);
  await test.close();

  const restoredData = join(folder, "restored");
  const restored = await run("restore", ["--from", join(folder, "backup")], restoredData);
  expect(restored.code).toBe(0);
  expect(restored.output).toContain("After a restore");
  const again = await startTestProvider({ TUPPENCE_DATA: restoredData, TUPPENCE_PORT: port });
  expect((await auditProvider(again.provider.deps)).differences).toEqual([]);
  expect(await Promise.all(before.map((payment) => receiptFrom(again, payment)))).toEqual(receipts);
  await again.close();
});

it("leaves a ledger in PostgreSQL to its own tools, and keeps what its coins and receipts need", async () => {
  const databases = postgresDatabases();
  const { environment } = await databases.make();
  const test = await startTestProvider({ ...environment, TUPPENCE_DATA: data });
  await registerMerchant(test);
  const [payment] = await readyPayments(test, 1);
  if (!payment) throw new Error("no payment was made ready");
  const receipt = await receiptFrom(test, payment);
  const { port } = new URL(test.origin);
  const to = join(folder, "backup");
  const backedUp = await run("backup", ["--to", to], data, environment);
  expect(backedUp).toMatchObject({ code: 0, output: expect.stringContaining("pg_dump") });
  await test.close();

  const restoredData = join(folder, "restored");
  const restored = await run("restore", ["--from", to], restoredData, environment);
  expect(restored).toMatchObject({ code: 0, output: expect.stringContaining("npm run audit") });
  expect(await run("audit", [], restoredData, environment)).toMatchObject({ code: 0 });
  const again = await startTestProvider({
    ...environment,
    TUPPENCE_DATA: restoredData,
    TUPPENCE_PORT: port,
  });
  expect(receipt).toBeDefined();
  expect(await receiptFrom(again, payment)).toEqual(receipt);
  await again.close();
  await databases.stop();
});

it("overwrites nothing", async () => {
  await (await startTestProvider({ TUPPENCE_DATA: data })).close();
  const to = join(folder, "backup");
  expect((await run("backup", ["--to", to])).code).toBe(0);
  const manifest = readFileSync(join(to, "manifest.json"), "utf8");
  const again = await run("backup", ["--to", to]);
  expect(again).toMatchObject({ code: 1, output: expect.stringContaining("is there already") });
  expect(readFileSync(join(to, "manifest.json"), "utf8")).toBe(manifest);

  const restored = await run("restore", ["--from", to]);
  expect(restored).toMatchObject({ code: 1, output: expect.stringContaining("say --replace") });
});

it("does not take what a running provider stands on away from under it", async () => {
  const test = await startTestProvider({ TUPPENCE_DATA: data });
  const to = join(folder, "backup");
  await run("backup", ["--to", to]);
  const refused = await run("restore", ["--from", to, "--replace"]);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("stop it first") });
  await registerMerchant(test);
  const [payment] = await readyPayments(test, 1);
  if (payment) expect(await receiptFrom(test, payment)).toBeDefined();
  await test.close();

  expect((await run("restore", ["--from", to, "--replace"])).code).toBe(0);
  const aside = readdirSync(data).find((name) => name.startsWith("replaced-"));
  expect(existsSync(join(data, aside ?? "", "tuppence.sqlite"))).toBe(true);
  // As it was when it was backed up: before the merchant.
  const restored = await startTestProvider({ TUPPENCE_DATA: data });
  expect(await restored.provider.deps.merchants.list()).toEqual([]);
  await restored.close();
});

it("puts the statements of settlements aside that the backup does not know", async () => {
  await (await startTestProvider({ TUPPENCE_DATA: data })).close();
  const to = join(folder, "backup");
  await run("backup", ["--to", to]);
  mkdirSync(join(data, "statements"));
  writeFileSync(join(data, "statements", "the-lantern-1.csv"), "of a settlement after the backup");
  expect((await run("restore", ["--from", to, "--replace"])).code).toBe(0);
  const aside = readdirSync(data).find((name) => name.startsWith("replaced-"));
  expect(existsSync(join(data, "statements"))).toBe(false);
  expect(readdirSync(join(data, aside ?? "", "statements"))).toEqual(["the-lantern-1.csv"]);
});

it("restores no backup that is not whole or was changed", async () => {
  await (await startTestProvider({ TUPPENCE_DATA: data })).close();
  const good = join(folder, "good");
  await run("backup", ["--to", good]);
  const restoredData = join(folder, "restored");
  for (const [name, damage] of [
    ["unfinished", (bad: string) => rmSync(join(bad, "manifest.json"))],
    ["without the mint's secret", (bad: string) => rmSync(join(bad, "secrets", "mint-master-secret"))],
    ["changed", (bad: string) => writeFileSync(join(bad, "keysets.json"), "[]")],
  ] as const) {
    const bad = join(folder, name);
    cpSync(good, bad, { recursive: true });
    damage(bad);
    const restore = (from: string) =>
      restoreBackup({ from, dataFolder: restoredData, replace: false, now: Date.now });
    expect(() => restore(bad)).toThrow(ConfigError);
    expect(existsSync(restoredData)).toBe(false);
    if (name === "changed") expect(restore(good).takenAt).toBeDefined();
  }
});

it("makes no data where there is none to back up", async () => {
  const { code, output } = await run("backup", ["--to", join(folder, "backup")], join(folder, "nowhere"));
  expect([code, output]).toEqual([1, expect.stringContaining("is not there")]);
  expect(existsSync(join(folder, "nowhere"))).toBe(false);
});
