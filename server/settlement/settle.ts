/**
 * Settlement: one merchant's payments whose refund windows have closed, less refunds and fee, become a payout. Before that
 * it sets aside what the merchant gave back of payments that were settled before (`payments/grant.ts`), as far as it reaches;
 * while some of that waits there is no payout, or it would wait for ever.
 *
 * Three steps, each committed before the next, so that any process can finish what another began:
 * 1. `close`: find the payments up to just before the first that can still be refunded, and commit the closing
 *    (`closing:<merchant>:<n>`), after which no refund of them can be committed. Settlements leave no gap.
 * 2. Add up. Nothing that is added up can change any more, so everyone who does it gets the same sums.
 * 3. Commit the group that moves fee and payout, with the record `settlement:<merchant>:<n>`. Its ids derive from
 *    merchant and number: whoever comes second is told that it exists, and nothing is paid twice.
 */
import { sha256, toHex } from "../../shared/bytes.ts";
import { add, type Micros, roundDownToMinorUnit, subtract, ZERO } from "../../shared/money.ts";
import { feeOf, type Settlement } from "../../shared/statement.ts";
import { grantedAccount, merchantAccount, PAYOUT_CLEARING, REVENUE } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger, LedgerRecord, Transfer } from "../ledger/ledger.ts";
import type { Merchant, MerchantStore } from "../merchants/index.ts";
import {
  type Closing,
  closingGroupId,
  closingKey,
  encodeClosing,
  encodeRefundRecord,
  type InLine,
  latestClosing,
  MAX_IN_LINE_PER_SETTLEMENT,
  type NumberedClosing,
  readClosing,
  readInLine,
  refundKey,
  refundTransferId,
  returnUncollected,
} from "../payments/index.ts";
import { encodeSettlement, readSettlement, settlementKey } from "./settlement.ts";
import { findMatured, readRefunds, sumPayments } from "./sums.ts";

export interface SettlementDeps {
  readonly ledger: Ledger;
  readonly merchants: Pick<MerchantStore, "get" | "list">;
  readonly config: {
    readonly currency: string;
    readonly feeBasisPoints: bigint;
    /** How long a new merchant's first payout waits. */
    readonly firstPayoutDelaySeconds: number;
  };
}

/** Payments in one settlement, about; what is beyond waits for the next, which follows at once. A statement can then be opened. */
const MAX_PAYMENTS_PER_SETTLEMENT = 50_000;
const MAX_SETTLEMENTS_PER_RUN = 100;
/** Merchants that are settled side by side, so that their commits share batches: one commit each would take the disk's time. */
const MERCHANTS_AT_ONCE = 100;

/** Settles every merchant. What it answers is what this call paid; a second call at the same time answers the rest. */
export async function settleAll(
  deps: SettlementDeps,
  options: { readonly now: number },
): Promise<Settlement[]> {
  // Anybody may make merchants. Those that were never paid cost nothing here.
  const accounts = await deps.ledger.balances(merchantAccount(""));
  const merchants = (await deps.merchants.list()).filter(({ id }) => accounts.has(merchantAccount(id)));
  const settlements: Settlement[][] = merchants.map(() => []);
  const waiting = merchants.entries();
  const settleWaiting = async () => {
    for (const [place, merchant] of waiting)
      settlements[place] = await settleMerchant(deps, merchant, options);
  };
  // All end before anybody hears of a failure. One merchant's keeps the others from nothing.
  const ends = await Promise.allSettled(Array.from({ length: MERCHANTS_AT_ONCE }, settleWaiting));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return settlements.flat();
}

export async function settleMerchant(
  deps: SettlementDeps,
  merchant: Merchant,
  { now }: { readonly now: number },
): Promise<Settlement[]> {
  const settlements: Settlement[] = [];
  await returnUncollected(deps.ledger, merchant.id, now);
  const commitOne = async (closing: NumberedClosing): Promise<Settlement> => {
    const { settlement, isNew } = await commit(deps, merchant, closing);
    if (isNew) settlements.push(settlement);
    return settlement;
  };
  const last = await latestClosing(deps.ledger, merchant.id);
  // Closed and not settled: another process is at it, or died. Either way it comes first, because it may carry forward.
  let before =
    last && ((await readSettlement(deps.ledger, merchant.id, last.number)) ?? (await commitOne(last)));
  for (let run = 0; run < MAX_SETTLEMENTS_PER_RUN; run++) {
    // Where another process was first, what it closed is met one by one.
    const closing = await close(deps, merchant, before, now);
    if (!closing) break;
    before = await commitOne(closing);
  }
  return settlements;
}

