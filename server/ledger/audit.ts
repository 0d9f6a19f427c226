/** What must be true of the books, whatever they are kept in: pure over what an adapter read in one snapshot. */
import { micros } from "../../shared/money.ts";
import { floatAccount, mustNotGoBelowZero, PAYOUT_CLEARING } from "./accounts.ts";
import type { AccountName, LedgerAudit, TransferId } from "./ledger.ts";

export interface Books {
  readonly transfers: number;
  /** By name. */
  readonly accounts: readonly AuditedAccount[];
  /** What coins of each keyset were issued for. */
  readonly issued: ReadonlyMap<string, bigint>;
  /** Transfers whose group is missing, or of another time. */
  readonly strays: readonly TransferId[];
}

export interface AuditedAccount {
  readonly account: AccountName;
  /** As the account's row keeps them. */
  readonly debits: bigint;
  readonly credits: bigint;
  /** As its transfers add up to. */
  readonly debited: bigint;
  readonly credited: bigint;
  readonly wasChargedBack: boolean;
}

const FLOAT = floatAccount("");
/** More than these tell nothing more. */
export const MAX_STRAYS = 10;

export function auditBooks({ transfers, accounts, issued, strays }: Books): LedgerAudit {
  const differences: string[] = [];
  let sum = 0n;
  for (const { account, debits, credits, debited, credited, wasChargedBack } of accounts) {
    sum += credits - debits;
    const balance = credited - debited;
    if (debits !== debited || credits !== credited)
      differences.push(`${account}: its transfers say ${balance}, its row says ${credits - debits}`);
    if (balance < 0n && mustNotGoBelowZero(account) && !wasChargedBack)
      differences.push(`${account}: below zero, ${balance}`);
    if (balance !== 0n && account.startsWith("clearing:") && account !== PAYOUT_CLEARING)
      differences.push(`${account}: not cleared, ${balance}`);
  }
  if (sum !== 0n) differences.push(`the balances add up to ${sum}, not to zero`);
  const creditedTo = new Map(accounts.map(({ account, credited }) => [account, credited]));
  // A keyset for which no money ever came has no account, whatever was issued.
  const floats = new Set([...issued.keys()].map(floatAccount));
  for (const account of creditedTo.keys()) if (account.startsWith(FLOAT)) floats.add(account);
  for (const account of floats) {
    const credited = creditedTo.get(account) ?? 0n;
    const coins = issued.get(account.slice(FLOAT.length)) ?? 0n;
    if (coins !== credited)
      differences.push(`${account}: ${credited} went into it, coins for ${coins} were issued`);
  }
  for (const id of strays) differences.push(`transfer ${id}: not of its group`);
  const trialBalance = accounts.map(({ account, debited, credited }) => ({
    account,
    debits: micros(debited),
    credits: micros(credited),
    balance: micros(credited - debited),
  }));
  return { transfers, trialBalance, differences };
}
