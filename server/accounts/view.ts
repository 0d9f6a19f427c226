/** What an account holds, and how much of it may become coins now. */
import { type Micros, micros, ZERO } from "../../shared/money.ts";
import { provisionalAccount, readerAccount } from "../ledger/accounts.ts";
import type { AccountDeps } from "./deps.ts";

/** Stands in the ledger from the first chargeback on; withdraw is guarded by its absence. */
export const frozenKey = (accountId: string): string => `frozen:${accountId}`;

export interface AccountView {
  readonly balance: Micros;
  readonly frozen: boolean;
  readonly withdrawable: Micros;
}

export async function viewAccount(
  deps: Pick<AccountDeps, "ledger" | "config">,
  accountId: string,
): Promise<AccountView> {
  const [balance, provisional, frozen] = await Promise.all([
    deps.ledger.balance(readerAccount(accountId)),
    deps.ledger.balance(provisionalAccount(accountId)),
    deps.ledger.record(frozenKey(accountId)),
  ]);
  return {
    balance,
    frozen: frozen !== undefined,
    withdrawable:
      frozen === undefined ? withdrawableOf(balance, provisional, deps.config.provisionalLimit) : ZERO,
  };
}

/** The ledger's guard, said as an amount: after a withdraw, balance and limit must still reach what is not final. */
function withdrawableOf(balance: Micros, provisional: Micros, limit: Micros): Micros {
  const covered = micros(balance + limit - provisional);
  const least = covered < balance ? covered : balance;
  return least > 0n ? least : ZERO;
}
