/**
 * `POST /payments/:id/refund`: whoever knows the preimage takes the money back. The life of a payment's money, once paid:
 *
 *   the merchant's ──(the reader, inside the window)──→ coins
 *        │  └──(the merchant, before its settlement)──→ granted ──(the reader, at any time)──→ coins
 *        │                                                                       └──(nobody, within a year)──→ the merchant's
 *        └──settled──(the merchant: waits for a settlement that can pay it)──→ granted, likewise
 *
 * It leaves the merchant under one transfer's id, whoever gives it back, and so once; what was granted is fetched once
 * under another. Each group records the blank coins; a replay gets the same signatures. See `closing.ts` for why a
 * payment that was settled cannot be taken back, `grant.ts` for what the merchant does.
 */
import * as v from "valibot";
import { fromHex, sha256, toHex } from "../../shared/bytes.ts";
import { canonicalJson } from "../../shared/canonical.ts";
import { TuppenceError } from "../../shared/errors.ts";
import type { BlindedMessage } from "../../shared/protocol/cashu.ts";
import type { RefundReason } from "../../shared/protocol/fields.ts";
import { RefundRequest, type RefundResponse } from "../../shared/protocol/provider.ts";
import {
  CONTROL,
  floatAccount,
  grantedAccount,
  merchantAccount,
  takenBackDayAccount,
} from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Group, Guard, Transfer } from "../ledger/ledger.ts";
import type { PreparedOutputs } from "../mint/index.ts";
import { closingKey, latestClosing, refundWindowEnd } from "./closing.ts";
import type { PaymentDeps } from "./deps.ts";
import {
  askedKey,
  collectionGroupId,
  collectionKey,
  collectionTransferId,
  encodeAskedRecord,
  encodeCollectionRecord,
  encodeRefundRecord,
  type PostedPayment,
  readCollection,
  readPayment,
  readRefund,
  refundGroupId,
  refundKey,
  refundTransferId,
} from "./record.ts";

/** How often a refund looks again because a settlement or the merchant was first at the same moment. Each time is another closing. */
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
  const { preimage, outputs, reason } = decoded.output;
  const paid = await readPayment(deps.ledger, paymentId);
  if (!paid) throw new TuppenceError("payment_unknown");
  if (toHex(await sha256(fromHex(preimage))) !== paid.record.refundHash)
    throw new TuppenceError("refund_preimage_invalid");
  const fingerprint = await fingerprintOf(outputs);
  const asked: Asked = { paymentId, paid, outputs, fingerprint, reason };
  for (let met = 0; met < MAX_CLOSINGS_MET; met++) {
    const given = await readRefund(deps.ledger, paymentId);
    const answer =
      given === undefined
        ? await commitRefund(deps, asked)
        : given.givenBy === "merchant"
          ? await collect(deps, asked)
          : await replay(deps, refundGroupId(paymentId), asked, given.outputs);
    if (answer) return answer;
  }
  throw new TuppenceError("overloaded");
}

interface Asked {
  readonly paymentId: string;
  readonly paid: PostedPayment;
  readonly outputs: readonly BlindedMessage[];
  /** Of the outputs. The reason is no part of it: the first one stands. */
  readonly fingerprint: string;
  readonly reason: RefundReason | undefined;
}

/** The answer to what was committed, without the checks that it would not pass any more. */
async function replay(
  { ledger, mint }: PaymentDeps,
  groupId: string,
  { paymentId, fingerprint }: Asked,
  outputs: readonly BlindedMessage[],
): Promise<RefundAnswer> {
  const committed = await ledger.group(groupId);
  if (committed?.fingerprint !== fingerprint) throw new TuppenceError("refund_done");
  return { paymentId, signatures: await mint.sign(outputs) };
}

/** Undefined if something was first: a settlement that closed windows, or the merchant, who gave it back. Then it is judged again. */
async function commitRefund(deps: PaymentDeps, asked: Asked): Promise<RefundAnswer | undefined> {
  const { paymentId, paid, fingerprint, reason } = asked;
  const { record } = paid;
  const nextClosing = await checkWindow(deps, paymentId, paid);
  const prepared = prepareOutputs(deps, asked);
  const outputs = [...prepared.outputs];
  const refund = encodeRefundRecord({ outputs, givenBy: "reader", ...(reason ? { reason } : {}) });
  const limit = await limitOf(deps, asked);
  const group: Group = {
    id: refundGroupId(paymentId),
    fingerprint,
    transfers: [
      {
        id: refundTransferId(paymentId),
        debit: merchantAccount(record.merchant),
        credit: floatAccount(prepared.keysetId),
        amount: record.amount,
        code: "refund",
        reference: paymentId,
      },
      ...limit.transfers,
    ],
    records: [{ key: refundKey(paymentId), value: refund }, ...prepared.records],
    guards: [{ kind: "absent", key: closingKey(record.merchant, nextClosing) }, ...limit.guards],
  };
  const outcome = await deps.ledger.apply(group);
  if (outcome.status === "conflict") return undefined;
  if (outcome.status !== "rejected") return { paymentId, signatures: await deps.mint.sign(prepared.outputs) };
  switch (outcome.rejection.reason) {
    case "guard":
      if (outcome.rejection.index > 0) await refuseBeyondLimit(deps, asked);
      return undefined;
    // These are judged before guards: a settlement that was first may have taken the money along, or given it back.
    case "overdraft":
    case "transfer_exists":
      return undefined;
    case "record_exists":
      throw new TuppenceError("outputs_signed");
  }
}

