/**
 * `POST /payments/:id/refund`: whoever knows the preimage takes the money back, inside the merchant's window. The
 * group debits the merchant and records the blank coins; a replay gets the same signatures. See `closing.ts` for why
 * a payment that was settled cannot be refunded.
 */
import * as v from "valibot";
import { fromHex, sha256, toHex } from "../../shared/bytes.ts";
import { canonicalJson } from "../../shared/canonical.ts";
import { TuppenceError } from "../../shared/errors.ts";
import type { BlindedMessage } from "../../shared/protocol/cashu.ts";
import { RefundRequest, type RefundResponse } from "../../shared/protocol/provider.ts";
import { floatAccount, merchantAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Group } from "../ledger/ledger.ts";
import { closingKey, latestClosing, refundWindowEnd } from "./closing.ts";
import type { PaymentDeps } from "./deps.ts";
import {
  decodeRefundRecord,
  encodeRefundRecord,
  type PostedPayment,
  readPayment,
  refundKey,
} from "./record.ts";

export const refundGroupId = (paymentId: string): string => deriveId("refund", paymentId);

/** How often a refund looks again because a settlement closed windows at the same moment. Each time is another closing. */
const MAX_CLOSINGS_MET = 5;

type RefundAnswer = v.InferInput<typeof RefundResponse>;

/** @throws TuppenceError request_invalid, payment_unknown, refund_*, outputs_* */
export async function refundPayment(
  deps: PaymentDeps,
  paymentId: string,
  body: unknown,
): Promise<RefundAnswer> {
  const decoded = v.safeParse(RefundRequest, body);
  if (!decoded.success) throw new TuppenceError("request_invalid");
  const { preimage, outputs } = decoded.output;
  const paid = await readPayment(deps.ledger, paymentId);
  if (!paid) throw new TuppenceError("payment_unknown");
  if (toHex(await sha256(fromHex(preimage))) !== paid.record.refundHash)
    throw new TuppenceError("refund_preimage_invalid");
  const fingerprint = await fingerprintOf(outputs);
  for (let met = 0; met < MAX_CLOSINGS_MET; met++) {
    const answer =
      (await replayRefund(deps, paymentId, fingerprint)) ??
      (await commitRefund(deps, paymentId, paid, outputs, fingerprint));
    if (answer) return answer;
  }
  throw new TuppenceError("overloaded");
}

/** The answer to a refund that was committed, without the checks that it would not pass any more. */
async function replayRefund(
  deps: PaymentDeps,
  paymentId: string,
  fingerprint: string,
): Promise<RefundAnswer | undefined> {
  const committed = await deps.ledger.group(refundGroupId(paymentId));
  if (!committed) return undefined;
  if (committed.fingerprint !== fingerprint) throw new TuppenceError("refund_done");
  const value = await deps.ledger.record(refundKey(paymentId));
  if (value === undefined) throw new Error(`refund of ${paymentId} was committed without its record`);
  return { paymentId, signatures: await deps.mint.sign(decodeRefundRecord(value).outputs) };
}

/** Undefined if a settlement closed windows meanwhile: then it has to be judged again. */
async function commitRefund(
  deps: PaymentDeps,
  paymentId: string,
  paid: PostedPayment,
  outputs: readonly BlindedMessage[],
  fingerprint: string,
): Promise<RefundAnswer | undefined> {
  const { record } = paid;
  const nextClosing = await checkWindow(deps, paid);
  const prepared = deps.mint.prepareOutputs(outputs, paymentId, "promised");
  if (prepared.total !== record.amount)
    throw new TuppenceError("outputs_invalid", { expected: record.amount.toString() });
  const group: Group = {
    id: refundGroupId(paymentId),
    fingerprint,
    transfers: [
      {
        id: deriveId("refund transfer", paymentId),
        debit: merchantAccount(record.merchant),
        credit: floatAccount(prepared.keysetId),
        amount: record.amount,
        code: "refund",
        reference: paymentId,
      },
    ],
    records: [
      { key: refundKey(paymentId), value: encodeRefundRecord({ outputs: [...prepared.outputs] }) },
      ...prepared.records,
    ],
    guards: [{ kind: "absent", key: closingKey(record.merchant, nextClosing) }],
  };
  const outcome = await deps.ledger.apply(group);
  if (outcome.status === "conflict") throw new TuppenceError("refund_done");
  if (outcome.status !== "rejected") return { paymentId, signatures: await deps.mint.sign(prepared.outputs) };
  switch (outcome.rejection.reason) {
    case "guard":
    // Balances are judged before guards: a settlement that was first may have taken the money along.
    case "overdraft":
      return undefined;
    case "record_exists":
      throw new TuppenceError("outputs_signed");
    case "transfer_exists":
      throw new Error(`refund of ${paymentId}: its transfer exists without its group`);
  }
}

/** The number that the next closing will have. */
async function checkWindow(deps: PaymentDeps, { record, timestamp }: PostedPayment): Promise<number> {
  const end = refundWindowEnd(timestamp, record.refundWindowSeconds);
  const closing = await latestClosing(deps.ledger, record.merchant);
  if (deps.now() >= end || (closing && closing.closedAt >= end))
    throw new TuppenceError("refund_window_closed");
  return (closing?.number ?? 0) + 1;
}

async function fingerprintOf(outputs: readonly BlindedMessage[]): Promise<string> {
  return toHex(
    await sha256(canonicalJson(outputs.map(({ amount, id, B_ }) => ({ amount: amount.toString(), id, B_ })))),
  );
}
