/**
 * What happened to a merchant since an endpoint was last read on for, from the ledger: nothing is put down when it happens, so
 * nothing can be forgotten by whoever dies in between. An event's id follows from what happened, so that it has the same one
 * however often it is found.
 */
import type { WebhookEventType } from "../../shared/protocol/webhooks.ts";
import { settlementId } from "../../shared/statement.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import { REFUND_CODES } from "../payments/index.ts";
import { readSettlement } from "../settlement/index.ts";

export interface Fact {
  /** As `webhook-id`. */
  readonly id: string;
  readonly type: WebhookEventType;
  readonly subject: string;
  /** Its place among what happened to the subject. */
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly happenedAt: number;
}

/** Up to where a merchant's history was looked through. */
export interface Place {
  readonly sequence: number;
  readonly settlement: number;
}

/** What was found, and where to go on. */
export interface FoundFact {
  readonly fact: Fact;
  readonly next: Place;
}

const PAGE_TRANSFERS = 1_000;
const MAX_SETTLEMENTS = 100;

export async function findFacts(
  ledger: Ledger,
  merchantId: string,
  place: Place,
): Promise<readonly FoundFact[]> {
  const moves = await readMoves(ledger, merchantId, place.sequence);
  const found: FoundFact[] = moves.map(({ first, lastSequence }) => ({
    fact: factOf(first),
    next: { ...place, sequence: lastSequence },
  }));
  const sequence = found.at(-1)?.next.sequence ?? place.sequence;
  for (let number = place.settlement + 1; number <= place.settlement + MAX_SETTLEMENTS; number++) {
    const settlement = await readSettlement(ledger, merchantId, number);
    if (!settlement) break;
    const subject = settlementId(merchantId, number);
    found.push({
      fact: { ...named("settlement.created", subject), position: 0, happenedAt: settlement.closedAt },
      next: { sequence, settlement: number },
    });
  }
  return found;
}

/** The transfers of one payment or refund, which stand side by side. A settlement makes several late refunds in one group. */
interface Move {
  readonly first: PostedTransfer;
  readonly lastSequence: number;
}

/**
 * Payments and refunds in the one order that they have. The ledger is asked twice, and more may happen between: so both answers
 * are taken only as far as both are complete, or a refund could be passed by unseen.
 */
async function readMoves(ledger: Ledger, merchantId: string, afterSequence: number): Promise<Move[]> {
  const read = (side: "credit" | "debit", upToSequence: number | undefined) =>
    ledger.transfers({
      account: merchantAccount(merchantId),
      side,
      codes: side === "credit" ? ["payment"] : REFUND_CODES,
      afterSequence,
      ...(upToSequence === undefined ? {} : { upToSequence }),
      limit: PAGE_TRANSFERS,
    });
  let payments = await read("credit", undefined);
  const refunds = await read("debit", lastOf(payments));
  // No payment was there; some may be before the refunds that are there now.
  if (payments.length === 0) payments = await read("credit", lastOf(refunds) ?? afterSequence);
  const end = Math.min(
    ...[payments, refunds].map((page) =>
      page.length < PAGE_TRANSFERS ? Number.POSITIVE_INFINITY : (lastOf(page) ?? afterSequence),
    ),
  );
  return movesOf(
    [...payments, ...refunds]
      .filter(({ sequence }) => sequence <= end)
      .sort((one, other) => one.sequence - other.sequence),
  );
}

function lastOf(page: readonly PostedTransfer[]): number | undefined {
  return page.at(-1)?.sequence;
}

function movesOf(transfers: readonly PostedTransfer[]): Move[] {
  const moves: Move[] = [];
  for (const transfer of transfers) {
    const before = moves.at(-1);
    if (before?.first.groupId === transfer.groupId && before.first.reference === transfer.reference)
      moves[moves.length - 1] = { ...before, lastSequence: transfer.sequence };
    else moves.push({ first: transfer, lastSequence: transfer.sequence });
  }
  return moves;
}

function factOf({ code, reference, sequence, timestamp }: PostedTransfer): Fact {
  const type = code === "payment" ? "payment.paid" : "payment.refunded";
  return { ...named(type, reference), position: sequence, happenedAt: timestamp };
}

function named(type: WebhookEventType, subject: string): Pick<Fact, "id" | "type" | "subject"> {
  return { id: `evt_${deriveId("webhook event", type, subject)}`, type, subject };
}
