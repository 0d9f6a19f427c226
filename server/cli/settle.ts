/** `npm run settle`: settles what has matured, and writes the statements into `<data>/statements`. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatBalance } from "../../shared/money.ts";
import type { Deps } from "../deps.ts";
import {
  readStatement,
  type Settlement,
  settleAll,
  settlementId,
  statementCsv,
  statementJson,
} from "../settlement/index.ts";
import { printTable, runCommand } from "./run.ts";

await runCommand(async (deps) => {
  const settlements = await settleAll(deps, { now: deps.now() });
  if (settlements.length === 0)
    console.log("Nothing to settle: no payment has matured since the last settlement.");
  else printSettlements(settlements);
  const written = await writeMissingStatements(deps);
  for (const path of written) console.log(`wrote ${path}`);
  return 0;
});

function printSettlements(settlements: readonly Settlement[]): void {
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

/** Of every settlement that has none yet, the ones that the server made by its schedule included. */
async function writeMissingStatements(deps: Deps): Promise<string[]> {
  const folder = join(deps.config.dataFolder, "statements");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const written: string[] = [];
  for (const merchant of await deps.merchants.list()) {
    for (let number = 1; ; number++) {
      const path = join(folder, settlementId(merchant.id, number));
      if (existsSync(`${path}.csv`) && existsSync(`${path}.json`)) continue;
      const statement = await readStatement(deps.ledger, merchant, number);
      if (!statement) break;
      writeFileSync(`${path}.csv`, statementCsv(statement), { mode: 0o600 });
      writeFileSync(`${path}.json`, `${JSON.stringify(statementJson(statement), undefined, 2)}\n`, {
        mode: 0o600,
      });
      written.push(`${path}.csv`, `${path}.json`);
    }
  }
  return written;
}
