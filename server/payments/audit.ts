/**
 * What the trial balance cannot see (invariant 4): each payment charged once, for what its record says, and given back at
 * most once. May run while payments do: a group is read whole or not at all, and what comes later is not looked at.
 */
import { add, type Micros, ZERO } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger, PostedTransfer, TransferCode } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { refundWindowEnd } from "./closing.ts";
import { decodePaymentRecord, type PaymentRecord, paymentGroupId, refundKey } from "./record.ts";
import { refundGroupId } from "./refund.ts";

/** Payments whose records are read at once. */
const BATCH_PAYMENTS = 1_000;

/** The differences, in words. Empty when all is well. */
export async function auditPayments({ ledger }: { readonly ledger: Ledger }): Promise<string[]> {
  const differences: string[] = [];
  for (const account of (await ledger.balances(merchantAccount(""))).keys()) {
    for await (const moves of inBatches(movesOf(ledger, account, "credit", "payment")))
      differences.push(...(await judgePayments(ledger, account, moves)));
    for await (const moves of inBatches(movesOf(ledger, account, "debit", "refund")))
      differences.push(...(await judgeRefunds(ledger, moves)));
  }
  return differences;
}

/** What one group moved between a merchant and readers' coins. */
interface Move {
  readonly groupId: string;
  readonly paymentId: string;
  readonly amount: Micros;
  readonly timestamp: number;
  /** Of each of its transfers, once. */
  readonly maturesAt: ReadonlySet<number>;
}

async function judgePayments(ledger: Ledger, account: string, moves: readonly Move[]): Promise<string[]> {
  const [groups, refunds] = await Promise.all([
    ledger.groups(moves.map(({ paymentId }) => paymentGroupId(paymentId))),
    ledger.records(moves.map(({ paymentId }) => refundKey(paymentId))),
  ]);
  const differences: string[] = [];
  for (const { groupId, paymentId, amount, timestamp, maturesAt } of moves) {
    const bad = (what: string): void => void differences.push(`payment ${paymentId}: ${what}`);
    if (groupId !== paymentGroupId(paymentId)) {
      bad(`charged ${amount} once more, by the group ${groupId}`);
      continue;
    }
    const record = readRecord(groups.get(groupId)?.memo);
    if (!record) bad("its record is missing or cannot be read");
    else if (record.amount !== amount) bad(`charged ${amount}, its record says ${record.amount}`);
    else if (merchantAccount(record.merchant) !== account)
      bad(`paid to ${account}, its record says ${record.merchant}`);
    else if (!isOnly(maturesAt, refundWindowEnd(timestamp, record.refundWindowSeconds)))
      bad(`matures ${[...maturesAt].join(" and ")}, its record says otherwise`);
    if (refunds.has(refundKey(paymentId)) && !(await ledger.group(refundGroupId(paymentId))))
      bad("recorded as refunded, and nothing came back");
  }
  return differences;
}

async function judgeRefunds(ledger: Ledger, moves: readonly Move[]): Promise<string[]> {
  const [groups, refunds] = await Promise.all([
    ledger.groups(moves.map(({ paymentId }) => paymentGroupId(paymentId))),
    ledger.records(moves.map(({ paymentId }) => refundKey(paymentId))),
  ]);
  return moves.flatMap(({ groupId, paymentId, amount }) => {
    if (groupId !== refundGroupId(paymentId)) return [`payment ${paymentId}: refunded once more`];
    const record = readRecord(groups.get(paymentGroupId(paymentId))?.memo);
    if (!record || !refunds.has(refundKey(paymentId)))
      return [`payment ${paymentId}: refunded without a record`];
    return record.amount === amount
      ? []
      : [`payment ${paymentId}: refunded ${amount}, its record says ${record.amount}`];
  });
}

function isOnly<T>(values: ReadonlySet<T>, value: T): boolean {
  return values.size === 1 && values.has(value);
}

function readRecord(value: string | undefined): PaymentRecord | undefined {
  if (value === undefined) return undefined;
  try {
    return decodePaymentRecord(value);
  } catch {
    return undefined;
  }
}

/** The transfers of a group stand side by side. */
async function* movesOf(
  ledger: Ledger,
  account: string,
  side: "debit" | "credit",
  code: TransferCode,
): AsyncGenerator<Move> {
  let group: PostedTransfer[] = [];
  for await (const transfer of readAllTransfers(ledger, { account, side, codes: [code] })) {
    if (group[0] && group[0].groupId !== transfer.groupId) {
      yield moveOf(group[0], group);
      group = [];
    }
    group.push(transfer);
  }
  if (group[0]) yield moveOf(group[0], group);
}

function moveOf({ groupId, reference, timestamp }: PostedTransfer, group: readonly PostedTransfer[]): Move {
  const amount = group.reduce((total, transfer) => add(total, transfer.amount), ZERO);
  const maturesAt = new Set(group.map((transfer) => transfer.maturesAt));
  return { groupId, paymentId: reference, amount, timestamp, maturesAt };
}

async function* inBatches(moves: AsyncIterable<Move>): AsyncGenerator<Move[]> {
  let batch: Move[] = [];
  for await (const move of moves) {
    batch.push(move);
    if (batch.length < BATCH_PAYMENTS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
