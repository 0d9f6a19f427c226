/** `GET /receipts/revoked`: the receipts of refunded payments, oldest first. */
import type * as v from "valibot";
import type { RevokedReceipts } from "../../shared/protocol/provider.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { AccountName, Ledger } from "../ledger/ledger.ts";
import { REFUND_CODES } from "./record.ts";

/** The ledger answers at most this many transfers at once. */
const PAGE_TRANSFERS = 10_000;

type Revoked = v.InferInput<typeof RevokedReceipts>["revoked"][number];

/** Requests within this time share one reading, because anybody may ask, and each reading goes through all merchants. */
export const REVOKED_SHARED_SECONDS = 10;
const SHARED_MILLISECONDS = REVOKED_SHARED_SECONDS * 1_000;

/** Positions, and what was found up to there: one without the other would count a refund twice, or never. */
interface Reading {
  /** When it began: milliseconds since 1970. */
  readonly at: number;
  readonly readUpTo: ReadonlyMap<AccountName, number>;
  readonly revoked: readonly Revoked[];
}

/** Refunds are append-only, so each reading goes on where the last whole one ended. */
export function createRevocationList(ledger: Ledger, now: () => number): () => Promise<readonly Revoked[]> {
  let latest: Reading = { at: Number.NEGATIVE_INFINITY, readUpTo: new Map(), revoked: [] };
  let running: Promise<void> | undefined;

  return async () => {
    if (Math.abs(now() - latest.at) < SHARED_MILLISECONDS) return latest.revoked;
    running ??= readOn(ledger, latest, now())
      .then((reading) => {
        latest = reading;
      })
      .finally(() => {
        running = undefined;
      });
    await running;
    return latest.revoked;
  };
}

async function readOn(ledger: Ledger, before: Reading, at: number): Promise<Reading> {
  const readUpTo = new Map(before.readUpTo);
  const found: Revoked[] = [];
  for (const account of (await ledger.balances(merchantAccount(""))).keys()) {
    for (;;) {
      const page = await ledger.transfers({
        account,
        side: "debit",
        codes: REFUND_CODES,
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
  const revoked =
    found.length === 0 ? before.revoked : [...before.revoked, ...found].sort((a, b) => a.at - b.at);
  return { at, readUpTo, revoked };
}
