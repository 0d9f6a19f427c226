/**
 * `npm run backup -- --to FOLDER`: the database, the secrets and the list of keysets, as of one moment, beside a running
 * server; then the audit of the copy. Ends with 1 if the copy does not add up. A database in PostgreSQL is left to its own
 * tools.
 */
import { parseArgs } from "node:util";
import { auditProvider } from "../audit.ts";
import { copyIntoBackup, sealBackup } from "../backup.ts";
import { runBareCommand, UsageError, withDeps } from "./run.ts";

const USAGE = `npm run backup -- --to FOLDER

FOLDER must not exist. It holds secrets: keep it as safe as the provider itself, encrypted, and elsewhere.`;

await runBareCommand(async (config) => {
  const to = readFolder();
  const { dataFolder } = config;
  const withDatabase = config.databaseUrl === "";
  const takenAt = await copyIntoBackup({ dataFolder, to, withDatabase, now: Date.now });
  const differences = withDatabase ? await auditCopy() : [];
  for (const difference of differences) console.error(`DIFFERENCE ${difference}`);
  const { files } = sealBackup(to, takenAt);
  console.log(`Backed up ${Object.keys(files).length} files of ${dataFolder}, as of ${takenAt}, to ${to}.`);
  if (!withDatabase)
    console.log("The ledger is in PostgreSQL and not in this copy: pg_dump or pg_basebackup saves it.");
  if (differences.length > 0) console.error("The copy does not add up, so neither does what was copied.");
  return differences.length === 0 ? 0 : 1;

  function auditCopy(): Promise<readonly string[]> {
    return withDeps({ ...config, dataFolder: to }, async (deps) => (await auditProvider(deps)).differences);
  }
});

function readFolder(): string {
  try {
    const { values } = parseArgs({ options: { to: { type: "string" } } });
    if (values.to !== undefined && values.to !== "") return values.to;
  } catch {
    // Told below.
  }
  throw new UsageError(USAGE);
}
