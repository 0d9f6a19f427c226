/**
 * What becomes of a top-up's money. All of it in groups of the ledger:
 *
 *     open ──paid──▶ provisional ──after the gateway's time──▶ final
 *                        │                                       │
 *                        └───────────charged back◀───────────────┘
 *
 * Paid: the money arrives, and its amount is counted twice in control accounts, as not final and as of this day. Final:
 * the first count is taken back. Charged back: the money leaves, below zero if it must, and the account freezes.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { micros, subtract, ZERO } from "../../shared/money.ts";
import { type AccountDeps, frozenKey } from "../accounts/index.ts";
import {
  CONTROL,
  GATEWAY_CLEARING,
  LOSS,
  provisionalAccount,
  readerAccount,
  topUpDayAccount,
} from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { LedgerRecord, Transfer } from "../ledger/ledger.ts";
import {
  chargedBackKey,
  type PaidRecord,
  paidKey,
  provisionalEndKey,
  readPaidRecord,
  writePaidRecord,
} from "./records.ts";
import { listTopUpIds, type TopUp } from "./store.ts";

type ConfirmDeps = Pick<AccountDeps, "ledger" | "config" | "now" | "database">;

export const gatewayAccount = (gateway: string): string => `${GATEWAY_CLEARING}:${gateway}`;

/** UTC, as `2026-11-23`. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** @throws TuppenceError topup_limit: the day's limit, checked with the money */
export async function confirmTopUp(deps: ConfirmDeps, topUp: TopUp): Promise<void> {
  const { id, accountId, amount, gateway } = topUp;
  const today = topUpDayAccount(accountId, dayOf(deps.now()));
  const finalAt = deps.now() + deps.config.sandboxFinalSeconds * 1_000;
  const outcome = await deps.ledger.apply({
    id: deriveId("top-up", id),
    fingerprint: `${accountId} ${amount}`,
    transfers: [
      {
        id: deriveId("top-up transfer", id),
        debit: gatewayAccount(gateway),
        credit: readerAccount(accountId),
        amount,
        code: "top_up",
        reference: id,
      },
      {
        id: deriveId("top-up provisional", id),
        debit: CONTROL,
        credit: provisionalAccount(accountId),
        amount,
        code: "control",
        reference: id,
      },
      {
        id: deriveId("top-up day", id),
        debit: CONTROL,
        credit: today,
        amount,
        code: "control",
        reference: id,
      },
    ],
    records: [{ key: paidKey(id), value: writePaidRecord({ account: accountId, amount, finalAt }) }],
    guards: [{ kind: "at_most", account: today, amount: deps.config.topUpPerDay }],
  });
  if (outcome.status === "rejected" && outcome.rejection.reason === "guard")
    throw new TuppenceError("topup_limit", { perDay: deps.config.topUpPerDay.toString() });
  if (outcome.status !== "committed" && outcome.status !== "exists")
    throw new Error(`a top-up was answered with ${outcome.status}`);
}

/** Makes final what is due. Called now and then, and before a limit would refuse somebody. */
export async function finalizeTopUps(deps: ConfirmDeps): Promise<void> {
  const prefix = provisionalAccount("");
  for (const [account, amount] of await deps.ledger.balances(prefix)) {
    if (amount > ZERO) await finalizeTopUpsOf(deps, account.slice(prefix.length));
  }
}

/** Looked up at once. What is not final yet is among an account's newest. */
const PAGE_TOPUPS = 100;

