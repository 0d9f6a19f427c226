/**
 * What was added up, in the provider's database (`0010-revenue.sql`). It holds nothing that the ledger does
 * not say, and is made again from it for whoever has no cursor.
 */
import type { CountingDeps } from "./deps.ts";

type Tables = {
  revenue_cursors: {
    merchant_id: string;
    credit_sequence: bigint;
    debit_sequence: bigint;
  };
  revenue: {
    merchant_id: string;
    span: "day" | "article_day" | "article_month";
    start: string;
    article: string;
    kind: string;
    payment_count: bigint;
    payments: bigint;
    refund_count: bigint;
    refunds: bigint;
  };
  revenue_articles: { merchant_id: string; article: string; resource: string };
  /** A view: what is inserted is counted, and moves the cursor, once. */
  revenue_advances: {
    merchant_id: string;
    credit_from: bigint;
    credit_to: bigint;
    debit_from: bigint;
    debit_to: bigint;
    sums: string;
    articles: string;
  };
};

/** Stands for all articles of a day together. */
export const EVERY_ARTICLE = "";

export function tables({ database }: Pick<CountingDeps, "database">) {
  return database.$extendTables<Tables>();
}

export interface Cursor {
  readonly credit: number;
  readonly debit: number;
}

export async function readCursor(deps: Pick<CountingDeps, "database">, merchant: string): Promise<Cursor> {
  const row = await tables(deps)
    .selectFrom("revenue_cursors")
    .select(["credit_sequence", "debit_sequence"])
    .where("merchant_id", "=", merchant)
    .executeTakeFirst();
  return { credit: Number(row?.credit_sequence ?? 0), debit: Number(row?.debit_sequence ?? 0) };
}
