/** How much one question may ask for: bounds how long it keeps everybody waiting. */
import { MAX_TRANSFERS_PER_GROUP } from "./batches.ts";
import type { SumQuery, TransferQuery } from "./ledger.ts";

const MAX_QUERY_LIMIT = 10_000;

/** @throws RangeError */
export function assertLimit({ limit }: Pick<TransferQuery, "limit">): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_QUERY_LIMIT)
    throw new RangeError(`limit of ${limit}`);
}

/** A sum counts whole groups, so it has to see more than one. @throws RangeError */
export function assertSumLimit(query: Pick<SumQuery, "limit">): void {
  assertLimit(query);
  if (query.limit <= MAX_TRANSFERS_PER_GROUP) throw new RangeError(`limit of ${query.limit}`);
}
