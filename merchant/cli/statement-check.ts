/**
 * What is wrong with statements, found offline: each is added up again, its Merkle tree is built again and compared with the
 * signed root, statements that follow one another are held against each other, and receipts that the merchant kept are looked
 * for in them. Times never go back along a statement's payments, and statements leave no gap, so that a receipt from in
 * between must be there.
 */
import { toHex } from "../../shared/bytes.ts";
import { readUnverified } from "../../shared/jws.ts";
import { buildTree } from "../../shared/merkle.ts";
import { add, formatBalance, type Micros, roundDownToMinorUnit, subtract, ZERO } from "../../shared/money.ts";
import type { Jwks } from "../../shared/protocol/provider.ts";
import { ReceiptClaims, verifyReceipt } from "../../shared/receipt.ts";
import {
  feeOf,
  lineHash,
  receiptHash,
  type StatementFile,
  type StatementLine,
  StatementRootClaims,
  settlementHash,
  settlementId,
  verifyStatementRoot,
} from "../../shared/statement.ts";

export interface Report {
  /** In words, each of which says that somebody is owed an answer. Empty when all is well. */
  readonly problems: readonly string[];
  /** What is no fault, and worth knowing. */
  readonly notes: readonly string[];
  readonly receiptsFound: number;
}

type Problem = (sentence: string) => void;

/** @param statements of one merchant, in the order of their numbers  @param jwks undefined: no signature is checked */
export async function checkStatements(
  statements: readonly StatementFile[],
  receipts: readonly string[],
  jwks: Jwks | undefined,
): Promise<Report> {
  const problems: string[] = [];
  const notes: string[] = [];
  for (const [index, statement] of statements.entries()) {
    const problem: Problem = (sentence) => void problems.push(`${nameOf(statement)}: ${sentence}`);
    checkSums(statement, problem);
    checkLines(statement, problem);
    await checkRoot(statement, jwks, problem);
    const before = statements[index - 1];
    if (before) checkSuccession(before, statement, problem);
  }
  checkWhatCameBack(statements, problems);
  noteWhatIsNotSeen(statements, notes);
  const found = await checkReceipts(statements, receipts, jwks, { problems, notes });
  return { problems, notes, receiptsFound: found };
}

/** A payment comes back once, whole; and what nobody fetched was given back before, and comes in again once. */
function checkWhatCameBack(statements: readonly StatementFile[], problems: string[]): void {
  const paid = new Map<string, Micros>();
  const returned = new Map<string, Micros>();
  const again = new Set<string>();
  // A payment of an earlier statement than these cannot be looked up.
  const isWhole = statements[0]?.number === 1;
  for (const statement of statements) {
    const problem: Problem = (sentence) => void problems.push(`${nameOf(statement)}: ${sentence}`);
    const isOf = (known: Micros | undefined, amount: Micros) =>
      known === undefined ? !isWhole : known === amount;
    for (const line of statement.lines) if (line.type === "payment") paid.set(line.id, line.amount);
    for (const { type, id, amount } of statement.lines) {
      if (type === "payment") continue;
      if (type === "uncollected_refund") {
        if (again.has(id)) problem(`the refund of ${id} comes in twice.`);
        if (!isOf(returned.get(id), amount))
          problem(`the refund of ${id} was not given back before, with that amount.`);
        again.add(id);
        continue;
      }
      // Within a statement that is told by its own check.
      if (returned.has(id) && type === "late_refund") problem(`payment ${id} is given back twice.`);
      if (type === "late_refund" && !isOf(paid.get(id), amount))
        problem(`the late refund of ${id} is of no payment with that amount.`);
      returned.set(id, amount);
    }
  }
}

/** What no sum tells, and the merchant knows. */
function noteWhatIsNotSeen(statements: readonly StatementFile[], notes: string[]): void {
  const [first] = statements;
  if (first && first.number > 1)
    notes.push(
      `${nameOf(first)} brings in ${formatBalance(first.carryForwardIn, first.currency)}: whether that is right, the statement before it says.`,
    );
  for (const [index, { feeBasisPoints }] of statements.entries()) {
    const before = statements[index - 1];
    const statement = statements[index];
    if (statement && before && before.feeBasisPoints !== feeBasisPoints)
      notes.push(
        `${nameOf(statement)}: the fee is ${feeBasisPoints / 100} %, and was ${before.feeBasisPoints / 100} % before.`,
      );
  }
}

