/** Everything that must hold of a provider's money, whether it runs or not (docs/OPERATING.md says what each line means). */
import type { LedgerAudit } from "./ledger/ledger.ts";
import { auditPayments } from "./payments/index.ts";
import { auditRevenue } from "./revenue/index.ts";
import { auditSettlements, type SettlementDeps } from "./settlement/index.ts";

/** The trial balance, and what is wrong, in words: nothing, if all is well. */
export async function auditProvider(
  deps: SettlementDeps & Parameters<typeof auditRevenue>[0],
): Promise<LedgerAudit> {
  const { differences, ...rest } = await deps.ledger.audit();
  return {
    ...rest,
    differences: [
      ...differences,
      ...(await auditPayments(deps)),
      ...(await auditSettlements(deps)),
      ...(await auditRevenue(deps)),
    ],
  };
}
