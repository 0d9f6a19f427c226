/** Revenue over time: one row a day and kind. */
import type * as v from "valibot";
import type { RevenueByDay, RevenueQuery } from "../../shared/protocol/revenue.ts";
import type { RevenueDeps } from "./deps.ts";
import { figuresOf, kindOf } from "./figures.ts";
import { tables } from "./tables.ts";

export async function revenueByDay(
  deps: Pick<RevenueDeps, "database">,
  merchant: string,
  { from, to }: Pick<RevenueQuery, "from" | "to">,
): Promise<v.InferInput<typeof RevenueByDay>["days"]> {
  const rows = await tables(deps)
    .selectFrom("revenue")
    .selectAll()
    .where("merchant_id", "=", merchant)
    .where("span", "=", "day")
    .where("start", ">=", from)
    .where("start", "<=", to)
    .orderBy("start")
    .orderBy("kind")
    .execute();
  return rows.map((row) => ({ day: row.start, kind: kindOf(row.kind), ...figuresOf(row) }));
}
