/**
 * What the trial balance cannot see: that settlements leave no gap, and pay what their payments say (invariant 5), once.
 *
 * May run while payments do. Everything is judged as of one transfer, the last that was there when the account
 * was read: sequences only grow, and a group is there whole or not at all.
 */
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import { settlementId } from "../../shared/statement.ts";
import { merchantAccount, PAYOUT_CLEARING } from "../ledger/accounts.ts";
import type { AccountName, Ledger } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import type { Merchant } from "../merchants/index.ts";
import { latestClosing, readClosing } from "../payments/index.ts";
import { payoutKey } from "./payout.ts";
import { addUp, type SettlementDeps } from "./settle.ts";
import { decodeSettlement, encodeSettlement, readSettlement, settlementKey } from "./settlement.ts";
import { readStatement } from "./statement.ts";
import { computeRoot, readRoot } from "./statement-root.ts";
import { readRefunds, sumAll, sumPayments } from "./sums.ts";

/** The differences, in words. Empty when all is well. */
export async function auditSettlements(deps: SettlementDeps): Promise<string[]> {
  const differences: string[] = [];
  for (const merchant of await deps.merchants.list()) {
    try {
      differences.push(...(await auditMerchant(deps, merchant)));
    } catch (error) {
      // What the settlement itself would stop at: a payment without its record, or of another amount.
      const reason = error instanceof Error ? error.message : String(error);
      differences.push(`${merchantAccount(merchant.id)}: cannot be added up: ${reason}`);
    }
  }
  differences.push(...(await auditPayouts(deps.ledger)));
  return differences;
}

/** What waits in the clearing account is the payouts that the bank did not confirm yet. */
async function auditPayouts(ledger: Ledger): Promise<string[]> {
  const { sequence, balance, debitedFor } = await readStanding(ledger, PAYOUT_CLEARING);
  const paid = { account: PAYOUT_CLEARING, side: "credit", upToSequence: sequence } as const;
  const creditedFor = new Set<string>();
  for await (const { reference } of readAllTransfers(ledger, paid)) creditedFor.add(reference);
  const records = await ledger.records([...creditedFor, ...debitedFor]);
  const settlements = [...records].map(([key, value]) => ({ key, settlement: decodeSettlement(value) }));
  const waiting = settlements.filter(({ key }) => !debitedFor.has(key));
  const outstanding = add(ZERO, ...waiting.map(({ settlement }) => settlement.payout));
  const differences: string[] = [];
  if (balance !== outstanding)
    differences.push(`${PAYOUT_CLEARING}: holds ${balance}, payouts of ${outstanding} are not confirmed yet`);
  const confirmed = settlements.filter(({ key }) => debitedFor.has(key));
  const confirmations = await ledger.records(confirmed.map(({ settlement }) => payoutKey(settlement)));
  for (const { key, settlement } of confirmed) {
    if (!confirmations.has(payoutKey(settlement)))
      differences.push(`${key}: left ${PAYOUT_CLEARING} without the bank's confirmation`);
  }
  return differences;
}

async function auditMerchant(deps: SettlementDeps, merchant: Merchant): Promise<string[]> {
  const differences: string[] = [];
  const account = merchantAccount(merchant.id);
  const { sequence, balance, debitedFor } = await readStanding(deps.ledger, account);
  const last = await latestClosing(deps.ledger, merchant.id);
  let settled = { upToSequence: 0, carryForwardOut: ZERO };
  /** In the settlements so far, and up to the one that is counted. */
  let cameBack = ZERO;
  let settledBack = ZERO;
  for (let number = 1; number <= (last?.number ?? 0); number++) {
    const closing = await readClosing(deps.ledger, merchant.id, number);
    const settlement = await readSettlement(deps.ledger, merchant.id, number);
    if (!closing) differences.push(`${settlementId(merchant.id, number)}: its closing is missing`);
    // The last closing may still wait to be settled; its payments are then counted as unsettled below.
    if (!closing || !settlement) break;
    const { settlement: expected, lateRefunds } = await addUp(deps, merchant, closing);
    if (encodeSettlement(expected) !== encodeSettlement(settlement)) {
      differences.push(
        `${settlementId(merchant.id, number)}: its payments do not add up to what was settled`,
      );
    }
    differences.push(...(await auditRoot(deps.ledger, merchant, number)));
    cameBack = add(cameBack, settlement.uncollected);
    // What moved no money changed nothing: its payments may as well be counted as unsettled.
    const references = [
      ...(settlement.fee > ZERO || settlement.payout > ZERO ? [settlementKey(merchant.id, number)] : []),
      ...lateRefunds.map(({ paymentId }) => paymentId),
    ];
    if (references.length === 0) continue;
    // Settled after the account was read.
    if (references.some((reference) => !debitedFor.has(reference))) break;
    settled = settlement;
    settledBack = cameBack;
  }
  const afterSequence = settled.upToSequence;
  const range = { afterSequence, upToSequence: Math.max(afterSequence, sequence) };
  const { amount, lastSequence } = await sumPayments(deps.ledger, merchant.id, range);
  const unsettled = { afterSequence, upToSequence: lastSequence ?? afterSequence };
  const refunds = await readRefunds(deps.ledger, merchant.id, unsettled);
  // One that came back after the account was read is still in its balance.
  const refunded = [...refunds].filter(([paymentId]) => debitedFor.has(paymentId));
  const returned = refunded.reduce((total, [, refund]) => add(total, refund.amount), ZERO);
  // Zero would be the beginning of everything, and not the end of nothing.
  const back =
    sequence === 0
      ? ZERO
      : (
          await sumAll(deps.ledger, {
            account,
            side: "credit",
            codes: ["refund_uncollected"],
            upToSequence: sequence,
          })
        ).amount;
  const expected = add(settled.carryForwardOut, subtract(add(amount, back), add(returned, settledBack)));
  if (balance !== expected)
    differences.push(`${account}: holds ${balance}, its settlements and open payments say ${expected}`);
  return differences;
}

/** Where nobody read the statement yet there is no root, and nothing that it could differ from. */
async function auditRoot(ledger: Ledger, merchant: Merchant, number: number): Promise<string[]> {
  const root = await readRoot(ledger, merchant.id, number);
  const statement = root === undefined ? undefined : await readStatement(ledger, merchant, number);
  if (statement === undefined || (await computeRoot(statement)) === root) return [];
  return [`${settlementId(merchant.id, number)}: its statement is not the one whose root was signed`];
}

interface Standing {
  /** Of the last transfer that is counted. */
  readonly sequence: number;
  readonly balance: Micros;
  /** The payments that were refunded and the settlements that were paid, by their references. */
  readonly debitedFor: ReadonlySet<string>;
}

async function readStanding(ledger: Ledger, account: AccountName): Promise<Standing> {
  const credits = await sumAll(ledger, { account, side: "credit" });
  const lastCredit = credits.lastSequence ?? 0;
  let balance = credits.amount;
  const debitedFor = new Set<string>();
  let lastDebit = 0;
  for await (const { amount, reference, sequence } of readAllTransfers(ledger, { account, side: "debit" })) {
    balance = subtract(balance, amount);
    debitedFor.add(reference);
    lastDebit = sequence;
  }
  // What came in while the debits were read counts up to the last of them.
  if (lastDebit > lastCredit) {
    const range = { afterSequence: lastCredit, upToSequence: lastDebit };
    balance = add(balance, (await sumAll(ledger, { account, side: "credit", ...range })).amount);
  }
  return { sequence: Math.max(lastCredit, lastDebit), balance, debitedFor };
}
