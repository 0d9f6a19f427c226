import type { WalletSnapshot } from "../../../shared/protocol/ui.ts";

/** What a reader may choose from: the usual amounts, the one of last time, and any other within the provider's range. */
export type TopUpOffer = Pick<WalletSnapshot, "topUpAmounts" | "topUpRange" | "lastTopUp" | "currency">;

export function topUpOffer({ topUpAmounts, topUpRange, lastTopUp, currency }: TopUpOffer): TopUpOffer {
  return { topUpAmounts, topUpRange, lastTopUp, currency };
}
