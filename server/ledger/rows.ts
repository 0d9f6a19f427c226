/** What comes out of a database is checked where it comes out; whole numbers are `bigint`, always. */
import * as v from "valibot";
import { micros } from "../../shared/money.ts";
import type { Books } from "./audit.ts";
import type { PostedGroup, PostedTransfer, TransferCode, TransferSum } from "./ledger.ts";

export type Row = Record<string, unknown>;

export function text(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== "string") throw new Error(`the ledger's column ${column} is not text`);
  return value;
}

export function integer(row: Row | undefined, column: string): bigint {
  const value = row?.[column];
  if (typeof value !== "bigint") throw new Error(`the ledger's column ${column} is not an integer`);
  return value;
}

function textOrNull(row: Row | undefined, column: string): string | undefined {
  return row?.[column] === null ? undefined : text(row, column);
}

export function postedGroup(row: Row): PostedGroup {
  return {
    fingerprint: text(row, "fingerprint"),
    timestamp: Number(integer(row, "timestamp")),
    memo: textOrNull(row, "memo"),
  };
}

export function postedTransfer(row: Row): PostedTransfer {
  const timestamp = Number(integer(row, "timestamp"));
  return {
    id: text(row, "id"),
    groupId: text(row, "group_id"),
    debit: text(row, "debit"),
    credit: text(row, "credit"),
    amount: micros(integer(row, "amount")),
    code: transferCode(text(row, "code")),
    reference: text(row, "reference"),
    sequence: Number(integer(row, "sequence")),
    timestamp,
    maturesAt: Math.max(timestamp, Number(integer(row, "matures_at"))),
  };
}

export function transferSum(row: Row | undefined, isComplete: boolean): TransferSum {
  const { last_sequence: last } = row ?? {};
  return {
    groups: Number(integer(row, "groups")),
    amount: micros(integer(row, "amount")),
    lastSequence: typeof last === "bigint" ? Number(last) : undefined,
    isComplete,
  };
}

/** What each adapter's three questions and its count answered. */
export function books({
  accounts,
  issued,
  strays,
  count,
}: {
  readonly accounts: readonly Row[];
  readonly issued: readonly Row[];
  readonly strays: readonly Row[];
  readonly count: Row | undefined;
}): Books {
  return {
    transfers: Number(integer(count, "transfers")),
    accounts: accounts.map((row) => ({
      account: text(row, "name"),
      debits: integer(row, "debits"),
      credits: integer(row, "credits"),
      debited: integer(row, "debited"),
      credited: integer(row, "credited"),
      wasChargedBack: integer(row, "chargebacks") > 0n,
    })),
    issued: new Map(issued.map((row) => [text(row, "keyset"), integer(row, "issued")])),
    strays: strays.map((row) => text(row, "id")),
  };
}

const TRANSFER_CODES: Readonly<Record<TransferCode, true>> = {
  top_up: true,
  withdraw: true,
  payment: true,
  change: true,
  swap: true,
  deposit: true,
  refund: true,
  late_refund: true,
  refund_collected: true,
  refund_uncollected: true,
  fee: true,
  payout: true,
  payout_confirmed: true,
  chargeback: true,
  redemption: true,
  write_off: true,
  control: true,
};

function isTransferCode(code: string): code is TransferCode {
  return Object.hasOwn(TRANSFER_CODES, code);
}

function transferCode(code: string): TransferCode {
  if (!isTransferCode(code)) throw new Error(`the ledger holds a transfer with the unknown code ${code}`);
  return code;
}

/** A JSON list of keys. */
export function recordKeys(json: string): string[] {
  return v.parse(RecordKeys, JSON.parse(json));
}

const RecordKeys = v.array(v.string());
