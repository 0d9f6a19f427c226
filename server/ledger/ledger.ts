/**
 * The ledger's interface, modelled after databases made for this (TigerBeetle): accounts and transfers, and
 * nothing else moves money. Transfers are append-only; a mistake is mended by a further transfer. Groups of linked
 * transfers are applied all or none. There is one entry point, `apply`; calls that arrive while a batch commits
 * form the next batch.
 *
 * What makes it safe:
 * - A transfer's id is its idempotency key, always a hash under a domain tag (`ids.ts`). A coin is spent by a
 *   transfer whose id derives from the coin's `Y`: the primary key is the double-spend check.
 * - A group carries what its answer is made from (its memo, and its records), committed with it. A replay of the group
 *   (same id, same fingerprint) answers `exists` with those; the same id with another fingerprint is a `conflict`.
 * - A rejected group leaves nothing behind: no transfer, no record. The same coins may be tried again at once.
 */
import type { Micros } from "../../shared/money.ts";

/** Names of accounts and the side on which each must stay: `accounts.ts`. */
export type AccountName = string;

/** 128 bits as 32 hex digits. */
export type TransferId = string;

export type TransferCode =
  | "top_up"
  | "withdraw"
  | "payment"
  | "change"
  | "swap"
  | "deposit"
  | "refund"
  /** Of a payment that was settled before: the merchant gives it, and a later settlement pays it. */
  | "late_refund"
  /** A reader fetches what the merchant gave back. */
  | "refund_collected"
  /** No reader fetched it in time: it is the merchant's again. */
  | "refund_uncollected"
  | "fee"
  | "payout"
  | "payout_confirmed"
  | "chargeback"
  /** A reader's money goes back the way it came. */
  | "redemption"
  | "write_off"
  /** Between control accounts: counts towards a limit, moves nobody's money. */
  | "control";

export interface Transfer {
  readonly id: TransferId;
  readonly debit: AccountName;
  readonly credit: AccountName;
  /** More than zero. */
  readonly amount: Micros;
  readonly code: TransferCode;
  /** The payment, quote, top-up or settlement that it belongs to. */
  readonly reference: string;
  /** How long, after its commit, what it brought may be asked back. Without, it is the receiver's at once. */
  readonly maturesAfterSeconds?: number;
}

/** A fact that is committed with a group, under a key that can be written once. `value` is JSON. */
export interface LedgerRecord {
  readonly key: string;
  readonly value: string;
}

/** What must hold when the group is applied, checked inside the same transaction. */
export type Guard =
  /** After the group, `account` must hold no more than `amount`. */
  | { readonly kind: "at_most"; readonly account: AccountName; readonly amount: Micros }
  /** After the group, the balance of `account` plus `slack` must reach the balance of `against`. */
  | {
      readonly kind: "covers";
      readonly account: AccountName;
      readonly against: AccountName;
      readonly slack: Micros;
    }
  /** No record with this key may exist. */
  | { readonly kind: "absent"; readonly key: string }
  /** A record with this key must exist. */
  | { readonly kind: "present"; readonly key: string };

export interface Group {
  /** The idempotency key of the whole. */
  readonly id: TransferId;
  /** A hash of everything that was asked for; a replay must bring the same. */
  readonly fingerprint: string;
  readonly transfers: readonly Transfer[];
  /** JSON that is found by the group's id and by nothing else, so that it costs no index of its own. */
  readonly memo?: string;
  readonly records: readonly LedgerRecord[];
  readonly guards?: readonly Guard[];
}

/** A committed group. */
export interface PostedGroup {
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly memo: string | undefined;
}

export type Rejection =
  /** The transfer with this id exists already, in another group: for a coin, it is spent. */
  | { readonly reason: "transfer_exists"; readonly transferId: TransferId }
  | { readonly reason: "record_exists"; readonly key: string }
  | { readonly reason: "overdraft"; readonly account: AccountName }
  /** `index` into the group's guards. */
  | { readonly reason: "guard"; readonly index: number };

export type GroupOutcome =
  /** `timestamp` (milliseconds, never going back), `memo` and `records` are those of the first time, also on a replay. */
  | {
      readonly status: "committed" | "exists";
      readonly timestamp: number;
      readonly memo: string | undefined;
      readonly records: readonly LedgerRecord[];
    }
  | { readonly status: "conflict" }
  | { readonly status: "rejected"; readonly rejection: Rejection };

/** A committed transfer, with its place in the one order that all transfers have. */
export interface PostedTransfer extends Omit<Transfer, "maturesAfterSeconds"> {
  readonly groupId: TransferId;
  /** Strictly increasing. */
  readonly sequence: number;
  /** Milliseconds since 1970; never decreasing along the sequence. */
  readonly timestamp: number;
  /** Milliseconds since 1970: `timestamp`, and what was asked for on top of it. */
  readonly maturesAt: number;
}

export interface TransferQuery {
  readonly account: AccountName;
  readonly side: "debit" | "credit";
  readonly codes?: readonly TransferCode[];
  readonly afterSequence?: number;
  readonly upToSequence?: number;
  /** Where the page begins: with the oldest, unless it says otherwise. */
  readonly order?: "oldest_first" | "newest_first";
  /** At most 10,000. */
  readonly limit: number;
}

/** Transfers that are added up where they are kept, instead of being handed out. */
export interface SumQuery extends Omit<TransferQuery, "limit" | "order"> {
  /** Milliseconds since 1970. The sum ends before the first group with a transfer that matures later. */
  readonly maturedBy?: number;
  /** Transfers that are looked at, at most: 1,001 to 10,000. */
  readonly limit: number;
}

export interface TransferSum {
  /** Whole ones only: their transfers stand side by side. */
  readonly groups: number;
  readonly amount: Micros;
  /** Of the last transfer that is counted; undefined if none is. */
  readonly lastSequence: number | undefined;
  /** False if the limit ended it: there may be more after `lastSequence`. */
  readonly isComplete: boolean;
}

export interface Ledger {
  /** Resolves when the group is durable, or judged. Duplicates within a batch are judged in order. */
  apply(group: Group): Promise<GroupOutcome>;
  /** Credits less debits. */
  balance(account: AccountName): Promise<Micros>;
  balances(prefix: string): Promise<ReadonlyMap<AccountName, Micros>>;
  record(key: string): Promise<string | undefined>;
  records(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  group(id: TransferId): Promise<PostedGroup | undefined>;
  groups(ids: readonly TransferId[]): Promise<ReadonlyMap<TransferId, PostedGroup>>;
  /** Which of these transfers exist. */
  existing(ids: readonly TransferId[]): Promise<ReadonlySet<TransferId>>;
  /** In sequence, or against it. */
  transfers(query: TransferQuery): Promise<readonly PostedTransfer[]>;
  sum(query: SumQuery): Promise<TransferSum>;
  /** Recomputes every balance from the transfers; what it finds wrong, in words. Empty when all is well. */
  audit(): Promise<LedgerAudit>;
  close(): Promise<void>;
}

export interface LedgerAudit {
  readonly transfers: number;
  readonly trialBalance: readonly {
    readonly account: AccountName;
    readonly debits: Micros;
    readonly credits: Micros;
    readonly balance: Micros;
  }[];
  readonly differences: readonly string[];
}
