/**
 * Pays an account out. The wallet makes the id, and asks again under it until it has the answer; what was paid out is what
 * the account held in the moment of the group, all of it, and nothing that a card's owner may still call back.
 */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { type Micros, ZERO } from "../../shared/money.ts";
import { amount, thumbprint } from "../../shared/protocol/fields.ts";
import type { ClosureRequest } from "../../shared/protocol/provider.ts";
import { type AccountDeps, frozenKey } from "../accounts/index.ts";
import { provisionalAccount, readerAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Guard, Rejection, Transfer } from "../ledger/ledger.ts";
import { finalizeTopUpsOf, gatewayAccount } from "../topups/index.ts";

const ClosureRecord = v.object({ account: thumbprint, gateway: v.string(), amount });
const closureKey = (id: string): string => `closure:${id}`;

/** Money may come or go while the balance is looked at. */
const MAX_TRIES = 5;
const FROZEN = 1;
const NOT_FINAL = 2;

/** How much went back. @throws TuppenceError account_frozen, account_not_final, request_conflict, overloaded */
export async function closeAccount(
  deps: AccountDeps,
  accountId: string,
  { id, gateway }: v.InferOutput<typeof ClosureRequest>,
): Promise<Micros> {
  const { ledger } = deps;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const known = await ledger.record(closureKey(id));
    if (known !== undefined) {
      const record = v.parse(ClosureRecord, JSON.parse(known));
      // Another account learns no more than that the id is taken.
      if (record.account !== accountId || record.gateway !== gateway)
        throw new TuppenceError("request_conflict");
      return record.amount;
    }
    await finalizeTopUpsOf(deps, accountId);
    const account = readerAccount(accountId);
    const balance = await ledger.balance(account);
    if (balance < ZERO) throw new TuppenceError("account_frozen");
    const guards: Guard[] = [{ kind: "at_most", account, amount: ZERO }];
    // Of nothing there is nothing to refuse, but it is recorded, so that its id never pays out what comes in later.
    if (balance > ZERO) {
      guards.push(
        { kind: "absent", key: frozenKey(accountId) },
        { kind: "at_most", account: provisionalAccount(accountId), amount: ZERO },
      );
    }
    const transfer: Transfer = {
      id: deriveId("closure transfer", id),
      debit: account,
      credit: gatewayAccount(gateway),
      amount: balance,
      code: "redemption",
      reference: id,
    };
    const outcome = await ledger.apply({
      id: deriveId("closure", id),
      fingerprint: `${accountId} ${gateway} ${balance}`,
      transfers: balance > ZERO ? [transfer] : [],
      records: [
        {
          key: closureKey(id),
          value: JSON.stringify({ account: accountId, gateway, amount: balance.toString() }),
        },
      ],
      guards,
    });
    if (outcome.status === "committed" || outcome.status === "exists") return balance;
    if (outcome.status === "rejected") refuse(outcome.rejection);
  }
  throw new TuppenceError("overloaded");
}

/** Returns where it is worth another look. */
function refuse(rejection: Rejection): void {
  if (rejection.reason !== "guard") return;
  if (rejection.index === FROZEN) throw new TuppenceError("account_frozen");
  if (rejection.index === NOT_FINAL) throw new TuppenceError("account_not_final");
}
