/**
 * That what was added up is what the ledger says, to the micro, up to where it was added up; and that days, months and
 * articles say the same.
 */

import { sql } from "kysely";
import { micros } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { MerchantStore } from "../merchants/index.ts";
import { REFUND_CODES } from "../payments/index.ts";
import { sumAll } from "../settlement/index.ts";
import type { CountingDeps } from "./deps.ts";
import { readCursor, tables } from "./tables.ts";

/** The differences, in words. Empty when all is well. */
export async function auditRevenue(
  deps: CountingDeps & { readonly merchants: Pick<MerchantStore, "list"> },
): Promise<string[]> {
  const differences: string[] = [];
  for (const { id } of await deps.merchants.list()) differences.push(...(await auditMerchant(deps, id)));
  return differences;
}

async function auditMerchant(deps: CountingDeps, merchant: string): Promise<string[]> {
  for (;;) {
    const before = await readCursor(deps, merchant);
    const counted = await readCounted(deps, merchant);
    const after = await readCursor(deps, merchant);
    // Somebody went on adding up meanwhile: what was read is of no one moment.
    if (before.credit !== after.credit || before.debit !== after.debit) continue;
    const account = merchantAccount(merchant);
    const paid = await sumUpTo(deps, { account, side: "credit", codes: ["payment"] }, after.credit);
    const refunded = await sumUpTo(deps, { account, side: "debit", codes: REFUND_CODES }, after.debit);
    const back = await sumUpTo(
      deps,
      { account, side: "credit", codes: ["refund_uncollected"] },
      after.credit,
    );
    const expected = `${paid.count} payments of ${paid.amount + back.amount}, ${refunded.count} refunds of ${refunded.amount}`;
    return counted
      .filter(({ says }) => says !== expected)
      .map(({ of, says }) => `revenue of ${merchant} by ${of}: says ${says}; the ledger, ${expected}`);
  }
}

async function sumUpTo(
  { ledger }: CountingDeps,
  query: Omit<Parameters<typeof sumAll>[1], "upToSequence">,
  upToSequence: number,
) {
  // Zero would be the beginning of everything, and not the end of nothing.
  return upToSequence === 0 ? { count: 0, amount: micros(0) } : sumAll(ledger, { ...query, upToSequence });
}

async function readCounted(deps: CountingDeps, merchant: string) {
  const total = (column: string) => sql<bigint>`cast(coalesce(sum(${sql.ref(column)}), 0) AS bigint)`;
  const sumOf = async (of: string, span: "day" | "article_day" | "article_month") => {
    const row = await tables(deps)
      .selectFrom("revenue")
      .select([
        total("payment_count").as("payment_count"),
        total("payments").as("payments"),
        total("refund_count").as("refund_count"),
        total("refunds").as("refunds"),
      ])
      .where("merchant_id", "=", merchant)
      .where("span", "=", span)
      .executeTakeFirstOrThrow();
    const says = `${row.payment_count} payments of ${row.payments}, ${row.refund_count} refunds of ${row.refunds}`;
    return { of, says };
  };
  return [
    await sumOf("day", "day"),
    await sumOf("day and article", "article_day"),
    await sumOf("month and article", "article_month"),
  ];
}
