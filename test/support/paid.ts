/** Payments and refunds straight in the ledger, with the records that real ones have: many, and of any day. */
import { GATEWAY_CLEARING, merchantAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import type { Group, Ledger } from "../../server/ledger/ledger.ts";
import {
  encodePaymentRecord,
  encodeRefundRecord,
  paymentGroupId,
  refundGroupId,
  refundKey,
  refundTransferId,
} from "../../server/payments/record.ts";
import { type Micros, micros } from "../../shared/money.ts";
import type { PaymentKind } from "../../shared/protocol/x402.ts";

export interface Paid {
  readonly id: string;
  readonly merchant: string;
  readonly resource: string;
  readonly kind: PaymentKind;
  /** One for each coin. */
  readonly coins: readonly bigint[];
}

/** @param number makes the payment's id */
export function paidFor(number: number, rest: Omit<Paid, "id">): Paid {
  return { id: number.toString(16).padStart(32, "0"), ...rest };
}

export async function payAll(ledger: Ledger, payments: readonly Paid[]): Promise<void> {
  await applyAll(ledger, payments.map(paymentGroup));
}

export async function refundAll(ledger: Ledger, payments: readonly Paid[]): Promise<void> {
  await applyAll(ledger, payments.map(refundGroup));
}

async function applyAll(ledger: Ledger, groups: readonly Group[]): Promise<void> {
  for (const { status } of await Promise.all(groups.map((group) => ledger.apply(group))))
    if (status !== "committed") throw new Error(`a payment was ${status}`);
}

const REFUND_WINDOW_SECONDS = 60;

function paymentGroup(paid: Paid): Group {
  const { id, merchant, resource, kind, coins } = paid;
  return {
    id: paymentGroupId(id),
    fingerprint: id,
    transfers: coins.map((coin, index) => ({
      id: deriveId("test coin", id, `${index}`),
      debit: GATEWAY_CLEARING,
      credit: merchantAccount(merchant),
      amount: micros(coin),
      code: "payment",
      reference: id,
      maturesAfterSeconds: REFUND_WINDOW_SECONDS,
    })),
    memo: encodePaymentRecord({
      merchant,
      amount: amountOf(paid),
      currency: "USD",
      resource,
      kind,
      holder: "h".repeat(43),
      refundHash: "0".repeat(64),
      refundWindowSeconds: REFUND_WINDOW_SECONDS,
      change: [],
    }),
    records: [],
  };
}

function refundGroup(paid: Paid): Group {
  return {
    id: refundGroupId(paid.id),
    fingerprint: paid.id,
    transfers: [
      {
        id: refundTransferId(paid.id),
        debit: merchantAccount(paid.merchant),
        credit: GATEWAY_CLEARING,
        amount: amountOf(paid),
        code: "refund",
        reference: paid.id,
      },
    ],
    records: [{ key: refundKey(paid.id), value: encodeRefundRecord({ outputs: [], givenBy: "reader" }) }],
  };
}

export function amountOf({ coins }: Paid): Micros {
  return micros(coins.reduce((total, coin) => total + coin, 0n));
}
