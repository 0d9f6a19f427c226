/** Notes, from every call, whether the provider can be reached at the moment. */
import { TuppenceError } from "../../shared/errors.ts";
import type { ProviderPort } from "./ports.ts";

export function watchProvider(provider: ProviderPort, note: (isReachable: boolean) => void): ProviderPort {
  const watched = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      try {
        const answer = await call(...args);
        note(true);
        return answer;
      } catch (error) {
        if (error instanceof TuppenceError) note(error.code !== "provider_unreachable");
        throw error;
      }
    };
  };
  return {
    info: watched(provider.info),
    jwks: watched(provider.jwks),
    keysetLog: watched(provider.keysetLog),
    keysets: watched(provider.keysets),
    keys: watched(provider.keys),
    settle: watched(provider.settle),
    lookup: watched(provider.lookup),
    refund: watched(provider.refund),
    swap: watched(provider.swap),
    checkSpent: watched(provider.checkSpent),
    restore: watched(provider.restore),
    merchant: watched(provider.merchant),
    register: watched(provider.register),
    account: watched(provider.account),
    createTopUp: watched(provider.createTopUp),
    topUp: watched(provider.topUp),
    mintQuote: watched(provider.mintQuote),
    mint: watched(provider.mint),
  };
}
