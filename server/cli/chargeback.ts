/**
 * `node server/cli/chargeback.ts TOPUP_ID [--write-off]`: the sandbox gateway takes a top-up back, as a card's bank
 * would. With `--write-off` what the account then owes becomes the provider's loss.
 */
import { parseArgs } from "node:util";
import { formatBalance, micros } from "../../shared/money.ts";
import { applyGatewayEvent } from "../gateways/index.ts";
import { findTopUp, writeOff } from "../topups/index.ts";
import { runCommand, UsageError } from "./run.ts";

const USAGE = "node server/cli/chargeback.ts TOPUP_ID [--write-off]";

await runCommand(async (deps) => {
  const { positionals, values } = readArguments();
  const [id] = positionals;
  if (id === undefined) throw new UsageError(USAGE);
  const topUp = await findTopUp(deps, id);
  if (!topUp) throw new UsageError(`There is no top-up ${id}.`);
  await applyGatewayEvent(deps, "sandbox", { type: "charged_back", topUpId: id, amount: topUp.amount });
  const money = (amount: bigint) => formatBalance(micros(amount), deps.config.currency);
  console.log(
    topUp.state === "charged_back"
      ? `It was charged back before, and nothing was done again: ${money(topUp.amount)} of account ${topUp.accountId}, which is frozen.`
      : `Charged back ${money(topUp.amount)} of account ${topUp.accountId}, which is frozen now.`,
  );
  if (values["write-off"]) {
    console.log(`Wrote off ${money(await writeOff(deps, topUp.accountId, id))}.`);
  }
  return 0;
});

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { "write-off": { type: "boolean" } } });
  } catch {
    throw new UsageError(USAGE);
  }
}
