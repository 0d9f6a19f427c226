/** Rows of sums as they are told. */
import * as v from "valibot";
import type { Figures } from "../../shared/protocol/revenue.ts";
import { PaymentKind } from "../../shared/protocol/x402.ts";

export interface FigureRow {
  readonly payment_count: bigint;
  readonly payments: bigint;
  readonly refund_count: bigint;
  readonly refunds: bigint;
}

export function figuresOf(row: FigureRow): v.InferInput<typeof Figures> {
  return {
    paymentCount: Number(row.payment_count),
    payments: row.payments.toString(),
    refundCount: Number(row.refund_count),
    refunds: row.refunds.toString(),
  };
}

/** @throws v.ValiError on what this program did not write */
export function kindOf(value: string): PaymentKind {
  return v.parse(PaymentKind, value);
}
