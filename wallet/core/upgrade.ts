/** From the rows of one version of the store to those of the next, where their shape changed. */

import { dayOf } from "../../shared/calendar.ts";
import { type Micros, ZERO } from "../../shared/money.ts";
import type { StoreTables } from "./ports.ts";
import type { AllowanceRow, PaymentRow } from "./rows.ts";
import { recount } from "./spending.ts";

/** An allowance as the first version had it. */
type FirstAllowance = Pick<AllowanceRow, "origin" | "merchant" | "merchantName" | "at"> & {
  readonly limit?: Micros;
  readonly spent?: Micros;
};

/**
 * The first version had allowances of one sum, once: they stay that, because nobody agreed to more. Its payments get the day
 * in which they count, and what was spent is counted from them.
 */
export async function upgradeFromFirst(tables: StoreTables): Promise<void> {
  const [allowances, payments] = await Promise.all([tables.allowances.all(), tables.payments.all()]);
  await tables.allowances.putAll(allowances.map(renewed));
  await tables.payments.putAll(
    payments.map((payment): PaymentRow => ({ ...payment, day: dayOf(payment.at) })),
  );
  await recount(tables);
}

function renewed(allowance: FirstAllowance): AllowanceRow {
  const { origin, merchant, merchantName, at, limit = ZERO, spent = ZERO } = allowance;
  return {
    origin,
    merchant,
    merchantName,
    perPayment: undefined,
    perDay: undefined,
    perMonth: undefined,
    total: { limit, spent },
    at,
  };
}
