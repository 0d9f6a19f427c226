/** A data folder and a database are of one mode for good: what a test process could be pointed at by mistake is refused. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../server/config.ts";
import { allDatabases, type TestDatabase } from "../support/database.ts";
import { openShop } from "../support/shop.ts";
import { startTestProvider } from "./provider.ts";

/** Much longer than a start takes. */
const MAX_MILLISECONDS = 30_000;

describe.each([
  ["live", "test"],
  ["test", "live"],
] as const)("what belongs to a provider in %s mode", (mine, others) => {
  describe.each(allDatabases())("on $kind", (databases) => {
    let database: TestDatabase;
    let folder: string;
    beforeEach(async () => {
      database = await databases.make();
      folder = database.environment.TUPPENCE_DATA ?? "";
      await startAndStop(mine);
    });
    afterEach(() => database.destroy());
    afterAll(() => databases.stop());

    async function startAndStop(mode: string, environment: Record<string, string> = {}) {
      const settings = { ...database.environment, TUPPENCE_MODE: mode, TUPPENCE_MINT_THREADS: "0" };
      await (await startTestProvider({ ...settings, ...environment })).close();
    }

    it("does not start in the other, by whatever program, and does in its own afterwards", async () => {
      const before = readdirSync(join(folder, "secrets")).toSorted();
      for (const program of ["server/main.ts", "server/cli/audit.ts"]) {
        const { status, stderr } = spawnSync(process.execPath, [program], {
          env: { ...process.env, ...database.environment, TUPPENCE_PORT: "0", TUPPENCE_MODE: others },
          timeout: MAX_MILLISECONDS,
          encoding: "utf8",
        });
        expect(stderr).toContain(`belongs to a provider in ${mine} mode, and TUPPENCE_MODE is ${others}`);
        expect(status).toBe(1);
      }
      expect(readdirSync(join(folder, "secrets")).toSorted()).toEqual(before);
      await startAndStop(mine);
    });

    it("keeps its books from a process of the other that brings its own secrets", async () => {
      rmSync(join(folder, "secrets"), { recursive: true });
      rmSync(join(folder, "keysets.json"));
      await expect(startAndStop(others)).rejects.toThrow(
        `The database belongs to a provider in ${mine} mode, and TUPPENCE_MODE is ${others}`,
      );
      await expect(startAndStop(others)).rejects.toBeInstanceOf(ConfigError);
    });
  });

  it("keeps its secrets from a process of the other that brings its own database", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tuppence-mode-"));
    const settings = { TUPPENCE_DATA: folder, TUPPENCE_MINT_THREADS: "0" };
    await (await startTestProvider({ ...settings, TUPPENCE_MODE: mine })).close();
    for (const name of readdirSync(folder).filter((file) => file.startsWith("tuppence.sqlite")))
      rmSync(join(folder, name));
    await expect(startTestProvider({ ...settings, TUPPENCE_MODE: others })).rejects.toThrow(
      `which belongs to a provider in ${mine} mode`,
    );
    expect(readdirSync(folder)).not.toContain("tuppence.sqlite");
    rmSync(folder, { recursive: true });
  });
});

it("takes what was there before there were modes for live, and a folder that says neither for damaged", async () => {
  const shop = await openShop();
  const folder = shop.dataFolder;
  rmSync(join(folder, "secrets", "mode"));
  const start = (mode: string) => startTestProvider({ TUPPENCE_DATA: folder, TUPPENCE_MODE: mode });
  await expect(start("test")).rejects.toThrow("belongs to a provider in live mode");
  expect(readFileSync(join(folder, "secrets", "mode"), "utf8")).toBe("live\n");
  writeFileSync(join(folder, "secrets", "mode"), "liv");
  await expect(start("live")).rejects.toThrow("says neither live nor test");
  await shop.close();
});
