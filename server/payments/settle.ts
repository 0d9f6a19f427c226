/**
 * `POST /x402/settle`: the moment in which a payment happens. Judge, commit, and only then sign and answer. Whoever
 * sends the same payment again, after any failure, gets the answer that was committed the first time, even where the
 * payment would be refused by now (merchant gone, seal outdated). What a site carries only for a while (`isSentTooLate`).
 */
import { ERRORS, type ErrorCode, TuppenceError } from "../../shared/errors.ts";
import type { SettleResponseJson } from "../../shared/protocol/x402.ts";
import type { Rejection } from "../ledger/ledger.ts";
import { answerPayment, committedContentKey, refusalOf } from "./answer.ts";
import type { PaymentDeps } from "./deps.ts";
import { judgePayment } from "./judge.ts";
import { decodeFacilitatorRequest, isSentTooLate, type OpenedPayment, openPayment } from "./open.ts";
import { paymentRecordOf, readPayment } from "./record.ts";

/** `replayed`: it was paid before, and the same bytes came again. */
export type PaymentOutcome = "paid" | "replayed" | ErrorCode;

export interface SettledPayment {
  readonly answer: SettleResponseJson;
  readonly outcome: PaymentOutcome;
}

/** @throws TuppenceError request_invalid, amount_invalid: what is wrong with the payment itself is an answer */
export async function settlePayment(deps: PaymentDeps, body: unknown): Promise<SettledPayment> {
  const request = decodeFacilitatorRequest(body);
  let opened: OpenedPayment | undefined;
  try {
    opened = await openPayment(deps, request, body);
    return await commitPayment(deps, opened);
  } catch (error) {
    const code = refusalOf(error);
    if (!code) throw error;
    const committed = opened && (await replayPayment(deps, opened));
    if (typeof committed === "object") return { answer: committed, outcome: "replayed" };
    const outcome = committed ?? code;
    return { answer: refusal(outcome, request.paymentPayload.accepted.network, opened), outcome };
  }
}

async function commitPayment(deps: PaymentDeps, opened: OpenedPayment): Promise<SettledPayment> {
  const { paymentId } = opened.payment;
  const { group, contentKey } = await judgePayment(deps, opened);
  const outcome = await deps.ledger.apply(group);
  if (outcome.status === "rejected") throw new TuppenceError(codeOf(outcome.rejection));
  if (outcome.status === "conflict") throw new TuppenceError("request_conflict");
  const record = paymentRecordOf(outcome, paymentId);
  const isNew = outcome.status === "committed";
  if (!isNew && isSentTooLate(opened, outcome.timestamp, deps.now())) throw new TuppenceError("payment_used");
  const key = isNew ? contentKey : await committedContentKey(deps, paymentId, record);
  return {
    answer: await answerPayment(deps, paymentId, record, outcome.timestamp, key),
    outcome: isNew ? "paid" : "replayed",
  };
}

/** The committed answer, or why there is none any more, if exactly this payment was committed. */
async function replayPayment(
  deps: PaymentDeps,
  opened: OpenedPayment,
): Promise<SettleResponseJson | ErrorCode | undefined> {
  const { paymentId } = opened.payment;
  const paid = await readPayment(deps.ledger, paymentId);
  if (paid?.fingerprint !== opened.fingerprint) return undefined;
  const { record, timestamp } = paid;
  if (isSentTooLate(opened, timestamp, deps.now())) return "payment_used";
  return answerPayment(
    deps,
    paymentId,
    record,
    timestamp,
    await committedContentKey(deps, paymentId, record),
  );
}

function codeOf(rejection: Rejection): ErrorCode {
  switch (rejection.reason) {
    case "transfer_exists":
    case "overdraft":
      return "coin_spent";
    case "record_exists":
      return "outputs_signed";
    case "guard":
      throw new Error("a payment has no guards");
  }
}

function refusal(code: ErrorCode, network: string, opened: OpenedPayment | undefined): SettleResponseJson {
  const { title, safe } = ERRORS[code];
  return {
    success: false,
    errorReason: code,
    errorMessage: `${title} ${safe}`,
    transaction: opened?.payment.paymentId ?? "",
    network,
    ...(opened ? { payer: opened.payment.holder } : {}),
  };
}