function checkSums(statement: StatementFile, problem: Problem): void {
  const {
    currency,
    payments,
    refunds,
    lateRefunds,
    uncollected,
    fee,
    carryForwardIn,
    payout,
    carryForwardOut,
  } = statement;
  const money = (amount: Micros) => formatBalance(amount, currency);
  const sumOf = (type: StatementLine["type"]) => {
    const lines = statement.lines.filter((line) => line.type === type);
    return { count: lines.length, amount: lines.reduce((sum, { amount }) => add(sum, amount), ZERO) };
  };
  const paid = sumOf("payment");
  const returned = sumOf("refund");
  if (paid.count !== statement.paymentCount || paid.amount !== payments)
    problem(
      `it lists ${paid.count} payments of ${money(paid.amount)}, and says ${statement.paymentCount} of ${money(payments)}.`,
    );
  if (returned.count !== statement.refundCount || returned.amount !== refunds)
    problem(
      `it lists ${returned.count} refunds of ${money(returned.amount)}, and says ${statement.refundCount} of ${money(refunds)}.`,
    );
  if (refunds > payments) {
    problem("it gives more back than was paid.");
    return;
  }
  const owed = feeOf(subtract(payments, refunds), statement.feeBasisPoints);
  if (fee !== owed)
    problem(`its fee is ${money(fee)}; ${statement.feeBasisPoints / 100} % come to ${money(owed)}.`);
  const late = sumOf("late_refund");
  if (late.count !== statement.lateRefundCount || late.amount !== lateRefunds)
    problem(
      `it lists ${late.count} late refunds of ${money(late.amount)}, and says ${statement.lateRefundCount} of ${money(lateRefunds)}.`,
    );
  const back = sumOf("uncollected_refund");
  if (back.count !== statement.uncollectedCount || back.amount !== uncollected)
    problem(
      `it lists ${back.count} refunds that nobody fetched, of ${money(back.amount)}, and says ${statement.uncollectedCount} of ${money(uncollected)}.`,
    );
  const left = subtract(add(carryForwardIn, payments, uncollected), add(refunds, lateRefunds, fee, payout));
  if (left !== carryForwardOut)
    problem(`it leaves ${money(left)}, and carries ${money(carryForwardOut)} forward.`);
  if (roundDownToMinorUnit(payout) !== payout)
    problem(`its payout of ${payout} micros is no sum that a bank can transfer.`);
}

function checkLines({ lines }: StatementFile, problem: Problem): void {
  const paid = new Map<string, Micros>();
  const returned = new Set<string>();
  let time = "";
  for (const line of lines) {
    if (line.type === "payment") {
      if (paid.has(line.id)) problem(`payment ${line.id} is listed twice.`);
      if (line.time < time) problem(`payment ${line.id} is older than the one before it.`);
      paid.set(line.id, line.amount);
      time = line.time;
      continue;
    }
    // Of these, the statements before say what is right.
    if (line.type !== "refund") continue;
    if (returned.has(line.id)) problem(`payment ${line.id} is given back twice.`);
    if (paid.get(line.id) !== line.amount)
      problem(`the refund of ${line.id} is of no payment with that amount in it.`);
    returned.add(line.id);
  }
}

async function checkRoot(statement: StatementFile, jwks: Jwks | undefined, problem: Problem): Promise<void> {
  const tree = buildTree();
  tree.add(settlementHash(statement));
  for (const line of statement.lines) tree.add(lineHash(statement, line));
  const claims = jwks
    ? await verifyStatementRoot(statement.signedRoot, jwks)
    : readUnverified(statement.signedRoot, StatementRootClaims);
  if (!claims) problem("its root is not signed by the provider.");
  else if (claims.aud !== statement.merchant || claims.number !== statement.number)
    problem(`its root is that of ${settlementId(claims.aud, claims.number)}.`);
  else if (toHex(tree.root().root) !== claims.root)
    problem("it is not what the provider signed: something was altered, left out or added.");
}

