/** `POST /x402/verify`: would this payment go through now? Changes nothing, and promises nothing. */
import type * as v from "valibot";
import { ERRORS, TuppenceError } from "../../shared/errors.ts";
import type { VerifyResponse } from "../../shared/protocol/x402.ts";
import { refusalOf } from "./answer.ts";
import type { PaymentDeps } from "./deps.ts";
import { judgePayment } from "./judge.ts";
import { decodeFacilitatorRequest, isSentTooLate, type OpenedPayment, openPayment } from "./open.ts";
import { paymentGroupId } from "./record.ts";

/** @throws TuppenceError request_invalid, amount_invalid */
export async function verifyPayment(
  deps: PaymentDeps,
  body: unknown,
): Promise<v.InferInput<typeof VerifyResponse>> {
  const request = decodeFacilitatorRequest(body);
  let opened: OpenedPayment | undefined;
  try {
    opened = await openPayment(deps, request, body);
    await checkUnspent(deps, opened);
    return { isValid: true, payer: opened.payment.holder };
  } catch (error) {
    const code = refusalOf(error);
    if (!code) throw error;
    const payer = opened ? { payer: opened.payment.holder } : {};
    return {
      isValid: false,
      invalidReason: code,
      invalidMessage: `${ERRORS[code].title} ${ERRORS[code].safe}`,
      ...payer,
    };
  }
}

async function checkUnspent(deps: PaymentDeps, opened: OpenedPayment): Promise<void> {
  const committed = await deps.ledger.group(paymentGroupId(opened.payment.paymentId));
  if (committed?.fingerprint === opened.fingerprint) {
    if (isSentTooLate(opened, committed.timestamp, deps.now())) throw new TuppenceError("payment_used");
    return;
  }
  if (committed) throw new TuppenceError("request_conflict");
  const { group } = await judgePayment(deps, opened);
  const spent = await deps.ledger.existing(group.transfers.map(({ id }) => id));
  if (spent.size > 0) throw new TuppenceError("coin_spent");
  const signed = await deps.ledger.records(group.records.map(({ key }) => key));
  if (signed.size > 0) throw new TuppenceError("outputs_signed");
}
