/**
 * `npm run keyset -- list` and `npm run keyset -- rotate`. After a rotation new coins are of the new keyset, for everyone;
 * the coins that are out are redeemed as before. A server that runs notices within a second.
 */

import { join } from "node:path";
import { formatBalance, ZERO } from "../../shared/money.ts";
import { KEYSETS_FILE } from "../backup.ts";
import type { Deps } from "../deps.ts";
import { floatAccount } from "../ledger/accounts.ts";
import { rotateKeysets } from "../mint/index.ts";
import { printTable, runCommand, UsageError } from "./run.ts";

const USAGE = `npm run keyset -- list
npm run keyset -- rotate`;

await runCommand(async (deps) => {
  const [verb, ...rest] = process.argv.slice(2);
  if (rest.length > 0 || (verb !== "list" && verb !== "rotate")) throw new UsageError(USAGE);
  return verb === "list" ? list(deps) : rotate(deps);
});

async function list({ mint, ledger, config }: Deps): Promise<number> {
  const floats = await ledger.balances(floatAccount(""));
  printTable(
    ["keyset", "since", "signs", "in readers' hands"],
    mint
      .keysets()
      .map(({ id, since, active }) => [
        id,
        new Date(since * 1_000).toISOString(),
        active ? "yes" : "no",
        formatBalance(floats.get(floatAccount(id)) ?? ZERO, config.currency),
      ]),
  );
  return 0;
}

async function rotate({ mint, secrets, config, now }: Deps): Promise<number> {
  const before = mint.activeKeysetId();
  const id = rotateKeysets({
    masterSecret: secrets.mintMaster,
    unit: config.unit,
    path: join(config.dataFolder, KEYSETS_FILE),
    nowSeconds: Math.floor(now() / 1_000),
  });
  console.log(`${id} signs from now on.\n${before} signs no more; its coins are redeemed as before.`);
  console.log(`Save ${join(config.dataFolder, KEYSETS_FILE)} with your backups.`);
  return 0;
}
