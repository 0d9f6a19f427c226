/** A data folder that the provider refuses: the program says so and ends, though the database was open by then. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { allDatabases } from "../support/database.ts";

/** Much longer than a start takes; a connection that nobody closes lasts for most of an hour. */
const MAX_MILLISECONDS = 30_000;

describe.each(allDatabases())("on $kind", (databases) => {
  afterAll(() => databases.stop());

  it.each(["server/main.ts", "server/cli/audit.ts"])("%s does not stay behind", async (program) => {
    const database = await databases.make();
    writeFileSync(join(database.environment.TUPPENCE_DATA ?? "", "keysets.json"), "{}");
    const { status, stderr } = spawnSync(process.execPath, [program], {
      env: { ...process.env, ...database.environment, TUPPENCE_PORT: "0" },
      timeout: MAX_MILLISECONDS,
      encoding: "utf8",
    });
    expect(stderr).toContain("keysets.json is not a list of keysets");
    expect(status).toBe(1);
    await database.destroy();
  });
});
