/**
 * All that is checked before a payment is committed, and the group that commits it. Changes nothing: `/x402/verify`
 * and `/x402/settle` judge alike.
 *
 * Money (design/money.md): coins that fit go float → merchant, coin by coin. Coins worth more go float → clearing,
 * and in the same group clearing → merchant (the amount) and clearing → float (the change), so clearing is zero again.
 */
import type { Bytes } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { add, isPayableInCoins, type Micros, splitIntoCoins, subtract, ZERO } from "../../shared/money.ts";
import type { BlindedMessage } from "../../shared/protocol/cashu.ts";
import { networkOf, type Payment, type PaymentRequirements } from "../../shared/protocol/x402.ts";
import { floatAccount, merchantAccount, PAYMENT_CLEARING } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Group, Transfer } from "../ledger/ledger.ts";
import type { Merchant } from "../merchants/index.ts";
import type { GenuineCoin, PreparedOutputs } from "../mint/index.ts";
import type { PaymentDeps } from "./deps.ts";
import type { OpenedPayment } from "./open.ts";
import { encodePaymentRecord, type PaymentRecord, paymentGroupId } from "./record.ts";
import type { OpenedSeal } from "./seals.ts";

export interface JudgedPayment {
  readonly group: Group;
  readonly record: PaymentRecord;
  /** Of the seal that is paid for; handed out only after the commit. */
  readonly contentKey: Bytes | undefined;
}

/** @throws TuppenceError with whatever is wrong with the payment */
export async function judgePayment(deps: PaymentDeps, opened: OpenedPayment): Promise<JudgedPayment> {
  const { payment, accepted } = opened;
  if (opened.isExpired) throw new TuppenceError("payment_expired");
  checkOffer(deps, accepted);
  if (payment.proofs.some(({ dleq }) => dleq !== undefined)) throw new TuppenceError("coin_has_dleq");
  const merchant = await deps.merchants.get(accepted.payTo);
  if (!merchant) throw new TuppenceError("merchant_unknown", { merchant: accepted.payTo });
  const seal = await readSeal(deps, merchant, opened);
  const coins = await deps.mint.verifyCoins(payment.proofs);
  const change = prepareChange(
    deps,
    payment,
    subtract(add(...coins.map(({ amount }) => amount)), accepted.amount),
  );
  const record = makeRecord(opened, merchant, change?.outputs ?? [], seal);
  return { group: makeGroup(opened, coins, change, record), record, contentKey: seal?.contentKey };
}

function checkOffer(deps: PaymentDeps, accepted: PaymentRequirements): void {
  const { origin, currency, largestPayment } = deps.config;
  if (accepted.extra.provider !== origin) throw new TuppenceError("provider_unknown", { provider: origin });
  if (accepted.network !== networkOf(currency) || accepted.asset !== currency)
    throw new TuppenceError("currency_unknown", { currency });
  if (!isPayableInCoins(accepted.amount)) throw new TuppenceError("amount_not_payable");
  if (accepted.amount > largestPayment)
    throw new TuppenceError("amount_too_large", { largest: largestPayment.toString() });
}

async function readSeal(
  deps: PaymentDeps,
  merchant: Merchant,
  { accepted, resource }: OpenedPayment,
): Promise<OpenedSeal | undefined> {
  if (accepted.extra.seal === undefined) return undefined;
  const seal = await deps.seals.read(accepted.extra.seal, merchant);
  const { claims } = seal;
  const fits =
    claims.resource === resource && claims.amount === accepted.amount && claims.currency === accepted.asset;
  if (!fits) throw new TuppenceError("seal_mismatch");
  return seal;
}

/** The outputs that the change is signed on, with their amounts. Undefined if the coins fit. */
function prepareChange(deps: PaymentDeps, payment: Payment, change: Micros): PreparedOutputs | undefined {
  if (change === ZERO) return undefined;
  if (change < ZERO) throw new TuppenceError("coins_too_small");
  const amounts = splitIntoCoins(change);
  const blanks = payment.outputs ?? [];
  if (!amounts || amounts.length > blanks.length)
    throw new TuppenceError("change_not_possible", { outputs: blanks.length });
  const assigned = blanks
    .slice(0, amounts.length)
    .map((blank, index) => ({ ...blank, amount: amounts[index] ?? ZERO }));
  return deps.mint.prepareOutputs(assigned, payment.paymentId, "promised");
}

function makeRecord(
  { payment, accepted, resource }: OpenedPayment,
  merchant: Merchant,
  change: readonly BlindedMessage[],
  seal: OpenedSeal | undefined,
): PaymentRecord {
  return {
    merchant: merchant.id,
    amount: accepted.amount,
    currency: accepted.asset,
    resource,
    kind: accepted.extra.kind,
    holder: payment.holder,
    refundHash: payment.refundHash,
    refundWindowSeconds: merchant.refundWindowSeconds,
    change: [...change],
    ...(seal ? { sealedKey: seal.claims.sealedKey } : {}),
  };
}

function makeGroup(
  opened: OpenedPayment,
  coins: readonly GenuineCoin[],
  change: PreparedOutputs | undefined,
  record: PaymentRecord,
): Group {
  const { paymentId } = opened.payment;
  const merchant = merchantAccount(record.merchant);
  /** What the merchant gets can be taken back until then. */
  const maturing = { maturesAfterSeconds: record.refundWindowSeconds };
  const spend = (coin: GenuineCoin): Transfer => ({
    id: coin.transferId,
    debit: floatAccount(coin.keysetId),
    credit: change ? PAYMENT_CLEARING : merchant,
    amount: coin.amount,
    code: "payment",
    reference: paymentId,
    ...(change ? {} : maturing),
  });
  const fromClearing = (credit: string, amount: Micros, code: "payment" | "change"): Transfer => ({
    id: deriveId(`payment clearing ${code}`, paymentId),
    debit: PAYMENT_CLEARING,
    credit,
    amount,
    code,
    reference: paymentId,
  });
  return {
    id: paymentGroupId(paymentId),
    fingerprint: opened.fingerprint,
    transfers: [
      ...coins.map(spend),
      ...(change
        ? [
            { ...fromClearing(merchant, record.amount, "payment"), ...maturing },
            fromClearing(floatAccount(change.keysetId), change.total, "change"),
          ]
        : []),
    ],
    memo: encodePaymentRecord(record),
    records: change?.records ?? [],
  };
}
