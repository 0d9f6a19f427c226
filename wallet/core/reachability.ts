/** Notes, from every call, whether the provider can be reached at the moment, and how long it asks to be left alone. */
import { TuppenceError } from "../../shared/errors.ts";
import type { ProviderPort } from "./ports.ts";

/** A provider that asks for more would put a payment to sleep. */
const LONGEST_RETRY_AFTER_MS = 600_000;

export function watchProvider(
  provider: ProviderPort,
  note: (isReachable: boolean, retryAfterMs: number) => void,
): ProviderPort {
  const watched = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      try {
        const answer = await call(...args);
        note(true, 0);
        return answer;
      } catch (error) {
        if (error instanceof TuppenceError) note(error.code !== "provider_unreachable", retryAfterMs(error));
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
    revoked: watched(provider.revoked),
    merchant: watched(provider.merchant),
    register: watched(provider.register),
    account: watched(provider.account),
    createTopUp: watched(provider.createTopUp),
    topUp: watched(provider.topUp),
    backupParts: watched(provider.backupParts),
    backupPart: watched(provider.backupPart),
    writeBackupPart: watched(provider.writeBackupPart),
    mintQuote: watched(provider.mintQuote),
    meltQuote: watched(provider.meltQuote),
    melt: watched(provider.melt),
    closeAccount: watched(provider.closeAccount),
    mint: watched(provider.mint),
    restoreWithdrawn: watched(provider.restoreWithdrawn),
  };
}

function retryAfterMs({ details }: TuppenceError): number {
  const { retryAfterSeconds } = details;
  if (typeof retryAfterSeconds !== "number") return 0;
  return Math.min(Math.max(0, retryAfterSeconds * 1_000), LONGEST_RETRY_AFTER_MS);
}
