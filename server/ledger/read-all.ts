/** Every transfer of one side of an account, in sequence, a page at a time: what is read grows with the account, memory does not. */
import type { Ledger, PostedTransfer, TransferQuery } from "./ledger.ts";

/** The most that the ledger answers at once. */
const PAGE_TRANSFERS = 10_000;

export async function* readAllTransfers(
  ledger: Pick<Ledger, "transfers">,
  query: Omit<TransferQuery, "limit" | "order">,
  pageTransfers = PAGE_TRANSFERS,
): AsyncGenerator<PostedTransfer> {
  let afterSequence = query.afterSequence ?? 0;
  for (;;) {
    const page = await ledger.transfers({ ...query, afterSequence, limit: pageTransfers });
    yield* page;
    const last = page.at(-1);
    if (page.length < pageTransfers || !last) return;
    afterSequence = last.sequence;
  }
}
