/** Adds up what is new: a little before an answer, all of it in the background. */
import { setImmediate as turn } from "node:timers/promises";
import type { Micros } from "../../shared/money.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import { advance } from "./advance.ts";
import type { CountingDeps } from "./deps.ts";

/** Nobody waits longer for an answer: the job comes to the rest, and the answer says that there is more. */
const PAGES_BEFORE_AN_ANSWER = 5;

/** Whether everything is counted. */
export async function catchUpForAnswer(deps: CountingDeps, merchant: string): Promise<boolean> {
  for (let page = 0; page < PAGES_BEFORE_AN_ANSWER; page++) {
    if (!(await advance(deps, merchant))) return true;
    await turn();
  }
  return false;
}

export async function catchUp(deps: CountingDeps, merchant: string): Promise<void> {
  // Between two pages whoever waits is answered: with SQLite all of this is on the event loop.
  while (await advance(deps, merchant)) await turn();
}

/**
 * The job, for all merchants. It remembers their balances, because what did not change its balance has nothing new for
 * it, but for what came and went, which the next answer finds.
 */
export function createCounting(deps: CountingDeps): () => Promise<void> {
  const counted = new Map<string, Micros>();
  return async () => {
    const failures: unknown[] = [];
    for (const [account, balance] of await deps.ledger.balances(merchantAccount(""))) {
      if (counted.get(account) === balance) continue;
      try {
        await catchUp(deps, account.slice(merchantAccount("").length));
        counted.set(account, balance);
      } catch (error) {
        // One merchant's keeps the others from nothing.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
}
