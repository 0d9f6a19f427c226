/**
 * Payouts: what settlements moved to `clearing:payout`, until the bank says that it was sent. Confirming one moves it on
 * to `bank` and commits the bank's reference with it, under `payout:<merchant>:<n>`. The group's id derives from
 * merchant and number, so that a payout is confirmed once, however often and by however many somebody does it.
 */
import * as v from "valibot";
import { sha256, toHex } from "../../shared/bytes.ts";
import { add, type Micros, ZERO } from "../../shared/money.ts";
import { type Settlement, settlementId } from "../../shared/statement.ts";
import { BANK, PAYOUT_CLEARING } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import { decodeSettlement, parseSettlementId, readSettlement, settlementKey } from "./settlement.ts";

/** What a SEPA transfer has room for. */
const MAX_BANK_REFERENCE_LENGTH = 140;

/** How the bank names the transfer, as it stands on its own statement. */
export const BankReference = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(MAX_BANK_REFERENCE_LENGTH),
  v.regex(/^\P{Control}*$/u, "holds a control character"),
);

const PayoutRecord = v.object({ bankReference: BankReference });

export interface Payout {
  /** `the-lantern-3`. */
  readonly settlementId: string;
  readonly settlement: Settlement;
  /** Undefined while it is outstanding. `at` in milliseconds since 1970. */
  readonly confirmed: { readonly at: number; readonly bankReference: string } | undefined;
}

/** The ledger answers at most this many transfers at once. */
const PAGE_TRANSFERS = 10_000;

/** Every payout that was ever settled, the oldest first. */
export async function listPayouts(ledger: Ledger): Promise<Payout[]> {
  const payouts: Payout[] = [];
  let page: readonly PostedTransfer[];
  let afterSequence = 0;
  do {
    page = await ledger.transfers({
      account: PAYOUT_CLEARING,
      side: "credit",
      codes: ["payout"],
      afterSequence,
      limit: PAGE_TRANSFERS,
    });
    const settlements = await ledger.records(page.map(({ reference }) => reference));
    for (const { reference } of page) {
      const value = settlements.get(reference);
      if (value === undefined) throw new Error(`the payout of ${reference} has no record`);
      payouts.push(await readPayout(ledger, decodeSettlement(value)));
    }
    afterSequence = page.at(-1)?.sequence ?? afterSequence;
  } while (page.length === PAGE_TRANSFERS);
  return payouts;
}

/** Undefined if there is no such settlement. Its payout may be zero: then there is nothing to confirm. */
export async function findPayout(ledger: Ledger, id: string): Promise<Payout | undefined> {
  const named = parseSettlementId(id);
  const settlement = named && (await readSettlement(ledger, named.merchant, named.number));
  return settlement && readPayout(ledger, settlement);
}

/** The payout as it stands afterwards; `isNew` if it was confirmed just now, and money moved. */
export async function confirmPayout(
  ledger: Ledger,
  { settlement }: Pick<Payout, "settlement">,
  bankReference: v.InferOutput<typeof BankReference>,
): Promise<{ readonly payout: Payout; readonly isNew: boolean }> {
  const { merchant, number, payout } = settlement;
  const record: v.InferInput<typeof PayoutRecord> = { bankReference };
  const value = JSON.stringify(record);
  const outcome = await ledger.apply({
    id: groupIdOf(settlement),
    fingerprint: toHex(await sha256(value)),
    transfers: [
      {
        id: deriveId("payout confirmed transfer", merchant, String(number)),
        debit: PAYOUT_CLEARING,
        credit: BANK,
        amount: payout,
        code: "payout_confirmed",
        reference: settlementKey(merchant, number),
      },
    ],
    records: [{ key: payoutKey(settlement), value }],
  });
  if (outcome.status === "rejected")
    throw new Error(`${payoutKey(settlement)}: ${JSON.stringify(outcome.rejection)}`);
  // A conflict: it was confirmed before, with another reference, and that one stays.
  return { payout: await readPayout(ledger, settlement), isNew: outcome.status === "committed" };
}

export function totalOfPayouts(payouts: readonly Pick<Payout, "settlement">[]): Micros {
  return payouts.reduce((total, { settlement }) => add(total, settlement.payout), ZERO);
}

async function readPayout(ledger: Ledger, settlement: Settlement): Promise<Payout> {
  const value = await ledger.record(payoutKey(settlement));
  const group = value === undefined ? undefined : await ledger.group(groupIdOf(settlement));
  return {
    settlementId: settlementId(settlement.merchant, settlement.number),
    settlement,
    confirmed:
      value !== undefined && group
        ? { at: group.timestamp, ...v.parse(PayoutRecord, JSON.parse(value)) }
        : undefined,
  };
}

/** Of the record that the bank confirmed it. */
export function payoutKey({ merchant, number }: Settlement): string {
  return `payout:${merchant}:${number}`;
}

function groupIdOf({ merchant, number }: Settlement): string {
  return deriveId("payout confirmed", merchant, String(number));
}
