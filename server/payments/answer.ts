/** The answer to a payment, made from what was committed with it, so that a replay gives the same bytes. */
import { type Bytes, toBase64url } from "../../shared/bytes.ts";
import { ERRORS, type ErrorCode, TuppenceError } from "../../shared/errors.ts";
import { networkOf, type SettleResponseJson } from "../../shared/protocol/x402.ts";
import { issueReceipt } from "../../shared/receipt.ts";
import type { PaymentDeps } from "./deps.ts";
import { type PaymentRecord, readCollection, refundKey } from "./record.ts";

/** @param timestamp the ledger's, milliseconds */
export async function answerPayment(
  deps: PaymentDeps,
  paymentId: string,
  record: PaymentRecord,
  timestamp: number,
  contentKey: Bytes | undefined,
): Promise<SettleResponseJson> {
  const [receipt, change] = await Promise.all([
    issueReceipt(
      {
        iss: deps.config.origin,
        aud: record.merchant,
        jti: paymentId,
        sub: record.holder,
        cnf: { jkt: record.holder },
        amount: record.amount,
        currency: record.currency,
        resource: record.resource,
        kind: record.kind,
        iat: Math.floor(timestamp / 1_000),
      },
      deps.secrets.signingKey,
    ),
    record.change.length === 0 ? undefined : deps.mint.sign(record.change),
  ]);
  return {
    success: true,
    transaction: paymentId,
    network: networkOf(record.currency),
    payer: record.holder,
    amount: record.amount.toString(),
    extensions: {
      tuppence: {
        receipt,
        ...(change ? { change } : {}),
        ...(contentKey ? { contentKey: toBase64url(contentKey) } : {}),
      },
    },
  };
}

/** The key of what was paid for. None after a refund: whoever took the money back has no claim to the article. */
export async function committedContentKey(
  deps: PaymentDeps,
  paymentId: string,
  record: PaymentRecord,
): Promise<Bytes | undefined> {
  if (!record.sealedKey || (await isRefunded(deps, paymentId))) return undefined;
  return deps.seals.open({ iss: record.merchant, resource: record.resource, sealedKey: record.sealedKey });
}

/** Not where the merchant gave it back and nobody fetched it in time: then it counts again. */
export async function isRefunded(
  { ledger }: Pick<PaymentDeps, "ledger">,
  paymentId: string,
): Promise<boolean> {
  if ((await ledger.record(refundKey(paymentId))) === undefined) return false;
  return (await readCollection(ledger, paymentId))?.isFetched !== false;
}

/** The code, if the error is about the payment itself; a provider that is busy or broken answers as a problem instead. */
export function refusalOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof TuppenceError)) return undefined;
  return ERRORS[error.code].status >= 500 || error.code === "rate_limited" ? undefined : error.code;
}
