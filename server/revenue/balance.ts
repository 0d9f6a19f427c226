/** The settlement's outlook as it is told. */
import type { MerchantBalance } from "../../shared/protocol/revenue.ts";
import type { Merchant } from "../merchants/index.ts";
import { type Outlook, readOutlook } from "../settlement/index.ts";
import type { RevenueDeps } from "./deps.ts";

export async function readBalance(deps: RevenueDeps, merchant: Merchant): Promise<MerchantBalance> {
  const { config } = deps;
  const outlook = await readOutlook(deps, merchant, deps.now());
  return {
    currency: config.currency,
    carriedForward: outlook.carriedForward.toString(),
    matured: outlook.matured.toString(),
    maturing: outlook.maturing.toString(),
    fee: outlook.fee.toString(),
    lateRefunds: outlook.lateRefunds.toString(),
    uncollected: outlook.uncollected.toString(),
    toBePaid: outlook.toBePaid.toString(),
    feeBasisPoints: Number(config.feeBasisPoints),
    payoutMinimum: merchant.payoutMinimum.toString(),
    nextPayout: nextPayoutJson(outlook.nextPayout, config.settleEverySeconds),
  };
}

/** Settlements come every so often; when exactly, each process knows for itself only. */
function nextPayoutJson(
  next: Outlook["nextPayout"],
  settleEverySeconds: number,
): MerchantBalance["nextPayout"] {
  switch (next.state) {
    case "expected":
      return {
        state: next.state,
        amount: next.amount.toString(),
        atLatest: settleEverySeconds === 0 ? null : next.dueAt + settleEverySeconds * 1_000,
      };
    case "below_minimum":
      return { state: next.state, missing: next.missing.toString() };
    case "nothing":
      return next;
  }
}
