/**
 * What the trial balance cannot see (invariant 4): each payment charged once, for what its record says, given back at
 * most once, and what was granted fetched at most once. May run while payments do: a group is read whole or not at all, and what comes later is not looked at.
 */
import { add, type Micros, ZERO } from "../../shared/money.ts";
import { grantedAccount, merchantAccount } from "../ledger/accounts.ts";
import type { AccountName, Ledger, PostedTransfer, TransferCode } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { refundWindowEnd } from "./closing.ts";
import {
  collectionGroupId,
  collectionKey,
  decodeCollectionRecord,
  decodePaymentRecord,
  decodeRefundRecord,
  lateRefundGroupId,
  type PaymentRecord,
  paymentGroupId,
  REFUND_CODES,
  refundGroupId,
  refundKey,
  refundTransferId,
} from "./record.ts";
import { uncollectedGroupId } from "./uncollected.ts";

/** Payments whose records are read at once. */
const BATCH_PAYMENTS = 1_000;

/** The differences, in words. Empty when all is well. */
export async function auditPayments({ ledger }: { readonly ledger: Ledger }): Promise<string[]> {
  const differences: string[] = [];
  for (const account of (await ledger.balances(merchantAccount(""))).keys()) {
    for await (const moves of inBatches(movesOf(ledger, account, "credit", "payment")))
      differences.push(...(await judgePayments(ledger, account, moves)));
    for await (const moves of inBatches(movesOf(ledger, account, "debit", ...REFUND_CODES)))
      differences.push(...(await judgeRefunds(ledger, moves)));
  }
  for (const account of (await ledger.balances(grantedAccount(""))).keys()) {
    // Whatever went out had come in before: what comes in later is not missed.
    const moves = (side: "debit" | "credit") => inBatches(movesOf(ledger, account, side));
    const granted = new Map<string, Micros>();
    const fetched: Move[] = [];
    for await (const batch of moves("debit")) fetched.push(...batch);
    for await (const batch of moves("credit"))
      for (const { paymentId, amount } of batch) granted.set(paymentId, amount);
    const merchant = merchantAccount(account.slice(grantedAccount("").length));
    differences.push(...(await judgeCollections(ledger, merchant, fetched, granted)));
  }
  return differences;
}

/** What one group moved between a merchant and readers' coins. */
interface Move {
  readonly groupId: string;
  readonly paymentId: string;
  readonly amount: Micros;
  readonly timestamp: number;
  readonly code: TransferCode;
  readonly credit: AccountName;
  /** Of each of its transfers, once. */
  readonly maturesAt: ReadonlySet<number>;
}

async function judgePayments(ledger: Ledger, account: string, moves: readonly Move[]): Promise<string[]> {
  const [groups, refunds] = await Promise.all([
    ledger.groups(moves.map(({ paymentId }) => paymentGroupId(paymentId))),
    ledger.records(moves.map(({ paymentId }) => refundKey(paymentId))),
  ]);
  const returned = await ledger.existing(
    moves.flatMap(({ paymentId }) =>
      refunds.has(refundKey(paymentId)) ? [refundTransferId(paymentId)] : [],
    ),
  );
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
    if (refunds.has(refundKey(paymentId)) && !returned.has(refundTransferId(paymentId)))
      bad("recorded as refunded, and nothing came back");
  }
  return differences;
}

async function judgeRefunds(ledger: Ledger, moves: readonly Move[]): Promise<string[]> {
  const [groups, refunds, lateOnes] = await Promise.all([
    ledger.groups(moves.map(({ paymentId }) => paymentGroupId(paymentId))),
    ledger.records(moves.map(({ paymentId }) => refundKey(paymentId))),
    ledger.groups(moves.map(({ paymentId }) => lateRefundGroupId(paymentId))),
  ]);
  return moves.flatMap(({ groupId, paymentId, amount, code, credit }) => {
    const isLate = code === "late_refund";
    if (!isLate && groupId !== refundGroupId(paymentId)) return [`payment ${paymentId}: refunded once more`];
    if (isLate && !lateOnes.has(lateRefundGroupId(paymentId)))
      return [`payment ${paymentId}: its merchant never gave it back`];
    const record = readRecord(groups.get(paymentGroupId(paymentId))?.memo);
    const refund = refunds.get(refundKey(paymentId));
    if (!record || refund === undefined) return [`payment ${paymentId}: refunded without a record`];
    const isGranted = decodeRefundRecord(refund).givenBy === "merchant";
    if (isGranted !== (credit === grantedAccount(record.merchant)))
      return [`payment ${paymentId}: refunded into ${credit}, its record says otherwise`];
    return record.amount === amount
      ? []
      : [`payment ${paymentId}: refunded ${amount}, its record says ${record.amount}`];
  });
}

async function judgeCollections(
  ledger: Ledger,
  merchant: AccountName,
  moves: readonly Move[],
  granted: ReadonlyMap<string, Micros>,
): Promise<string[]> {
  const records = await ledger.records(moves.map(({ paymentId }) => collectionKey(paymentId)));
  return moves.flatMap(({ groupId, paymentId, amount, code, credit }) => {
    const bad = (what: string): string[] => [`payment ${paymentId}: ${what}`];
    const isFetched = code === "refund_collected";
    if (groupId !== (isFetched ? collectionGroupId : uncollectedGroupId)(paymentId))
      return bad("what was granted left once more");
    const record = records.get(collectionKey(paymentId));
    if (record === undefined || decodeCollectionRecord(record).isFetched !== isFetched)
      return bad("what was granted left without its record");
    if (!isFetched && credit !== merchant) return bad(`what was granted went to ${credit}`);
    return granted.get(paymentId) === amount
      ? []
      : bad(`${amount} of a grant left, ${granted.get(paymentId) ?? "nothing"} was granted`);
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

/** The transfers of a group stand side by side; a settlement's are of several payments. */
async function* movesOf(
  ledger: Ledger,
  account: string,
  side: "debit" | "credit",
  ...codes: readonly TransferCode[]
): AsyncGenerator<Move> {
  let group: PostedTransfer[] = [];
  for await (const transfer of readAllTransfers(ledger, {
    account,
    side,
    ...(codes.length > 0 ? { codes } : {}),
  })) {
    const [first] = group;
    if (first && (first.groupId !== transfer.groupId || first.reference !== transfer.reference)) {
      yield moveOf(first, group);
      group = [];
    }
    group.push(transfer);
  }
  if (group[0]) yield moveOf(group[0], group);
}

function moveOf(
  { groupId, reference, timestamp, code, credit }: PostedTransfer,
  group: readonly PostedTransfer[],
): Move {
  const amount = group.reduce((total, transfer) => add(total, transfer.amount), ZERO);
  const maturesAt = new Set(group.map((transfer) => transfer.maturesAt));
  return { groupId, paymentId: reference, amount, timestamp, code, credit, maturesAt };
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
