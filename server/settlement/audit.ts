/** What the trial balance cannot see: that settlements leave no gap, and pay what their payments say (invariant 5), once. */
import { add, subtract, ZERO } from "../../shared/money.ts";
import { merchantAccount, PAYOUT_CLEARING } from "../ledger/accounts.ts";
import { latestClosing, readClosing } from "../payments/index.ts";
import { readPaymentLines, totalOf } from "./lines.ts";
import { listPayouts, totalOfPayouts } from "./payout.ts";
import { addUp, type SettlementDeps } from "./settle.ts";
import { encodeSettlement, readSettlement, settlementId } from "./settlement.ts";

/** The differences, in words. Empty when all is well. Reads while the server runs may differ by what happens meanwhile. */
export async function auditSettlements(deps: SettlementDeps): Promise<string[]> {
  const differences: string[] = [];
  for (const merchant of await deps.merchants.list()) {
    const last = await latestClosing(deps.ledger, merchant.id);
    let settled = { upToSequence: 0, carryForwardOut: ZERO };
    for (let number = 1; number <= (last?.number ?? 0); number++) {
      const closing = await readClosing(deps.ledger, merchant.id, number);
      const settlement = await readSettlement(deps.ledger, merchant.id, number);
      if (!closing) differences.push(`${settlementId(merchant.id, number)}: its closing is missing`);
      // The last closing may still wait to be settled; its payments are then counted as unsettled below.
      if (!closing || !settlement) break;
      if (encodeSettlement(await addUp(deps, merchant, closing)) !== encodeSettlement(settlement)) {
        differences.push(
          `${settlementId(merchant.id, number)}: its payments do not add up to what was settled`,
        );
      }
      settled = settlement;
    }
    const unsettled = await readPaymentLines(
      deps.ledger,
      merchant.id,
      { afterSequence: settled.upToSequence },
      Number.MAX_SAFE_INTEGER,
    );
    const refunded = unsettled.filter((line) => line.refundedAt !== undefined);
    const expected = add(settled.carryForwardOut, subtract(totalOf(unsettled), totalOf(refunded)));
    const balance = await deps.ledger.balance(merchantAccount(merchant.id));
    if (balance !== expected)
      differences.push(
        `${merchantAccount(merchant.id)}: holds ${balance}, its settlements and open payments say ${expected}`,
      );
  }
  const outstanding = totalOfPayouts(
    (await listPayouts(deps.ledger)).filter(({ confirmed }) => confirmed === undefined),
  );
  const clearing = await deps.ledger.balance(PAYOUT_CLEARING);
  if (clearing !== outstanding)
    differences.push(
      `${PAYOUT_CLEARING}: holds ${clearing}, payouts of ${outstanding} are not confirmed yet`,
    );
  return differences;
}
