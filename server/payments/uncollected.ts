/**
 * What the merchant gave back and no reader fetched within a year is the merchant's again, and the receipt counts again: a
 * reader who never asked has what was paid for. Settlements pay it out (`in-line.ts`). It competes with the reader's
 * fetching for one transfer's id, so that whoever is first is the only one.
 */
import { grantedAccount, merchantAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger, PostedTransfer } from "../ledger/ledger.ts";
import { readAllTransfers } from "../ledger/read-all.ts";
import { nextInLine } from "./in-line.ts";
import { collectionKey, collectionTransferId, encodeCollectionRecord } from "./record.ts";

const COLLECT_WITHIN_DAYS = 365;
export const COLLECT_WITHIN_SECONDS = COLLECT_WITHIN_DAYS * 24 * 3_600;
const PAGE_GRANTS = 500;

export const uncollectedGroupId = (paymentId: string): string => deriveId("refund uncollected", paymentId);

/** @param now milliseconds */
export async function returnUncollected(ledger: Ledger, merchant: string, now: number): Promise<void> {
  const account = grantedAccount(merchant);
  if ((await ledger.balance(account)) === 0n) return;
  const grantedBy = now - COLLECT_WITHIN_SECONDS * 1_000;
  let page: PostedTransfer[] = [];
  for await (const granted of readAllTransfers(ledger, { account, side: "credit" }, PAGE_GRANTS)) {
    if (granted.timestamp > grantedBy) break;
    page.push(granted);
    if (page.length < PAGE_GRANTS) continue;
    await giveBack(ledger, merchant, page);
    page = [];
  }
  await giveBack(ledger, merchant, page);
}

async function giveBack(ledger: Ledger, merchant: string, granted: readonly PostedTransfer[]): Promise<void> {
  const gone = await ledger.existing(granted.map(({ reference }) => collectionTransferId(reference)));
  for (const { reference: paymentId, amount } of granted) {
    if (gone.has(collectionTransferId(paymentId))) continue;
    // Where another process or the reader was first it is rejected, and that is all; the next run looks again.
    await ledger.apply({
      id: uncollectedGroupId(paymentId),
      fingerprint: "uncollected",
      transfers: [
        {
          id: collectionTransferId(paymentId),
          debit: grantedAccount(merchant),
          credit: merchantAccount(merchant),
          amount,
          code: "refund_uncollected",
          reference: paymentId,
        },
      ],
      records: [
        await nextInLine(ledger, "uncollected", merchant, { paymentId, amount }),
        { key: collectionKey(paymentId), value: encodeCollectionRecord({ outputs: [], isFetched: false }) },
      ],
    });
  }
}
