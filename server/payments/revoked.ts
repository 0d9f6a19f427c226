/** `GET /receipts/revoked`: the receipts of refunded payments, oldest first. */
import type * as v from "valibot";
import type { RevokedReceipts } from "../../shared/protocol/provider.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { AccountName, Ledger } from "../ledger/ledger.ts";

/** The ledger answers at most this many transfers at once. */
const PAGE_TRANSFERS = 10_000;

type Revoked = v.InferInput<typeof RevokedReceipts>["revoked"][number];

/** Refunds are append-only, so each request reads only those that came since the last one. */
export function createRevocationList(ledger: Ledger): () => Promise<readonly Revoked[]> {
  const readUpTo = new Map<AccountName, number>();
  let revoked: readonly Revoked[] = [];
  let reading: Promise<void> = Promise.resolve();

  async function readNew(): Promise<void> {
    const found: Revoked[] = [];
    for (const account of (await ledger.balances(merchantAccount(""))).keys()) {
      for (;;) {
        const page = await ledger.transfers({
          account,
          side: "debit",
          codes: ["refund"],
          afterSequence: readUpTo.get(account) ?? 0,
          limit: PAGE_TRANSFERS,
        });
        for (const { reference, timestamp } of page)
          found.push({ jti: reference, at: Math.floor(timestamp / 1_000) });
        const last = page.at(-1);
        if (last) readUpTo.set(account, last.sequence);
        if (page.length < PAGE_TRANSFERS) break;
      }
    }
    if (found.length > 0) revoked = [...revoked, ...found].sort((a, b) => a.at - b.at);
  }

  return async () => {
    // One after the other, so that two requests at once do not count the same refund twice.
    reading = reading.then(readNew, readNew);
    await reading;
    return revoked;
  };
}
