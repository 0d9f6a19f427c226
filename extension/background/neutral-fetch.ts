/** The wallet's `fetch`: nothing goes out before the rule stands that takes the reader's marks off the request. */
import { makeOwnRequestsNeutral } from "../platform.ts";

let ruleStands: Promise<void> | undefined;

/** Puts the rule in place ahead of the first request. It lasts as long as the browser runs. */
export function prepareRequests(): Promise<void> {
  ruleStands ??= makeOwnRequestsNeutral().catch((error: unknown) => {
    // The next request tries again; without the rule none is sent.
    ruleStands = undefined;
    throw error;
  });
  return ruleStands;
}

export const neutralFetch: typeof fetch = async (input, init) => {
  await prepareRequests();
  return fetch(input, { ...init, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
};
