/** Whether money ever came into the account through a gateway, whatever became of it since. */
import type { AccountDeps } from "../accounts/index.ts";
import { provisionalAccount } from "../ledger/accounts.ts";

export async function hadTopUp({ ledger }: Pick<AccountDeps, "ledger">, accountId: string): Promise<boolean> {
  // Every top-up that was paid is counted there first, and nothing else ever is (confirm.ts): one look into an index.
  const account = provisionalAccount(accountId);
  return (await ledger.transfers({ account, side: "credit", limit: 1 })).length > 0;
}
