/** `npm run audit`: the trial balance. Ends with 1 if anything does not add up. */
import { formatBalance } from "../../shared/money.ts";
import { auditSettlements } from "../settlement/index.ts";
import { printTable, runCommand } from "./run.ts";

await runCommand(async (deps) => {
  const { transfers, trialBalance, differences } = await deps.ledger.audit();
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
  const found = [...differences, ...(await auditSettlements(deps))];
  for (const difference of found) console.error(`DIFFERENCE ${difference}`);
  console.log(
    found.length === 0
      ? `${transfers} transfers, no difference: the balances add up to zero.`
      : `${transfers} transfers, ${found.length} differences.`,
  );
  return found.length === 0 ? 0 : 1;
});
