/** A settlement as it is committed, under `settlement:<merchant>:<n>`: sums only, its lines stand in the ledger. */
import * as v from "valibot";
import { micros } from "../../shared/money.ts";
import { currency, merchantId } from "../../shared/protocol/fields.ts";
import type { Ledger } from "../ledger/ledger.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** A sum of many amounts may be larger than any single amount. */
const sum = v.pipe(
  v.string(),
  v.regex(/^(0|[1-9][0-9]{0,17})$/, "not a sum in micros"),
  v.transform((value) => micros(BigInt(value))),
);

export const Settlement = v.object({
  merchant: merchantId,
  number: v.pipe(whole, v.minValue(1)),
  currency,
  /** Milliseconds: every refund window of what is covered ended by then. */
  closedAt: whole,
  /** The payments are those whose transfers come after the first and up to the second. */
  afterSequence: whole,
  upToSequence: whole,
  paymentCount: whole,
  refundCount: whole,
  payments: sum,
  refunds: sum,
  feeBasisPoints: whole,
  fee: sum,
  carryForwardIn: sum,
  payout: sum,
  carryForwardOut: sum,
});
export type Settlement = v.InferOutput<typeof Settlement>;

export const settlementKey = (merchant: string, number: number): string => `settlement:${merchant}:${number}`;

/** How people and paths name it: `the-lantern-3`. */
export const settlementId = (merchant: string, number: number): string => `${merchant}-${number}`;

export function parseSettlementId(
  id: string,
): { readonly merchant: string; readonly number: number } | undefined {
  const [, merchant, number] = /^([a-z0-9][a-z0-9-]{1,39})-([1-9][0-9]{0,6})$/.exec(id) ?? [];
  return merchant === undefined || number === undefined ? undefined : { merchant, number: Number(number) };
}

export function encodeSettlement(settlement: Settlement): string {
  return JSON.stringify(settlementJson(settlement));
}

export function settlementJson(settlement: Settlement): v.InferInput<typeof Settlement> {
  const { payments, refunds, fee, carryForwardIn, payout, carryForwardOut, ...rest } = settlement;
  return {
    ...rest,
    payments: payments.toString(),
    refunds: refunds.toString(),
    fee: fee.toString(),
    carryForwardIn: carryForwardIn.toString(),
    payout: payout.toString(),
    carryForwardOut: carryForwardOut.toString(),
  };
}

export function decodeSettlement(value: string): Settlement {
  return v.parse(Settlement, JSON.parse(value));
}

export async function readSettlement(
  ledger: Ledger,
  merchant: string,
  number: number,
): Promise<Settlement | undefined> {
  const value = await ledger.record(settlementKey(merchant, number));
  return value === undefined ? undefined : decodeSettlement(value);
}
