/**
 * The privacy meter's table: what each party learns when something happens, as codes that the interface puts into words. The
 * provider is one party: its two origins are kept apart by what stands in requests, not by who reads them. docs/PRIVACY.md
 * says it in prose.
 */

export type Fact =
  /** From where a request came, and when. It is never hidden, and stands wherever anybody receives something of the reader's. */
  | "address"
  | "moment"
  /** The reader's account, and what goes in and out of it. */
  | "account"
  | "account_amount"
  /** How much came back, and so how much did not. */
  | "not_spent"
  /** In steps, and how often its parts change; nothing of what is in them. */
  | "backup_size"
  /** Coins that nobody recognises later. */
  | "blinded_coins"
  /** What is paid, to whom, and for which page. */
  | "merchant"
  | "page"
  | "amount"
  | "payment_id"
  /** Coins that cannot be traced to a withdraw. */
  | "untraceable_coins"
  /** That the change, or the refund, belongs to the same wallet as the payment. */
  | "change"
  | "refunded"
  /** One of a few words, where the reader picks one or the article did not open. */
  | "refund_reason"
  /** That somebody who is about to pay asked for the merchant's record. */
  | "interest_in_merchant"
  /** That a wallet is there. */
  | "wallet_present"
  /** That this was bought before: joined with what else is shown to the same site. */
  | "bought_before"
  /** Which payments are one reader's, though not whose. */
  | "payments_joined"
  /** A withdraw right before the payment: whoever compares moments may guess the account. */
  | "account_by_moment"
  /** What the gateway's own page asks for. */
  | "payer_details";

export type PrivacyEvent =
  | "payment"
  | "payment_by_site"
  | "tip"
  | "refund"
  | "coming_back"
  | "top_up"
  | "withdraw"
  | "backup"
  | "leaving"
  | "restore";

export interface PrivacySituation {
  /** The coins do not fit. */
  readonly hasChange?: boolean;
  /** The page carries no fresh record of its merchant. */
  readonly asksForMerchant?: boolean;
  /** The drawer holds too little, so coins are fetched for this payment. */
  readonly isShort?: boolean;
  /** The article was sealed anew since it was bought. */
  readonly isResealed?: boolean;
}

export interface Learned {
  readonly merchant: readonly Fact[];
  readonly provider: readonly Fact[];
  readonly gateway: readonly Fact[];
}

const NOTHING: readonly Fact[] = [];
const SEEN: readonly Fact[] = ["address", "moment"];

export function learns(event: PrivacyEvent, situation: PrivacySituation = {}): Learned {
  switch (event) {
    case "payment":
    case "tip":
    // Brought by the site; but the wallet asks by its id afterwards, which is when it is seen itself.
    case "payment_by_site":
      return paid(situation);
    case "refund":
      return {
        merchant: ["refunded", "refund_reason", "payment_id"],
        provider: [...SEEN, "refunded", "refund_reason", "payment_id", "blinded_coins"],
        gateway: NOTHING,
      };
    case "coming_back":
      return {
        merchant: [...SEEN, "wallet_present", "bought_before", "payment_id"],
        provider: situation.isResealed ? [...SEEN, "payment_id", "page"] : NOTHING,
        gateway: NOTHING,
      };
    case "top_up":
      return {
        merchant: NOTHING,
        provider: [...SEEN, "account", "account_amount"],
        gateway: [...SEEN, "amount", "payer_details"],
      };
    case "withdraw":
      return {
        merchant: NOTHING,
        provider: [...SEEN, "account", "account_amount", "blinded_coins"],
        gateway: NOTHING,
      };
    case "backup":
      return { merchant: NOTHING, provider: [...SEEN, "account", "backup_size"], gateway: NOTHING };
    case "leaving":
      return {
        merchant: NOTHING,
        provider: [...SEEN, "account", "not_spent", "blinded_coins"],
        gateway: [...SEEN, "amount"],
      };
    case "restore":
      return {
        merchant: NOTHING,
        provider: [...SEEN, "account", "payments_joined", "account_by_moment"],
        gateway: NOTHING,
      };
  }
}

function paid({ hasChange = false, asksForMerchant = false, isShort = false }: PrivacySituation): Learned {
  return {
    merchant: [...SEEN, "wallet_present", "page", "amount", "payment_id"],
    provider: [
      ...SEEN,
      "merchant",
      "page",
      "amount",
      "payment_id",
      "untraceable_coins",
      ...(hasChange ? (["change", "blinded_coins"] as const) : []),
      ...(asksForMerchant ? (["interest_in_merchant"] as const) : []),
      ...(isShort ? (["account_by_moment"] as const) : []),
    ],
    gateway: NOTHING,
  };
}
