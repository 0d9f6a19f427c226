/** Revenue by article, the best ones first, tips apart. */
import { sql } from "kysely";
import type * as v from "valibot";
import type { RevenueByArticle, RevenueQuery } from "../../shared/protocol/revenue.ts";
import type { RevenueDeps } from "./deps.ts";
import { figuresOf, kindOf } from "./figures.ts";
import { type Span, spansOf } from "./spans.ts";
import { tables } from "./tables.ts";

type Articles = Pick<v.InferInput<typeof RevenueByArticle>, "articleCount" | "articles">;

const total = (column: string) => sql<bigint>`cast(sum(${sql.ref(column)}) AS bigint)`;

const ORDERS = {
  net: sql`sum(payments) - sum(refunds)`,
  payments: sql`sum(payment_count)`,
  refunds: sql`sum(refund_count)`,
} as const;

export async function revenueByArticle(
  deps: Pick<RevenueDeps, "database">,
  merchant: string,
  { from, to, sort, limit }: Pick<RevenueQuery, "from" | "to" | "sort" | "limit">,
): Promise<Articles> {
  const db = tables(deps);
  const rowsOf = ({ span, from: first, to: last }: Span) =>
    db
      .selectFrom("revenue")
      .selectAll()
      .where("merchant_id", "=", merchant)
      .where("span", "=", span)
      .where("start", ">=", first)
      .where("start", "<=", last);
  const [one, ...others] = spansOf(from, to);
  if (!one) throw new Error("a stretch has days");
  // One range of the key for each: an OR would be read in other ways.
  const rows = others.reduce((query, span) => query.unionAll(rowsOf(span)), rowsOf(one));
  const best = db
    .selectFrom(rows.as("rows"))
    .select(["article", "kind"])
    .select([
      total("payment_count").as("payment_count"),
      total("payments").as("payments"),
      total("refund_count").as("refund_count"),
      total("refunds").as("refunds"),
      sql<bigint>`count(*) OVER ()`.as("article_count"),
      sql<bigint>`row_number() OVER (ORDER BY ${ORDERS[sort]} DESC, article, kind)`.as("place"),
    ])
    .groupBy(["article", "kind"])
    .orderBy("place")
    .limit(limit);
  const found = await db
    .selectFrom(best.as("best"))
    .innerJoin("revenue_articles as named", (join) =>
      join.onRef("named.article", "=", "best.article").on("named.merchant_id", "=", merchant),
    )
    .selectAll("best")
    .select("named.resource")
    .orderBy("place")
    .execute();
  return {
    articleCount: Number(found[0]?.article_count ?? 0),
    articles: found.map((row) => ({ resource: row.resource, kind: kindOf(row.kind), ...figuresOf(row) })),
  };
}
