/** What a merchant is told of its money: revenue over time and by article, payments, what is still to be paid, statements. */
import * as v from "valibot";
import { amount, currency, id128, RefundReason, signedSum, sum, url } from "./fields.ts";
import { PaymentKind } from "./x402.ts";

const MAX_PAGE_PAYMENTS = 200;
export const MAX_ARTICLES = 500;
/** Ten years. */
const MAX_REVENUE_DAYS = 3_660;
const DAY_MILLISECONDS = 86_400_000;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = whole;
/** A whole number in an address. */
const digits = v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/, "not a whole number"), v.transform(Number));
/** As it is in UTC: 2026-11-30. */
const day = v.pipe(
  v.string(),
  v.regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, "not a day"),
  v.check((value) => isDay(value), "not a day"),
);

/** Both days included. */
export const RevenueQuery = v.pipe(
  v.object({
    from: day,
    to: day,
    by: v.picklist(["day", "article"]),
    /** Of articles. What is left after refunds, unless it says otherwise. */
    sort: v.optional(v.picklist(["net", "payments", "refunds"]), "net"),
    limit: v.optional(v.pipe(digits, v.minValue(1), v.maxValue(MAX_ARTICLES)), "100"),
  }),
  v.check(({ from, to }) => from <= to && daysBetween(from, to) < MAX_REVENUE_DAYS, "not a stretch of days"),
);
export type RevenueQuery = v.InferOutput<typeof RevenueQuery>;

/** A refund counts when it was made, not when its payment was. */
const figures = { paymentCount: whole, payments: sum, refundCount: whole, refunds: sum };
export const Figures = v.object(figures);
export type Figures = v.InferOutput<typeof Figures>;

const common = {
  currency,
  from: day,
  to: day,
  /** False while what was paid is still being added up: then there is more than this. */
  isComplete: v.boolean(),
};
export const RevenueByDay = v.object({
  ...common,
  /** Days on which nothing moved are left out. */
  days: v.array(v.object({ day, kind: PaymentKind, ...figures })),
});
export const RevenueByArticle = v.object({
  ...common,
  /** How many there are, of which the first are told. */
  articleCount: whole,
  articles: v.array(v.object({ resource: v.string(), kind: PaymentKind, ...figures })),
});

export const PaymentsQuery = v.object({
  /** Older than the payment with this place. */
  before: v.optional(v.pipe(digits, v.minValue(1))),
  limit: v.optional(v.pipe(digits, v.minValue(1), v.maxValue(MAX_PAGE_PAYMENTS)), "50"),
});
export type PaymentsQuery = v.InferOutput<typeof PaymentsQuery>;

export const PaymentPage = v.object({
  currency,
  /** Newest first. */
  payments: v.array(
    v.object({
      id: id128,
      /** Its place among all that ever moved. */
      sequence: whole,
      paidAt: time,
      resource: url,
      kind: PaymentKind,
      amount,
      /** Also where the reader has not fetched yet what the merchant gave. */
      refundedAt: v.nullable(time),
      refund: v.nullable(
        v.object({
          /**
           * `asked`: by a reader, beyond what they take back by themselves: the merchant may give it.
           * `waiting`: given, and for a settlement to pay. `granted`: not fetched yet. `returned`: the reader has it.
           * `uncollected`: nobody fetched it in time, and it is the merchant's again.
           */
          state: v.picklist(["asked", "waiting", "granted", "returned", "uncollected"]),
          givenBy: v.picklist(["reader", "merchant"]),
          reason: v.nullable(RefundReason),
        }),
      ),
    }),
  ),
  /** Whether there are older ones. */
  hasMore: v.boolean(),
});
export type PaymentPage = v.InferInput<typeof PaymentPage>;

/** The first three and what was not collected, less the fee and the late refunds, are what is to be paid, or nothing where those are more. */
export const MerchantBalance = v.object({
  currency,
  /** What settlements left over, its fee taken. */
  carriedForward: sum,
  /** Payments that no reader can take back any more, and no settlement has taken yet, less refunds. */
  matured: signedSum,
  /** Payments that readers can still take back. */
  maturing: signedSum,
  fee: sum,
  /** Given back of payments that were settled before, and not paid yet: they come before the next payout. */
  lateRefunds: sum,
  /** Given back, and fetched by nobody in time: it comes with the next settlement, without a fee. */
  uncollected: sum,
  toBePaid: signedSum,
  feeBasisPoints: whole,
  payoutMinimum: amount,
  nextPayout: v.variant("state", [
    v.object({
      state: v.literal("expected"),
      amount: sum,
      /** Milliseconds; null where the operator settles by hand. */
      atLatest: v.nullable(time),
    }),
    v.object({ state: v.literal("nothing") }),
    v.object({ state: v.literal("below_minimum"), missing: sum }),
  ]),
});
export type MerchantBalance = v.InferInput<typeof MerchantBalance>;

export const StatementsQuery = v.object({
  before: v.optional(v.pipe(digits, v.minValue(1))),
  limit: v.optional(v.pipe(digits, v.minValue(1), v.maxValue(MAX_PAGE_PAYMENTS)), "24"),
});

export const StatementPage = v.object({
  currency,
  /** Newest first. */
  statements: v.array(
    v.object({
      number: v.pipe(whole, v.minValue(1)),
      closedAt: time,
      paymentCount: whole,
      payments: sum,
      refundCount: whole,
      refunds: sum,
      /** Of payments of statements before. */
      lateRefundCount: whole,
      lateRefunds: sum,
      /** Given back before, and fetched by nobody. */
      uncollectedCount: whole,
      uncollected: sum,
      fee: sum,
      payout: sum,
      carryForwardOut: sum,
      /** When the bank confirmed it; null before, and where nothing is paid out. */
      paidOutAt: v.nullable(time),
      /** Addresses at this origin. */
      json: v.string(),
      csv: v.string(),
    }),
  ),
  hasMore: v.boolean(),
});
export type StatementPage = v.InferInput<typeof StatementPage>;

/** The day that a moment belongs to, in UTC. */
export function utcDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MILLISECONDS);
}

function isDay(value: string): boolean {
  const milliseconds = Date.parse(value);
  return !Number.isNaN(milliseconds) && utcDay(milliseconds) === value;
}