/** What readers take back by themselves in a day is counted, where the merchant bounds it: nobody knows who they are. */
async function limitOf(
  deps: PaymentDeps,
  { paymentId, paid: { record } }: Asked,
): Promise<{ readonly transfers: readonly Transfer[]; readonly guards: readonly Guard[] }> {
  const merchant = await deps.merchants.get(record.merchant);
  if (merchant === undefined || merchant.refundsPerDay === null) return { transfers: [], guards: [] };
  const day = new Date(deps.now()).toISOString().slice(0, "2026-11-23".length);
  const account = takenBackDayAccount(merchant.id, day);
  const counted = {
    id: deriveId("taken back", paymentId),
    debit: CONTROL,
    credit: account,
    amount: record.amount,
    code: "control",
    reference: paymentId,
  } as const;
  return { transfers: [counted], guards: [{ kind: "at_most", account, amount: merchant.refundsPerDay }] };
}

/** The merchant is told that it was asked. */
async function refuseBeyondLimit({ ledger }: PaymentDeps, { paymentId, reason }: Asked): Promise<never> {
  await ledger.apply({
    id: deriveId("refund asked for", paymentId),
    fingerprint: "asked for",
    transfers: [],
    records: [{ key: askedKey(paymentId), value: encodeAskedRecord(reason) }],
  });
  throw new TuppenceError("refund_limit");
}

/** What the merchant gave back is the reader's, at any time. Undefined if another request was first. */
async function collect(deps: PaymentDeps, asked: Asked): Promise<RefundAnswer | undefined> {
  const { paymentId, paid, fingerprint } = asked;
  const { merchant, amount } = paid.record;
  const id = collectionGroupId(paymentId);
  const collection = await readCollection(deps.ledger, paymentId);
  if (collection?.isFetched === false) throw new TuppenceError("refund_window_closed");
  if (collection) return replay(deps, id, asked, collection.outputs);
  const { keysetId, outputs, records } = prepareOutputs(deps, asked);
  const outcome = await deps.ledger.apply({
    id,
    fingerprint,
    transfers: [
      {
        id: collectionTransferId(paymentId),
        debit: grantedAccount(merchant),
        credit: floatAccount(keysetId),
        amount,
        code: "refund_collected",
        reference: paymentId,
      },
    ],
    records: [
      {
        key: collectionKey(paymentId),
        value: encodeCollectionRecord({ outputs: [...outputs], isFetched: true }),
      },
      ...records,
    ],
  });
  if (outcome.status === "conflict") return undefined;
  if (outcome.status !== "rejected") return { paymentId, signatures: await deps.mint.sign(outputs) };
  switch (outcome.rejection.reason) {
    // It went back to the merchant at this moment.
    case "transfer_exists":
      return undefined;
    case "record_exists":
      throw new TuppenceError("outputs_signed");
    case "overdraft":
    case "guard":
      throw new Error(`refund of ${paymentId} was granted, and is not there`);
  }
}

function prepareOutputs(deps: PaymentDeps, { paymentId, paid, outputs }: Asked): PreparedOutputs {
  const prepared = deps.mint.prepareOutputs(outputs, paymentId, "promised");
  const { amount } = paid.record;
  if (prepared.total !== amount) throw new TuppenceError("outputs_invalid", { expected: amount.toString() });
  return prepared;
}

/** The number that the next closing will have. */
async function checkWindow(
  deps: PaymentDeps,
  paymentId: string,
  { record, timestamp }: PostedPayment,
): Promise<number> {
  const end = refundWindowEnd(timestamp, record.refundWindowSeconds);
  const closing = await latestClosing(deps.ledger, record.merchant);
  const isOpen = deps.now() < end && (!closing || closing.closedAt < end);
  if (isOpen) return (closing?.number ?? 0) + 1;
  // Who asked in time is not told that it was too late: the merchant still has it in the list.
  const wasAsked = await deps.ledger.record(askedKey(paymentId));
  throw new TuppenceError(wasAsked === undefined ? "refund_window_closed" : "refund_limit");
}

async function fingerprintOf(outputs: readonly BlindedMessage[]): Promise<string> {
  return toHex(
    await sha256(canonicalJson(outputs.map(({ amount, id, B_ }) => ({ amount: amount.toString(), id, B_ })))),
  );
}
