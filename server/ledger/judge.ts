/**
 * The rules by which a batch of groups is judged, the same for every adapter: pure over what is stored. Each group is
 * judged against the storage plus an overlay of what the groups before it in the batch did; a rejected group never
 * enters the overlay, so it cannot disturb its neighbours.
 *
 * An adapter that holds no lock between reading and writing finds in each movement what must still be true of the
 * account when it writes (`least`, `most`), so that every verdict of the batch stands.
 */
import type { Micros } from "../../shared/money.ts";
import { mustNotGoBelowZero } from "./accounts.ts";
import type {
  AccountName,
  Group,
  GroupOutcome,
  Guard,
  LedgerRecord,
  PostedGroup,
  Rejection,
  TransferId,
} from "./ledger.ts";

/** What is stored, before the batch. */
export interface StoredState {
  group(id: TransferId): StoredGroup | undefined;
  transferExists(id: TransferId): boolean;
  recordExists(key: string): boolean;
  balance(account: AccountName): Micros;
}

export interface StoredGroup extends PostedGroup {
  readonly records: readonly LedgerRecord[];
}

/** All that a batch does to one account. */
export interface Movement {
  debits: bigint;
  credits: bigint;
  /** The balance before the batch, between which bounds every verdict stands. */
  least: bigint | undefined;
  most: bigint | undefined;
  /** A chargeback may take it below zero. */
  isChargedBack: boolean;
}

export type Verdict =
  | { readonly status: "committed"; readonly group: Group }
  /** `group` stands earlier in this batch. */
  | { readonly status: "repeated"; readonly group: Group }
  | { readonly status: "exists"; readonly stored: StoredGroup }
  | { readonly status: "conflict" }
  | { readonly status: "rejected"; readonly rejection: Rejection };

export interface JudgedBatch {
  /** One for each group, in order. */
  readonly verdicts: readonly Verdict[];
  /** What has to be written, all or nothing. */
  readonly committed: readonly Group[];
  readonly movements: ReadonlyMap<AccountName, Movement>;
}

export function judgeBatch(stored: StoredState, groups: readonly Group[]): JudgedBatch {
  const overlay: Overlay = {
    stored,
    committed: new Map(),
    transferIds: new Set(),
    records: new Set(),
    before: new Map(),
    balances: new Map(),
    movements: new Map(),
  };
  const verdicts = groups.map((group) => judge(overlay, group));
  return { verdicts, committed: [...overlay.committed.values()], movements: overlay.movements };
}

/** @param timestamp of what this batch committed */
export function outcomeOf(verdict: Verdict, timestamp: number): GroupOutcome {
  switch (verdict.status) {
    case "committed":
      return { status: "committed", timestamp, memo: verdict.group.memo, records: verdict.group.records };
    case "repeated":
      return { status: "exists", timestamp, memo: verdict.group.memo, records: verdict.group.records };
    case "exists": {
      const { stored } = verdict;
      return { status: "exists", timestamp: stored.timestamp, memo: stored.memo, records: stored.records };
    }
    case "conflict":
    case "rejected":
      return verdict;
  }
}

/** What the groups of this batch that were judged good have done so far. */
interface Overlay {
  readonly stored: StoredState;
  readonly committed: Map<TransferId, Group>;
  readonly transferIds: Set<TransferId>;
  readonly records: Set<string>;
  /** Balances as they are stored, read when first asked for. */
  readonly before: Map<AccountName, bigint>;
  /** Balances as they stand with the batch so far. */
  readonly balances: Map<AccountName, bigint>;
  readonly movements: Map<AccountName, Movement>;
}

function judge(overlay: Overlay, group: Group): Verdict {
  const replay = judgeReplay(overlay, group);
  if (replay) return replay;
  const rejection =
    findExistingTransfer(overlay, group) ??
    findExistingRecord(overlay, group) ??
    judgeBalances(overlay, group);
  if (rejection) return { status: "rejected", rejection };

  overlay.committed.set(group.id, group);
  for (const transfer of group.transfers) overlay.transferIds.add(transfer.id);
  for (const record of group.records) overlay.records.add(record.key);
  return { status: "committed", group };
}

function judgeReplay({ committed, stored }: Overlay, group: Group): Verdict | undefined {
  const inBatch = committed.get(group.id);
  if (inBatch)
    return inBatch.fingerprint === group.fingerprint
      ? { status: "repeated", group: inBatch }
      : { status: "conflict" };
  const known = stored.group(group.id);
  if (!known) return undefined;
  return known.fingerprint === group.fingerprint
    ? { status: "exists", stored: known }
    : { status: "conflict" };
}

