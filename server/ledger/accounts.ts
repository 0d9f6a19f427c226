/**
 * The accounts that exist, by name, and the side on which each must stay. A balance is credits less debits, so
 * what the provider owes (readers, merchants, float) is above zero, and what it has (gateways, bank) below.
 */
import type { AccountName } from "./ledger.ts";

export const GATEWAY_CLEARING = "gateway_clearing";
export const PAYMENT_CLEARING = "clearing:payment";
export const SWAP_CLEARING = "clearing:swap";
export const DEPOSIT_CLEARING = "clearing:deposit";
export const PAYOUT_CLEARING = "clearing:payout";
export const REVENUE = "revenue";
export const LOSS = "loss";
export const BANK = "bank";
/** The counterpart of all control accounts: what is counted there is nobody's money. */
export const CONTROL = "control";

export const readerAccount = (accountId: string): AccountName => `reader:${accountId}`;
export const merchantAccount = (merchantId: string): AccountName => `merchant:${merchantId}`;
/** What a merchant gave back and no reader has fetched yet. */
export const grantedAccount = (merchantId: string): AccountName => `granted:${merchantId}`;
export const floatAccount = (keysetId: string): AccountName => `float:${keysetId}`;
/** What of an account's top-ups is not final yet. */
export const provisionalAccount = (accountId: string): AccountName => `provisional:${accountId}`;
/** What an account topped up on a day (`2026-11-23`). */
export const topUpDayAccount = (accountId: string, day: string): AccountName =>
  `topped_up:${accountId}:${day}`;

/** What readers took back of a merchant's by themselves on a day (`2026-11-23`). */
export const takenBackDayAccount = (merchantId: string, day: string): AccountName =>
  `taken_back:${merchantId}:${day}`;

const NEVER_BELOW_ZERO = [
  "reader:",
  "merchant:",
  "granted:",
  "float:",
  "provisional:",
  "topped_up:",
  "clearing:",
];

/** Accounts of this kind are refused a transfer that would take them below zero, a chargeback excepted. */
export function mustNotGoBelowZero(account: AccountName): boolean {
  return NEVER_BELOW_ZERO.some((prefix) => account.startsWith(prefix));
}

const SPREAD = ["merchant:", "float:", "clearing:", GATEWAY_CLEARING, REVENUE, LOSS, BANK, CONTROL];

/** Accounts of this kind are touched by many at once: where several processes write, each keeps a part of them. */
export function isSpread(account: AccountName): boolean {
  return SPREAD.some((prefix) => account.startsWith(prefix));
}