/** Undefined if nothing has matured and nothing that was carried forward can be paid out now. */
async function close(
  deps: SettlementDeps,
  merchant: Merchant,
  before: Settlement | undefined,
  now: number,
): Promise<NumberedClosing | undefined> {
  const afterSequence = before?.upToSequence ?? 0;
  const upToSequence = await findMatured(deps.ledger, merchant.id, {
    afterSequence,
    now,
    most: MAX_PAYMENTS_PER_SETTLEMENT,
  });
  const terms: Closing["terms"] = {
    feeBasisPoints: Number(deps.config.feeBasisPoints),
    payoutMinimum: merchant.payoutMinimum,
    isPayoutHeld: now < merchant.createdAt + deps.config.firstPayoutDelaySeconds * 1_000,
  };
  const carriedForward = before?.carryForwardOut ?? ZERO;
  const paidLate = before?.upToLateRefund ?? 0;
  const waiting = await readInLine(deps.ledger, "late-refund", merchant.id, paidLate);
  const takenBack = before?.upToUncollected ?? 0;
  const uncollected = await readInLine(deps.ledger, "uncollected", merchant.id, takenBack);
  const money = add(carriedForward, ...uncollected.map(({ amount }) => amount));
  const isWorthIt =
    waiting.length === 0 ? payoutOf(money, terms) > ZERO : affordable(waiting, money).length > 0;
  if (upToSequence === afterSequence && !isWorthIt) return undefined;
  return commitClosing(deps.ledger, merchant.id, (before?.number ?? 0) + 1, {
    upToSequence,
    closedAt: now,
    upToLateRefund: waiting.at(-1)?.number ?? paidLate,
    upToUncollected: uncollected.at(-1)?.number ?? takenBack,
    terms,
  });
}

/** The closing with this number: ours, or that of another process that was first. */
async function commitClosing(
  ledger: Ledger,
  merchant: string,
  number: number,
  closing: Closing,
): Promise<NumberedClosing> {
  const value = encodeClosing(closing);
  const key = closingKey(merchant, number);
  const { status } = await ledger.apply({
    id: closingGroupId(merchant, number),
    fingerprint: await fingerprintOf(value),
    transfers: [],
    records: [{ key, value }],
  });
  if (status === "committed") return { number, ...closing };
  const committed = await readClosing(ledger, merchant, number);
  if (!committed) throw new Error(`${key} was neither committed nor there before`);
  return committed;
}

/** `isNew` is false if another process has settled this closing already: with the same sums. */
async function commit(
  deps: SettlementDeps,
  merchant: Merchant,
  closing: NumberedClosing,
): Promise<{ readonly settlement: Settlement; readonly isNew: boolean }> {
  const { settlement, lateRefunds } = await addUp(deps, merchant, closing);
  const value = encodeSettlement(settlement);
  const key = settlementKey(merchant.id, settlement.number);
  const outcome = await deps.ledger.apply({
    id: deriveId("settlement", merchant.id, String(settlement.number)),
    fingerprint: await fingerprintOf(value),
    transfers: [...transfersOf(settlement), ...lateRefunds.map((late) => lateTransfer(merchant.id, late))],
    records: [{ key, value }, ...lateRefunds.map((late) => lateRecord(late, closing))],
  });
  if (outcome.status === "committed") return { settlement, isNew: true };
  if (outcome.status === "exists") return { settlement, isNew: false };
  throw new Error(
    `${key}: ${JSON.stringify(outcome)}, though everyone who settles a closing gets the same sums`,
  );
}