function findExistingTransfer({ transferIds, stored }: Overlay, group: Group): Rejection | undefined {
  const own = new Set<TransferId>();
  for (const { id } of group.transfers) {
    if (own.has(id) || transferIds.has(id) || stored.transferExists(id))
      return { reason: "transfer_exists", transferId: id };
    own.add(id);
  }
  return undefined;
}

function findExistingRecord(overlay: Overlay, group: Group): Rejection | undefined {
  const own = new Set<string>();
  for (const { key } of group.records) {
    if (own.has(key) || recordExists(overlay, key)) return { reason: "record_exists", key };
    own.add(key);
  }
  return undefined;
}

/** Judges sides and guards on the balances after the group; only if all hold do they become the batch's. */
function judgeBalances(overlay: Overlay, group: Group): Rejection | undefined {
  const after = new Map<AccountName, bigint>();
  const balanceOf = (account: AccountName) => after.get(account) ?? balanceSoFar(overlay, account);
  for (const { debit, credit, amount } of group.transfers) {
    after.set(debit, balanceOf(debit) - amount);
    after.set(credit, balanceOf(credit) + amount);
  }
  for (const { debit, code } of group.transfers) {
    // A chargeback takes the money whether it is there or not: the gateway has done so already.
    if (code !== "chargeback" && mustNotGoBelowZero(debit) && balanceOf(debit) < 0n)
      return { reason: "overdraft", account: debit };
  }
  const guards = group.guards ?? [];
  const broken = guards.findIndex((guard) => !holds(guard, balanceOf, (key) => recordExists(overlay, key)));
  if (broken >= 0) return { reason: "guard", index: broken };

  for (const [account, balance] of after) overlay.balances.set(account, balance);
  recordMovements(overlay, group);
  for (const guard of guards) boundByGuard(overlay, guard);
  return undefined;
}

/** Records are looked at as they were before the group, so that one may say "absent" of what it writes itself. */
function holds(
  guard: Guard,
  balanceOf: (account: AccountName) => bigint,
  exists: (key: string) => boolean,
): boolean {
  switch (guard.kind) {
    case "at_most":
      return balanceOf(guard.account) <= guard.amount;
    case "covers":
      return balanceOf(guard.account) + guard.slack >= balanceOf(guard.against);
    case "absent":
      return !exists(guard.key);
    case "present":
      return exists(guard.key);
  }
}

function recordMovements(overlay: Overlay, group: Group): void {
  for (const { debit, credit, amount, code } of group.transfers) {
    const from = movementOf(overlay, debit);
    from.debits += amount;
    if (code === "chargeback") from.isChargedBack = true;
    movementOf(overlay, credit).credits += amount;
  }
  for (const { debit, code } of group.transfers) {
    if (code === "chargeback" || !mustNotGoBelowZero(debit)) continue;
    // The balance may have been less by what is left now.
    const needed = balanceBefore(overlay, debit) - balanceSoFar(overlay, debit);
    const movement = movementOf(overlay, debit);
    if (movement.least === undefined || movement.least < needed) movement.least = needed;
  }
}

function boundByGuard(overlay: Overlay, guard: Guard): void {
  if (guard.kind === "at_most") {
    const movement = movementOf(overlay, guard.account);
    const allowed =
      guard.amount - (balanceSoFar(overlay, guard.account) - balanceBefore(overlay, guard.account));
    if (movement.most === undefined || movement.most > allowed) movement.most = allowed;
  } else if (guard.kind === "covers") {
    for (const account of [guard.account, guard.against]) {
      const movement = movementOf(overlay, account);
      movement.least = balanceBefore(overlay, account);
      movement.most = movement.least;
    }
  }
}

function movementOf({ movements }: Overlay, account: AccountName): Movement {
  let movement = movements.get(account);
  if (!movement) {
    movement = { debits: 0n, credits: 0n, least: undefined, most: undefined, isChargedBack: false };
    movements.set(account, movement);
  }
  return movement;
}

function balanceSoFar(overlay: Overlay, account: AccountName): bigint {
  return overlay.balances.get(account) ?? balanceBefore(overlay, account);
}

function balanceBefore({ before, stored }: Overlay, account: AccountName): bigint {
  let balance = before.get(account);
  if (balance === undefined) {
    balance = stored.balance(account);
    before.set(account, balance);
  }
  return balance;
}

function recordExists({ records, stored }: Overlay, key: string): boolean {
  return records.has(key) || stored.recordExists(key);
}
