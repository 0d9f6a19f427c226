/**
 * What a merchant's payments and refunds in a stretch of the ledger add up to. The ledger adds up payments where it keeps
 * them; refunds are few, and are read one by one.
 */
import { add, type Micros, ZERO } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger, SumQuery } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { closingGroupId, paymentGroupId } from "../payments/index.ts";

export interface Stretch {
  readonly afterSequence: number;
  /** A payment's last transfer, or `afterSequence`. */
  readonly upToSequence: number;
}

export interface Sums {
  readonly count: number;
  readonly amount: Micros;
  /** Of the last payment; undefined if there is none. */
  readonly lastSequence: number | undefined;
}

/** Transfers that the ledger adds up at once: it answers others in between. */
const SUM_TRANSFERS = 10_000;
/** Read at once: a settlement has few, and what lies behind its closing is read in vain. */
const PAGE_REFUNDS = 200;
/** Of payments that mature later than younger ones, because the merchant made its window shorter between them. */
const MAX_WINDOWS_LOOKED_AT = 10;

/** Where the payments end whose windows have closed by then, after about `most` of them; `afterSequence` if there is none. */
export async function findMatured(
  ledger: Ledger,
  merchant: string,
  {
    afterSequence,
    now,
    most,
  }: { readonly afterSequence: number; readonly now: number; readonly most: number },
): Promise<number> {
  let upToSequence = afterSequence;
  for (let payments = 0; payments < most; ) {
    const sum = await ledger.sum({
      ...paymentsOf(merchant),
      afterSequence: upToSequence,
      maturedBy: now,
      limit: SUM_TRANSFERS,
    });
    payments += sum.groups;
    upToSequence = sum.lastSequence ?? upToSequence;
    if (sum.isComplete) break;
  }
  return upToSequence;
}

/** The first moment at which all payments after this one have matured, however the window changed meanwhile: milliseconds. */
export async function findMaturity(
  ledger: Ledger,
  merchant: string,
  afterSequence: number,
  now: number,
): Promise<number> {
  const unsettled = { ...paymentsOf(merchant), afterSequence };
  const [last] = await ledger.transfers({ ...unsettled, order: "newest_first", limit: 1 });
  let maturedBy = Math.max(now, last?.maturesAt ?? now);
  for (let changes = 0; changes < MAX_WINDOWS_LOOKED_AT; changes++) {
    const { lastSequence = afterSequence } = await sumAll(ledger, { ...unsettled, maturedBy });
    const [held] = await ledger.transfers({ ...unsettled, afterSequence: lastSequence, limit: 1 });
    if (!held) break;
    maturedBy = Math.max(maturedBy, held.maturesAt);
  }
  return maturedBy;
}

export function sumPayments(ledger: Ledger, merchant: string, stretch: Stretch): Promise<Sums> {
  return sumAll(ledger, { ...paymentsOf(merchant), ...stretch });
}

/** However many there are. */
export async function sumAll(ledger: Ledger, query: Omit<SumQuery, "limit">): Promise<Sums> {
  let { afterSequence = 0 } = query;
  let count = 0;
  let amount = ZERO;
  let lastSequence: number | undefined;
  for (;;) {
    const sum = await ledger.sum({ ...query, afterSequence, limit: SUM_TRANSFERS });
    count += sum.groups;
    amount = add(amount, sum.amount);
    lastSequence = sum.lastSequence ?? lastSequence;
    if (sum.isComplete) return { count, amount, lastSequence };
    afterSequence = sum.lastSequence ?? afterSequence;
  }
}

export function paymentsOf(merchant: string) {
  return {
    account: merchantAccount(merchant),
    side: "credit",
    codes: ["payment"],
  } as const;
}

/**
 * The refunds of the payments in a stretch, by payment: when, and how much. Once a closing covers the stretch no further
 * one is committed (`payments/closing.ts`), so where `closing` is its number, nothing is looked at that came later: of
 * many settlements each reads its own time, and not all that followed.
 *
 * A refund comes after its payment, so it is enough to look from where the stretch begins; and of what is found there,
 * the payment's time says whether it lies inside, unless it is the time of one of the stretch's ends.
 */
export async function readRefunds(
  ledger: Ledger,
  merchant: string,
  { closing, ...stretch }: Stretch & { readonly closing?: number },
): Promise<ReadonlyMap<string, Refund>> {
  const { afterSequence, upToSequence } = stretch;
  const refunds = new Map<string, Refund>();
  if (upToSequence === afterSequence) return refunds;
  const unsure = new Map<string, Refund>();
  const closed = closing === undefined ? undefined : await ledger.group(closingGroupId(merchant, closing));
  let ends: readonly [number, number] | undefined;
  const query = {
    account: merchantAccount(merchant),
    side: "debit",
    codes: ["refund"],
    afterSequence,
  } as const;
  for await (const { reference, amount, timestamp } of readAllTransfers(ledger, query, PAGE_REFUNDS)) {
    // Times never go back along the order of transfers.
    if (closed && timestamp > closed.timestamp) break;
    const paid = await ledger.group(paymentGroupId(reference));
    if (!paid) throw new Error(`payment ${reference} was refunded and never made`);
    ends ??= [await timeAt(ledger, merchant, afterSequence), await timeAt(ledger, merchant, upToSequence)];
    const [from, to] = ends;
    if (paid.timestamp < from || paid.timestamp > to) continue;
    const isInside = paid.timestamp > from && paid.timestamp < to;
    (isInside ? refunds : unsure).set(reference, { refundedAt: timestamp, amount });
  }
  if (unsure.size === 0) return refunds;
  for await (const { reference } of readAllTransfers(ledger, {
    ...paymentsOf(merchant),
    ...stretch,
  })) {
    const refund = unsure.get(reference);
    if (refund) refunds.set(reference, refund);
  }
  return refunds;
}

export interface Refund {
  /** Milliseconds since 1970. */
  readonly refundedAt: number;
  readonly amount: Micros;
}

/** Of the payment's transfer with this place; the beginning of time where no payment was yet. */
export async function timeAt(ledger: Ledger, merchant: string, sequence: number): Promise<number> {
  if (sequence === 0) return 0;
  const place = { afterSequence: sequence - 1, upToSequence: sequence };
  const [transfer] = await ledger.transfers({ ...paymentsOf(merchant), ...place, limit: 1 });
  if (!transfer) throw new Error(`transfer ${sequence} is no payment to ${merchant}`);
  return transfer.timestamp;
}
