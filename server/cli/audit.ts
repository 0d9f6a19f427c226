/**
 * `npm run audit`: recomputes every balance from the transfers, prints the trial balance and each difference. Ends with 1 if
 * anything does not add up. Reads only, and may run while the server does.
 */
import { formatBalance } from "../../shared/money.ts";
import { auditProvider } from "../audit.ts";
import { printTable, runCommand } from "./run.ts";

await runCommand(async (deps) => {
  const { transfers, trialBalance, differences } = await auditProvider(deps);
  const money = (amount: (typeof trialBalance)[number]["balance"]) =>
    formatBalance(amount, deps.config.currency);
  printTable(
    ["account", "debits", "credits", "balance"],
    trialBalance.map(({ account, debits, credits, balance }) => [
      account,
      money(debits),
      money(credits),
      money(balance),
    ]),
  );
  for (const difference of differences) console.error(`DIFFERENCE ${difference}`);
  console.log(
    differences.length === 0
      ? `${transfers} transfers, no difference: the balances add up to zero.`
      : `${transfers} transfers, ${differences.length} differences.`,
  );
  return differences.length === 0 ? 0 : 1;
});
