/** `npm run restore -- --from FOLDER [--replace]`: a backup becomes the data folder. The provider must not run. */
import { parseArgs } from "node:util";
import { auditProvider } from "../audit.ts";
import { DATABASE_FILE, restoreBackup } from "../backup.ts";
import { runBareCommand, UsageError, withDeps } from "./run.ts";

const USAGE = `npm run restore -- --from FOLDER [--replace]

--replace puts what is in the data folder aside, into a folder within it.`;

await runBareCommand(async (config) => {
  const { from, replace } = readArguments();
  const { dataFolder } = config;
  const { takenAt, files } = restoreBackup({ from, dataFolder, replace, now: Date.now });
  console.log(`Restored ${Object.keys(files).length} files to ${dataFolder}.`);
  if (files[DATABASE_FILE] === undefined) {
    console.log(
      "The ledger is not among them: it was in PostgreSQL. Restore it there, then run npm run audit.",
    );
    return 0;
  }
  const differences = await withDeps(config, async (deps) => (await auditProvider(deps)).differences);
  for (const difference of differences) console.error(`DIFFERENCE ${difference}`);
  console.log(
    `The ledger stands as of ${takenAt}. What was paid, topped up or withdrawn after that, it does not know:\n` +
      'read "After a restore" in docs/OPERATING.md before you start the provider.',
  );
  return differences.length === 0 ? 0 : 1;
});

function readArguments(): { from: string; replace: boolean } {
  try {
    const { values } = parseArgs({ options: { from: { type: "string" }, replace: { type: "boolean" } } });
    if (values.from !== undefined && values.from !== "")
      return { from: values.from, replace: values.replace ?? false };
  } catch {
    // Told below.
  }
  throw new UsageError(USAGE);
}