/** The same for everyone who does it: nothing here asks the clock. */
export async function addUp(
  deps: SettlementDeps,
  merchant: Merchant,
  closing: NumberedClosing,
): Promise<{ readonly settlement: Settlement; readonly lateRefunds: readonly InLine[] }> {
  const before =
    closing.number === 1 ? undefined : await readSettlement(deps.ledger, merchant.id, closing.number - 1);
  if (closing.number > 1 && !before)
    throw new Error(`settlement ${closing.number} of ${merchant.id} without the one before`);
  const range = { afterSequence: before?.upToSequence ?? 0, upToSequence: closing.upToSequence };
  const { count: paymentCount, amount: payments } = await sumPayments(deps.ledger, merchant.id, range);
  const refunded = await readRefunds(deps.ledger, merchant.id, { ...range, closing: closing.number });
  const refunds = [...refunded.values()].reduce((total, { amount }) => add(total, amount), ZERO);
  const fee = feeOf(subtract(payments, refunds), closing.terms.feeBasisPoints);
  const carryForwardIn = before?.carryForwardOut ?? ZERO;
  const takenBack = before?.upToUncollected ?? 0;
  const back = await readInLine(deps.ledger, "uncollected", merchant.id, takenBack, closing.upToUncollected);
  const uncollected = add(ZERO, ...back.map(({ amount }) => amount));
  const earned = subtract(add(carryForwardIn, payments, uncollected), add(refunds, fee));
  const paidLate = before?.upToLateRefund ?? 0;
  const waiting = await readInLine(deps.ledger, "late-refund", merchant.id, paidLate, closing.upToLateRefund);
  const lateRefunds = affordable(waiting, earned);
  const late = add(ZERO, ...lateRefunds.map(({ amount }) => amount));
  const due = subtract(earned, late);
  // Where as many wait as one settlement pays there may be more.
  const isOneWaiting = lateRefunds.length < waiting.length || waiting.length === MAX_IN_LINE_PER_SETTLEMENT;
  const payout = isOneWaiting ? ZERO : payoutOf(due, closing.terms);
  const settlement = {
    merchant: merchant.id,
    number: closing.number,
    currency: deps.config.currency,
    closedAt: closing.closedAt,
    ...range,
    paymentCount,
    refundCount: refunded.size,
    payments,
    refunds,
    lateRefundCount: lateRefunds.length,
    lateRefunds: late,
    upToLateRefund: lateRefunds.at(-1)?.number ?? paidLate,
    uncollectedCount: back.length,
    uncollected,
    upToUncollected: back.at(-1)?.number ?? takenBack,
    feeBasisPoints: closing.terms.feeBasisPoints,
    fee,
    carryForwardIn,
    payout,
    carryForwardOut: subtract(due, payout),
  };
  return { settlement, lateRefunds };
}

/** The first ones, as long as each is paid whole: one that is too large is waited for, or it would never be its turn. */
function affordable(waiting: readonly InLine[], money: Micros): InLine[] {
  let left = money;
  const paid: InLine[] = [];
  for (const late of waiting) {
    if (late.amount > left) break;
    left = subtract(left, late.amount);
    paid.push(late);
  }
  return paid;
}

function lateTransfer(merchant: string, { paymentId, amount }: InLine): Transfer {
  return {
    id: refundTransferId(paymentId),
    debit: merchantAccount(merchant),
    credit: grantedAccount(merchant),
    amount,
    code: "late_refund",
    reference: paymentId,
  };
}

function lateRecord({ paymentId }: InLine, { closedAt }: NumberedClosing): LedgerRecord {
  const value = encodeRefundRecord({ outputs: [], givenBy: "merchant", givenAt: closedAt });
  return { key: refundKey(paymentId), value };
}

/** All that a bank can transfer, or nothing. */
function payoutOf(due: Micros, terms: Closing["terms"]): Micros {
  return terms.isPayoutHeld || due < terms.payoutMinimum ? ZERO : roundDownToMinorUnit(due);
}

function transfersOf(settlement: Settlement): Transfer[] {
  const { merchant, number, fee, payout } = settlement;
  const from = (code: "fee" | "payout", credit: string, amount: Micros): Transfer[] =>
    amount === ZERO
      ? []
      : [
          {
            id: deriveId(`settlement ${code}`, merchant, String(number)),
            debit: merchantAccount(merchant),
            credit,
            amount,
            code,
            reference: settlementKey(merchant, number),
          },
        ];
  return [...from("fee", REVENUE, fee), ...from("payout", PAYOUT_CLEARING, payout)];
}

async function fingerprintOf(value: string): Promise<string> {
  return toHex(await sha256(value));
}