export async function finalizeTopUpsOf(deps: ConfirmDeps, accountId: string): Promise<void> {
  // The ledger says how much is not final, so the search ends where that much was found, and not before.
  let missing = await deps.ledger.balance(provisionalAccount(accountId));
  for (let offset = 0; missing > ZERO; offset += PAGE_TOPUPS) {
    const ids = await listTopUpIds(deps.database, accountId, { offset, limit: PAGE_TOPUPS });
    if (ids.length === 0) return;
    const records = await deps.ledger.records(ids.flatMap((id) => [paidKey(id), provisionalEndKey(id)]));
    for (const id of ids) {
      const paid = records.get(paidKey(id));
      if (paid === undefined || records.has(provisionalEndKey(id))) continue;
      const record = readPaidRecord(paid);
      missing = subtract(missing, record.amount);
      if (record.finalAt <= deps.now()) await finalizeTopUp(deps, id, record);
    }
  }
}

/** A rejection says that a chargeback was first, which has ended it as well. */
async function finalizeTopUp(
  { ledger }: ConfirmDeps,
  id: string,
  { account, amount }: PaidRecord,
): Promise<void> {
  await ledger.apply({
    id: deriveId("top-up final", id),
    fingerprint: "final",
    transfers: [endOfProvisional(id, account, amount)],
    records: [{ key: provisionalEndKey(id), value: JSON.stringify("final") }],
  });
}

/** Each record that was there already takes one more try; there are two. */
const MAX_CHARGEBACK_TRIES = 3;

export async function chargeBackTopUp(deps: ConfirmDeps, { id, gateway }: TopUp): Promise<void> {
  const value = await deps.ledger.record(paidKey(id));
  if (value === undefined) throw new TuppenceError("topup_unknown");
  const { account, amount } = readPaidRecord(value);
  for (let tries = 0; tries < MAX_CHARGEBACK_TRIES; tries++) {
    const known = await deps.ledger.records([chargedBackKey(id), provisionalEndKey(id), frozenKey(account)]);
    if (known.has(chargedBackKey(id))) return;
    const transfers: Transfer[] = [
      {
        id: deriveId("chargeback transfer", id),
        debit: readerAccount(account),
        credit: gatewayAccount(gateway),
        amount,
        code: "chargeback",
        reference: id,
      },
    ];
    const records: LedgerRecord[] = [
      { key: chargedBackKey(id), value: JSON.stringify({ account, amount: amount.toString() }) },
    ];
    if (!known.has(provisionalEndKey(id))) {
      transfers.push(endOfProvisional(id, account, amount));
      records.push({ key: provisionalEndKey(id), value: JSON.stringify("charged back") });
    }
    if (!known.has(frozenKey(account)))
      records.push({ key: frozenKey(account), value: JSON.stringify({ topUp: id }) });
    const outcome = await deps.ledger.apply({
      id: deriveId("chargeback", id),
      fingerprint: "chargeback",
      transfers,
      records,
    });
    if (outcome.status === "committed" || outcome.status === "exists") return;
  }
  throw new Error("a chargeback was refused by the ledger");
}

/** What a charged-back account still owes becomes the provider's loss. Answers how much that was. */
export async function writeOff(
  deps: Pick<AccountDeps, "ledger">,
  accountId: string,
  reference: string,
): Promise<bigint> {
  const debt = micros(-(await deps.ledger.balance(readerAccount(accountId))));
  if (debt <= ZERO) return ZERO;
  const outcome = await deps.ledger.apply({
    id: deriveId("write-off", accountId, reference),
    fingerprint: "write-off",
    transfers: [
      {
        id: deriveId("write-off transfer", accountId, reference),
        debit: LOSS,
        credit: readerAccount(accountId),
        amount: debt,
        code: "write_off",
        reference,
      },
    ],
    records: [],
    guards: [
      { kind: "present", key: frozenKey(accountId) },
      { kind: "at_most", account: readerAccount(accountId), amount: ZERO },
    ],
  });
  return outcome.status === "committed" ? debt : ZERO;
}

function endOfProvisional(topUpId: string, account: string, amount: TopUp["amount"]): Transfer {
  return {
    id: deriveId("top-up provisional end", topUpId),
    debit: provisionalAccount(account),
    credit: CONTROL,
    amount,
    code: "control",
    reference: topUpId,
  };
}
