/** What an event says, read from the ledger each time: the same bytes at every attempt. */
import type { WebhookPayloadJson } from "../../shared/protocol/webhooks.ts";
import type { Mode } from "../config.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readPayment, readRefund } from "../payments/index.ts";
import { parseSettlementId, readSettlement } from "../settlement/index.ts";
import type { QueuedEvent } from "./queue.ts";

type Told = Pick<QueuedEvent, "type" | "subject" | "happenedAt">;

/** In test mode it says so, as its first word after the type; live events are as they always were. */
export async function payloadOf(ledger: Ledger, merchant: string, event: Told, mode: Mode): Promise<string> {
  const { type, ...rest } = await compose(ledger, merchant, event);
  return JSON.stringify({ type, ...(mode === "test" ? { mode } : {}), ...rest });
}

async function compose(
  ledger: Ledger,
  merchant: string,
  { type, subject, happenedAt }: Told,
): Promise<WebhookPayloadJson> {
  const timestamp = isoTime(happenedAt);
  switch (type) {
    case "payment.paid":
      return { type, timestamp, data: await readPaid(ledger, merchant, subject) };
    case "payment.refunded": {
      const refund = await readRefund(ledger, subject);
      if (!refund) throw new Error("a webhook tells of a refund that is not there");
      const { givenBy, reason = null } = refund;
      const data = { ...(await readPaid(ledger, merchant, subject)), refundedAt: timestamp, givenBy, reason };
      return { type, timestamp, data };
    }
    case "settlement.created":
      return { type, timestamp, data: await readSettled(ledger, subject) };
    case "test":
      return { type, timestamp, data: { merchant } };
  }
}

async function readPaid(ledger: Ledger, merchant: string, paymentId: string) {
  const paid = await readPayment(ledger, paymentId);
  if (paid?.record.merchant !== merchant) throw new Error("a webhook tells of a payment that is not there");
  const { amount, currency, resource, kind } = paid.record;
  return {
    merchant,
    paymentId,
    amount: amount.toString(),
    currency,
    resource,
    kind,
    paidAt: isoTime(paid.timestamp),
  };
}

async function readSettled(ledger: Ledger, id: string) {
  const named = parseSettlementId(id);
  const settlement = named && (await readSettlement(ledger, named.merchant, named.number));
  if (!settlement) throw new Error("a webhook tells of a settlement that is not there");
  return {
    merchant: settlement.merchant,
    settlementId: id,
    number: settlement.number,
    currency: settlement.currency,
    closedAt: isoTime(settlement.closedAt),
    paymentCount: settlement.paymentCount,
    refundCount: settlement.refundCount,
    payments: settlement.payments.toString(),
    refunds: settlement.refunds.toString(),
    fee: settlement.fee.toString(),
    lateRefundCount: settlement.lateRefundCount,
    lateRefunds: settlement.lateRefunds.toString(),
    uncollectedCount: settlement.uncollectedCount,
    uncollected: settlement.uncollected.toString(),
    carryForwardIn: settlement.carryForwardIn.toString(),
    payout: settlement.payout.toString(),
    carryForwardOut: settlement.carryForwardOut.toString(),
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
