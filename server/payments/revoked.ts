/** `GET /receipts/revoked`: the receipts of refunded payments, oldest first. */
import type * as v from "valibot";
import type { RevokedReceipts } from "../../shared/protocol/provider.ts";
import { grantedAccount, merchantAccount } from "../ledger/accounts.ts";
import type { AccountName, Ledger, PostedTransfer, TransferCode } from "../ledger/ledger.ts";
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

/** Refunds are append-only, and so is what came back of them, so each reading goes on where the last whole one ended. */
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
  const given: PostedTransfer[] = [];
  for (const account of (await ledger.balances(merchantAccount(""))).keys())
    given.push(...(await readOnFor(ledger, account, REFUND_CODES, readUpTo)));
  const back: PostedTransfer[] = [];
  for (const account of (await ledger.balances(grantedAccount(""))).keys())
    back.push(...(await readOnFor(ledger, account, ["refund_uncollected"], readUpTo)));
  if (given.length === 0 && back.length === 0) return { at, readUpTo, revoked: before.revoked };
  const found = given.map(({ reference, timestamp }) => ({
    jti: reference,
    at: Math.floor(timestamp / 1_000),
  }));
  // These count again.
  const valid = new Set(back.map(({ reference }) => reference));
  const revoked = [...before.revoked, ...found]
    .filter(({ jti }) => !valid.has(jti))
    .sort((a, b) => a.at - b.at);
  return { at, readUpTo, revoked };
}

/** What left the account since, and notes up to where it was read. */
async function readOnFor(
  ledger: Ledger,
  account: AccountName,
  codes: readonly TransferCode[],
  readUpTo: Map<AccountName, number>,
): Promise<PostedTransfer[]> {
  const found: PostedTransfer[] = [];
  for (;;) {
    const afterSequence = readUpTo.get(account) ?? 0;
    const query = { account, side: "debit", codes, afterSequence, limit: PAGE_TRANSFERS } as const;
    const page = await ledger.transfers(query);
    found.push(...page);
    const last = page.at(-1);
    if (last) readUpTo.set(account, last.sequence);
    if (page.length < PAGE_TRANSFERS) return found;
  }
}
