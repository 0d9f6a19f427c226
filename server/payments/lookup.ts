/** `POST /payments/:id`: the holder of the payment's key asks for its answer again, at any time. */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { verifySelfSigned } from "../../shared/jws.ts";
import { HolderLookupClaims, PaymentLookup } from "../../shared/protocol/provider.ts";
import type { SettleResponseJson } from "../../shared/protocol/x402.ts";
import { HOLDER_PROOF_SECONDS } from "../../shared/receipt.ts";
import { answerPayment, committedContentKey, isRefunded } from "./answer.ts";
import type { PaymentDeps } from "./deps.ts";
import { type PaymentRecord, readPayment } from "./record.ts";

/** @throws TuppenceError request_invalid, holder_invalid, clock_skew, payment_unknown, and with a seal: seal_*, refund_done */
export async function lookUpPayment(
  deps: PaymentDeps,
  paymentId: string,
  body: unknown,
): Promise<SettleResponseJson> {
  const decoded = v.safeParse(PaymentLookup, body);
  if (!decoded.success) throw new TuppenceError("request_invalid");
  const { proof, seal } = decoded.output;
  const holder = await verifyHolder(deps, paymentId, proof);
  const paid = await readPayment(deps.ledger, paymentId);
  if (!paid) throw new TuppenceError("payment_unknown");
  const { record, timestamp } = paid;
  if (record.holder !== holder) throw new TuppenceError("holder_invalid");
  const contentKey =
    seal === undefined
      ? await committedContentKey(deps, paymentId, record)
      : await openLaterSeal(deps, paymentId, record, seal);
  return answerPayment(deps, paymentId, record, timestamp, contentKey);
}

/** The thumbprint of the key that signed the proof. */
async function verifyHolder(deps: PaymentDeps, paymentId: string, proof: string): Promise<string> {
  const verified = await verifySelfSigned("tuppence-holder+jwt", proof, HolderLookupClaims);
  if (!verified || verified.claims.aud !== deps.config.origin || verified.claims.jti !== paymentId)
    throw new TuppenceError("holder_invalid");
  const serverTime = Math.floor(deps.now() / 1_000);
  if (Math.abs(verified.claims.iat - serverTime) > HOLDER_PROOF_SECONDS)
    throw new TuppenceError("clock_skew", { serverTime });
  return verified.thumbprint;
}

/** A receipt for a sealed article opens every later seal of it, whatever its price then: nobody pays for a correction. */
async function openLaterSeal(
  deps: PaymentDeps,
  paymentId: string,
  record: PaymentRecord,
  seal: string,
): Promise<Bytes> {
  if (await isRefunded(deps, paymentId)) throw new TuppenceError("refund_done");
  const merchant = await deps.merchants.get(record.merchant);
  if (!merchant) throw new TuppenceError("merchant_unknown", { merchant: record.merchant });
  const { claims, contentKey } = await deps.seals.read(seal, merchant);
  if (!record.sealedKey || claims.resource !== record.resource) throw new TuppenceError("seal_mismatch");
  return contentKey;
}
