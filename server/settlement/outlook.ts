/**
 * What a merchant is still to be paid, and when: read with the settlement's own rules, so that what is shown is what will
 * come. Only refunds can make it less.
 */
import { add, type Micros, roundDownToMinorUnit, subtract, ZERO } from "../../shared/money.ts";
import { feeOf } from "../../shared/statement.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Merchant } from "../merchants/index.ts";
import { latestClosing, readInLine } from "../payments/index.ts";
import type { SettlementDeps } from "./settle.ts";
import { readSettlement } from "./settlement.ts";
import { findMaturity, paymentsOf, readRefunds, sumAll } from "./sums.ts";

export interface Outlook {
  /** What settlements left over, their fee taken. */
  readonly carriedForward: Micros;
  /** Payments that no reader can take back any more, less refunds. */
  readonly matured: Micros;
  readonly maturing: Micros;
  readonly fee: Micros;
  /** Given back of payments that were settled before, and not paid yet. */
  readonly lateRefunds: Micros;
  /** Given back, and fetched by nobody: without a fee. */
  readonly uncollected: Micros;
  /** The three and what nobody fetched, less the fee and the late refunds. */
  readonly toBePaid: Micros;
  readonly nextPayout: NextPayout;
}

export type NextPayout =
  /** `dueAt`: the moment from which the next settlement pays it out (milliseconds). */
  | { readonly state: "expected"; readonly amount: Micros; readonly dueAt: number }
  | { readonly state: "nothing" }
  | { readonly state: "below_minimum"; readonly missing: Micros };

type OutlookDeps = Pick<SettlementDeps, "ledger" | "config">;

export async function readOutlook(deps: OutlookDeps, merchant: Merchant, now: number): Promise<Outlook> {
  const { ledger } = deps;
  const feeBasisPoints = Number(deps.config.feeBasisPoints);
  const { settled, balance } = await readStanding(ledger, merchant.id);
  const held = merchant.createdAt + deps.config.firstPayoutDelaySeconds * 1_000;
  /** What a settlement at that time would find. */
  const maturedBy = async (time: number): Promise<Micros> => {
    const { afterSequence } = settled;
    const { amount, lastSequence = afterSequence } = await sumAll(ledger, {
      ...paymentsOf(merchant.id),
      afterSequence,
      maturedBy: time,
    });
    const refunds = await readRefunds(ledger, merchant.id, { afterSequence, upToSequence: lastSequence });
    return subtract(amount, add(ZERO, ...[...refunds.values()].map((refund) => refund.amount)));
  };
  const sumOf = async (kind: "late-refund" | "uncollected", afterNumber: number): Promise<Micros> => {
    let sum = ZERO;
    let last = afterNumber;
    for (;;) {
      const inLine = await readInLine(ledger, kind, merchant.id, last);
      if (inLine.length === 0) return sum;
      sum = add(sum, ...inLine.map(({ amount }) => amount));
      last = inLine.at(-1)?.number ?? last;
    }
  };
  const late = await sumOf("late-refund", settled.paidLate);
  const uncollected = await sumOf("uncollected", settled.takenBack);
  // What is given back late comes first; what it cannot pay yet waits, and is nobody's debt.
  const dueOf = (turnover: Micros): Micros => {
    const earned = subtract(
      add(settled.carriedForward, uncollected, turnover),
      feeOfTurnover(turnover, feeBasisPoints),
    );
    return earned > late ? subtract(earned, late) : ZERO;
  };

  const matured = await maturedBy(now);
  const turnover = subtract(balance, add(settled.carriedForward, uncollected));
  const nextPayout = async (): Promise<NextPayout> => {
    const expect = (amount: Micros, dueAt: number): NextPayout | undefined => {
      const payable = roundDownToMinorUnit(amount);
      return payable > ZERO && amount >= merchant.payoutMinimum
        ? { state: "expected", amount: payable, dueAt }
        : undefined;
    };
    const soonest = Math.max(now, held);
    const first = expect(dueOf(soonest === now ? matured : await maturedBy(soonest)), soonest);
    if (first) return first;
    const everything = dueOf(turnover);
    const last = Math.max(soonest, await findMaturity(ledger, merchant.id, settled.afterSequence, now));
    const later = expect(everything, last);
    if (later) return later;
    if (everything <= ZERO) return { state: "nothing" };
    return { state: "below_minimum", missing: subtract(merchant.payoutMinimum, everything) };
  };
  return {
    carriedForward: settled.carriedForward,
    matured,
    maturing: subtract(turnover, matured),
    fee: feeOfTurnover(turnover, feeBasisPoints),
    lateRefunds: late,
    uncollected,
    toBePaid: dueOf(turnover),
    nextPayout: await nextPayout(),
  };
}

/** Balance and last settlement of one moment: what is settled between two readings would be counted twice. */
async function readStanding(ledger: Ledger, merchant: string) {
  for (let settled = await lastSettlement(ledger, merchant); ; ) {
    const balance = await ledger.balance(merchantAccount(merchant));
    const now = await lastSettlement(ledger, merchant);
    if (now.number === settled.number) return { settled, balance };
    settled = now;
  }
}

/** Where the last one ended. A closing that is not settled yet is another process's work of this moment, or waits for the next run. */
async function lastSettlement(
  ledger: Ledger,
  merchant: string,
): Promise<{
  readonly number: number;
  readonly carriedForward: Micros;
  readonly afterSequence: number;
  readonly paidLate: number;
  readonly takenBack: number;
}> {
  const closing = await latestClosing(ledger, merchant);
  for (let number = closing?.number ?? 0; number > 0; number--) {
    const settlement = await readSettlement(ledger, merchant, number);
    if (settlement)
      return {
        number,
        carriedForward: settlement.carryForwardOut,
        afterSequence: settlement.upToSequence,
        paidLate: settlement.upToLateRefund,
        takenBack: settlement.upToUncollected,
      };
  }
  return { number: 0, carriedForward: ZERO, afterSequence: 0, paidLate: 0, takenBack: 0 };
}

/** There is none of what goes back. */
function feeOfTurnover(turnover: Micros, feeBasisPoints: number): Micros {
  return turnover > ZERO ? feeOf(turnover, feeBasisPoints) : ZERO;
}
