/** Asks for a top-up. The wallet makes the id: asking again finds it, another content under it is a conflict. */
import type * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { add, isPayableInCoins } from "../../shared/money.ts";
import type { TopUpRequest } from "../../shared/protocol/provider.ts";
import type { AccountDeps } from "../accounts/index.ts";
import { topUpDayAccount } from "../ledger/accounts.ts";
import { dayOf } from "./confirm.ts";
import { countTopUpsSince, findTopUp, insertTopUp, type TopUp } from "./store.ts";

/** Of one account in an hour, whatever became of them: pages that open without end are not shopping. */
const MAX_TOPUPS_PER_HOUR = 60n;
const HOUR_MILLISECONDS = 3_600_000;

export async function createTopUp(
  deps: AccountDeps,
  accountId: string,
  request: v.InferOutput<typeof TopUpRequest>,
): Promise<{ topUp: TopUp; isNew: boolean }> {
  const { id, amount, gateway } = request;
  const known = await findTopUp(deps, id);
  if (known) return { topUp: sameOrConflict(known, accountId, request), isNew: false };

  const { topUpLeast, topUpMost, topUpPerDay } = deps.config;
  if (!isPayableInCoins(amount)) throw new TuppenceError("amount_not_payable");
  if (amount < topUpLeast || amount > topUpMost)
    throw new TuppenceError("topup_limit", { least: topUpLeast.toString(), most: topUpMost.toString() });
  // Only kindness, so that nobody fills a form in vain: what counts is the guard when the money comes.
  const today = await deps.ledger.balance(topUpDayAccount(accountId, dayOf(deps.now())));
  if (add(today, amount) > topUpPerDay)
    throw new TuppenceError("topup_limit", { perDay: topUpPerDay.toString() });
  if (
    (await countTopUpsSince(deps.database, accountId, deps.now() - HOUR_MILLISECONDS)) >= MAX_TOPUPS_PER_HOUR
  )
    throw new TuppenceError("rate_limited");

  await insertTopUp(deps.database, { id, accountId, gateway, amount, createdAt: deps.now() });
  const topUp = await findTopUp(deps, id);
  if (!topUp) throw new Error("a top-up that was stored is there");
  return { topUp: sameOrConflict(topUp, accountId, request), isNew: true };
}

function sameOrConflict(
  known: TopUp,
  accountId: string,
  { amount, gateway }: v.InferOutput<typeof TopUpRequest>,
): TopUp {
  // Another account learns no more than that the id is taken.
  if (known.accountId !== accountId || known.amount !== amount || known.gateway !== gateway)
    throw new TuppenceError("request_conflict");
  return known;
}
