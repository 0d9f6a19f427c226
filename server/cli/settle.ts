/** `npm run settle`: settles what has matured, and writes the statements into `<data>/statements`. */
import { join } from "node:path";
import { formatBalance } from "../../shared/money.ts";
import { type Settlement, settlementId } from "../../shared/statement.ts";
import { settleAll, writeMissingStatements } from "../settlement/index.ts";
import { printTable, runCommand } from "./run.ts";

await runCommand(async (deps) => {
  const [settled] = await Promise.allSettled([settleAll(deps, { now: deps.now() })]);
  if (settled.status === "fulfilled") printSettlements(settled.value);
  // One merchant that cannot be settled takes no statement from the others, which were.
  const written = await writeMissingStatements(deps, join(deps.config.dataFolder, "statements"));
  for (const path of written) console.log(`wrote ${path}`);
  if (settled.status === "rejected") throw settled.reason;
  return 0;
});

function printSettlements(settlements: readonly Settlement[]): void {
  if (settlements.length === 0) {
    console.log("Nothing to settle: no payment has matured since the last settlement.");
    return;
  }
  const head = [
    "settlement",
    "payments",
    "paid",
    "refunded",
    "fee",
    "carried in",
    "payout",
    "carried forward",
  ];
  const rows = settlements.map((settlement) => {
    const money = (amount: Settlement["payout"]) => formatBalance(amount, settlement.currency);
    const { payments, refunds, fee, carryForwardIn, payout, carryForwardOut } = settlement;
    const sums = [payments, refunds, fee, carryForwardIn, payout, carryForwardOut].map(money);
    return [settlementId(settlement.merchant, settlement.number), String(settlement.paymentCount), ...sums];
  });
  printTable(head, rows);
}