function checkSuccession(before: StatementFile, statement: StatementFile, problem: Problem): void {
  if (before.merchant !== statement.merchant) problem(`it is of another merchant than ${nameOf(before)}.`);
  else if (before.number + 1 !== statement.number)
    problem(`it does not follow ${nameOf(before)}: name each statement once, without a gap.`);
  else {
    if (before.carryForwardOut !== statement.carryForwardIn)
      problem(`it does not begin with what ${nameOf(before)} carried forward.`);
    if (before.upToSequence !== statement.afterSequence)
      problem(`it does not begin where ${nameOf(before)} ends.`);
    if (before.upToLateRefund + statement.lateRefundCount !== statement.upToLateRefund)
      problem(`its late refunds do not follow those of ${nameOf(before)}.`);
    if (before.upToUncollected + statement.uncollectedCount !== statement.upToUncollected)
      problem(`its refunds that nobody fetched do not follow those of ${nameOf(before)}.`);
  }
}

/** How many were found. */
async function checkReceipts(
  statements: readonly StatementFile[],
  receipts: readonly string[],
  jwks: Jwks | undefined,
  { problems, notes }: { readonly problems: string[]; readonly notes: string[] },
): Promise<number> {
  const [first] = statements;
  if (!first || receipts.length === 0) return 0;
  const listed = new Map<string, string>();
  for (const statement of statements)
    for (const line of statement.lines)
      if (line.type === "payment") listed.set(line.id, toHex(lineHash(statement, line)));
  const covered = coveredSeconds(statements);
  const counts = { found: 0, later: 0, earlier: 0, edge: 0 };
  for (const [index, receipt] of receipts.entries()) {
    const claims = await readReceipt(receipt, jwks);
    if (!claims) problems.push(`receipt ${index + 1} is none of the provider's.`);
    else if (claims.aud !== first.merchant) problems.push(`receipt ${claims.jti} is another merchant's.`);
    else if (listed.get(claims.jti) === toHex(receiptHash(claims))) counts.found += 1;
    else if (listed.has(claims.jti))
      problems.push(`payment ${claims.jti} is listed otherwise than its receipt says.`);
    else if (claims.iat > covered.last) counts.later += 1;
    else if (claims.iat < covered.first) counts.earlier += 1;
    // Receipts say the second, and so do not say on which side of a statement's edge they stand.
    else if (claims.iat === covered.last || claims.iat === covered.first) counts.edge += 1;
    else problems.push(`payment ${claims.jti} was left out: its receipt is from the time that is covered.`);
  }
  if (counts.later > 0)
    notes.push(
      `${counts.later} receipts are newer than the last payment here (${new Date(covered.last * 1_000).toISOString()}): they have to be in the next statement.`,
    );
  if (counts.earlier > 0)
    notes.push(`${counts.earlier} receipts are older: name the statements before, too.`);
  if (counts.edge > 0)
    notes.push(`${counts.edge} receipts are of the very second at an edge: name the statements beside, too.`);
  return counts.found;
}

/** Of the first and of the last payment. The merchant's first statement covers everything before it. */
function coveredSeconds(statements: readonly StatementFile[]): {
  readonly first: number;
  readonly last: number;
} {
  const times = statements.flatMap(({ lines }) =>
    lines.flatMap(({ type, time }) => (type === "payment" ? [Math.floor(Date.parse(time) / 1_000)] : [])),
  );
  const none = Number.NEGATIVE_INFINITY;
  return { first: statements[0]?.number === 1 ? none : (times[0] ?? none), last: times.at(-1) ?? none };
}

async function readReceipt(receipt: string, jwks: Jwks | undefined): Promise<ReceiptClaims | undefined> {
  const claims = readUnverified(receipt, ReceiptClaims);
  if (!claims || !jwks) return claims;
  const { iss: issuer, aud: merchant, resource } = claims;
  return verifyReceipt(receipt, jwks, { issuer, merchant, resource, leastAmount: ZERO });
}

function nameOf({ merchant, number }: StatementFile): string {
  return settlementId(merchant, number);
}
