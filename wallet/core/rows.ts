/**
 * What the wallet keeps, row by row. Every row is a plain value that a structured clone can copy; amounts are
 * `Micros`, times milliseconds since 1970 unless a name ends in `Seconds`. A row is replaced as a whole.
 */
import type { ErrorCode } from "../../shared/errors.ts";
import type { Micros } from "../../shared/money.ts";
import type { BlindSignature } from "../../shared/protocol/cashu.ts";
import type { RefundReason } from "../../shared/protocol/fields.ts";
import type { AccountResponse, Jwks, ProviderInfo, TopUpResponse } from "../../shared/protocol/provider.ts";
import type { PaymentKind } from "../../shared/protocol/x402.ts";

/** The one row of the table `wallet`. */
export const WALLET_KEY = "wallet";

export interface WalletRow {
  readonly key: typeof WALLET_KEY;
  /** BIP-39. The seed stands beside it, because deriving it costs 2,048 rounds at every start of a worker. */
  readonly phrase: string;
  readonly seedHex: string;
  readonly phraseConfirmed: boolean;
  /** How often the reader put it off to write it down, when last, and how firm the reminder was then. */
  readonly phrasePutOff?: PhrasePutOff | undefined;
  readonly createdAt: number;
  /** The anonymous origin of the configured provider. */
  readonly providerOrigin: string;
  /** What discovery answered last; undefined while the provider was never reached. */
  readonly info: ProviderInfo | undefined;
  readonly jwks: Jwks | undefined;
  readonly registered: boolean;
  /** The account as it was seen last. */
  readonly account: AccountResponse | undefined;
  /** When the account is visited next (stock.ts). A wallet from before there was such a moment has none yet. */
  readonly visitAccountAt?: number;
  /**
   * After a restore from a phrase: `pending` until the backup was read and this wallet has a device's number; `searching`
   * while the provider is asked for what is newer than the backup (backup/restore.ts).
   */
  readonly recovery: "none" | "pending" | "searching";
  /** This wallet's number among those of the same phrase; 0 made the phrase. Undefined in a `pending` one: not taken yet. */
  readonly device?: number;
  /** Random, so that two wallets that took the same number know each other. Wallets of the first version have none yet. */
  readonly instance?: string;
  /** Whether other devices' coins are taken over by a restore: only where their reader said that they are not used any more. */
  readonly otherDevices?: "gone" | "in_use";
  /** The coins were put back into the account, and none are taken until it is topped up or pays again (leaving.ts). */
  readonly isResting?: boolean;
  /** The account is being paid out, or was. */
  readonly closure?: Closure | undefined;
}

export interface Closure {
  readonly state: "created" | "done";
  readonly id: string;
  /** What was paid out by this one, once it is done, and by those before it since the last top-up. */
  readonly returned: Micros;
}

export interface PhrasePutOff {
  readonly times: number;
  readonly at: number;
  readonly reminder: "none" | "calm" | "firm" | "urgent";
}

/** The next free number of a sequence, e.g. `payment`, `quote`, `withdraw:<keyset id>`. */
export interface CounterRow {
  readonly key: string;
  readonly next: number;
}

/** How often a tab or an origin was refused lately, and until when it is not listened to. */
export interface PauseRow {
  readonly key: string;
  readonly refusals: number;
  readonly lastAt: number;
  readonly until: number;
}

/**
 * A coin in the drawer. `free` can be spent; `reserved` belongs to the payment or swap in `holder`; `spent` was
 * found to be spent by someone else, and is kept to be seen; `unchecked` was found by a restore, which cannot know
 * whether it was spent since, and counts for nothing until it was exchanged (backup/check.ts).
 */
export interface CoinRow {
  readonly secret: string;
  readonly C: string;
  readonly keysetId: string;
  readonly amount: Micros;
  readonly state: "free" | "reserved" | "spent" | "unchecked";
  readonly holder: string | undefined;
  /** Stood in a backup of another device: free, and exchanged soon, because that device may have spent it since. */
  readonly isRestored?: true;
}

export type PaymentState =
  | "created"
  | "sent"
  | "unknown"
  | "cancelling"
  | "paid"
  | "failed"
  | "refunding"
  | "refunded";

/** The state machine stands at the top of `payments.ts`. */
export interface PaymentRow {
  /** The payment id. */
  readonly id: string;
  /** Whose counter it is; undefined in rows of the first version: 0. */
  readonly device?: number;
  readonly counter: number;
  readonly state: PaymentState;
  readonly origin: string;
  /** Merchant and resource in one: what a receipt opens. */
  readonly resourceKey: string;
  readonly amount: Micros;
  readonly at: number;
  /** The reader's day in which it counts as spent ("2026-11-29"): that of the agreement to it. */
  readonly day: string;
  /** Tab and request id of the page's message; empty where nobody waits. */
  readonly requestKey: string;
  /** Coins came from the account for it, a moment before. */
  readonly isShort?: boolean;
  readonly approvalId: string | undefined;
  /** True where the amount was taken from the site's allowance. */
  readonly fromAllowance: boolean;
  /** What was accepted, so that the payment can be tried again with other coins. */
  readonly order: Order;
  /** The exact bytes: the body for `/x402/settle`, or the value of `PAYMENT-SIGNATURE`. Empty while `created`. */
  readonly body: string;
  /** With mode `http`, the Payment that is to be sealed. */
  readonly paymentJson: string;
  /** After this the same bytes are not sent any more; the wallet asks by id. */
  readonly expiresAt: number;
  readonly coinSecrets: readonly string[];
  readonly coinsValue: Micros;
  /** Blank outputs sent along: how many, and under which keyset. */
  readonly blanks: { readonly keysetId: string; readonly count: number } | undefined;
  /** `pending` while the change is signed but not yet coins in the drawer. */
  readonly change: "none" | "pending" | "done";
  readonly changeSignatures: readonly BlindSignature[] | undefined;
  readonly attempts: number;
  readonly receipt: string | undefined;
  readonly paidAtSeconds: number | undefined;
  /** The key, and the seal that it opens: another seal of the same resource is asked for at the provider. */
  readonly contentKey: string | undefined;
  readonly contentKeySeal: string | undefined;
  /** Why the money is to come back, or came. Undefined in rows of the first version, too. */
  readonly refundCause?: "reader" | "content_unreadable" | undefined;
  /** What the merchant is told of it. It stays when the merchant refuses: whoever asks again has said it. */
  readonly refundReason?: RefundReason | undefined;
  readonly refund: { readonly keysetId: string; readonly amounts: readonly Micros[] } | undefined;
  readonly error: ErrorCode | undefined;
  /** How many payments of this order found spent coins before this one. */
  readonly spentRetries: number;
}

/**
 * A payment as lists, sums and searches need it, without what was sent and what came back for it: a tenth of its size. Every
 * payment is one.
 */
export type PaymentSummary = Pick<
  PaymentRow,
  | "id"
  | "state"
  | "origin"
  | "resourceKey"
  | "requestKey"
  | "amount"
  | "at"
  | "day"
  | "fromAllowance"
  | "expiresAt"
  | "coinsValue"
  | "change"
  | "paidAtSeconds"
  | "refundCause"
  | "error"
> & {
  readonly order: Pick<
    Order,
    "kind" | "title" | "merchant" | "merchantName" | "resourceUrl" | "refundWindowSeconds" | "isPrivate"
  >;
};

export function summaryOf(payment: PaymentRow): PaymentSummary {
  const { kind, title, merchant, merchantName, resourceUrl, refundWindowSeconds, isPrivate } = payment.order;
  return {
    id: payment.id,
    state: payment.state,
    origin: payment.origin,
    resourceKey: payment.resourceKey,
    requestKey: payment.requestKey,
    amount: payment.amount,
    at: payment.at,
    day: payment.day,
    fromAllowance: payment.fromAllowance,
    expiresAt: payment.expiresAt,
    coinsValue: payment.coinsValue,
    change: payment.change,
    paidAtSeconds: payment.paidAtSeconds,
    refundCause: payment.refundCause,
    error: payment.error,
    order: { kind, title, merchant, merchantName, resourceUrl, refundWindowSeconds, isPrivate },
  };
}

/**
 * created → quoted → done. The quote's id is stored before coins are asked for; the outputs follow from the phrase
 * and `firstCounter`, so a withdraw can be taken up anywhere.
 */
export interface WithdrawalRow {
  readonly id: string;
  readonly state: "created" | "quoted" | "done" | "failed";
  readonly at: number;
  /** Whose counters these are; undefined in rows of the first version: 0. */
  readonly device?: number;
  readonly quoteCounter: number;
  readonly quoteId: string | undefined;
  readonly keysetId: string;
  readonly firstCounter: number;
  readonly amounts: readonly Micros[];
  readonly error: ErrorCode | undefined;
}

/** created → done | failed. `paymentId` is set where the swap takes a payment's coins back. */
export interface SwapRow {
  readonly id: string;
  readonly state: "created" | "done" | "failed";
  readonly at: number;
  readonly coinSecrets: readonly string[];
  /** Whose counter it is; undefined in rows of the first version: 0. */
  readonly device?: number;
  readonly keysetId: string;
  readonly firstCounter: number;
  readonly amounts: readonly Micros[];
  readonly paymentId: string | undefined;
  readonly error: ErrorCode | undefined;
}

/** Coins → account (NUT-05). */
export interface DepositRow {
  readonly id: string;
  readonly state: "created" | "done" | "failed";
  readonly at: number;
  readonly coinSecrets: readonly string[];
  readonly amount: Micros;
  readonly quoteId: string | undefined;
  readonly error: ErrorCode | undefined;
}

export interface TopUpRow {
  readonly id: string;
  readonly amount: Micros;
  readonly state: TopUpResponse["state"];
  readonly at: number;
  /** Empty until the provider has answered. */
  readonly checkoutUrl: string;
}

/**
 * What one site and the merchant behind it are paid without asking, at most: in one payment, a day, a month. What was
 * paid so is counted in `spending`. Undefined is no limit, but a day, a month or `total` has one.
 */
export interface AllowanceRow {
  readonly origin: string;
  readonly merchant: string;
  readonly merchantName: string;
  readonly perPayment: Micros | undefined;
  readonly perDay: Micros | undefined;
  readonly perMonth: Micros | undefined;
  /** Agreed to with the first version: a sum that does not renew. `spent` includes what is reserved. */
  readonly total: { readonly limit: Micros; readonly spent: Micros } | undefined;
  readonly at: number;
}

/** In `origin`, instead of a site. */
export const ALL_SITES = "";

/** What was spent in a day ("2026-11-29") or a month ("2026-11"), at one site or at all of them. Made in `spending.ts`. */
export interface SpendingRow {
  readonly key: string;
  readonly period: string;
  readonly origin: string;
  /** Unit and origin: the rows of one chart over time. */
  readonly series: string;
  /** Everything that left the wallet, what is reserved included, what came back not. */
  readonly spent: Micros;
  /** Of `spent`, what the site's allowance paid. */
  readonly unasked: Micros;
  readonly payments: number;
}

/** The one row of the table `settings`. */
export const SETTINGS_KEY = "settings";

export interface SettingsRow {
  readonly key: typeof SETTINGS_KEY;
  /** Nothing is paid. */
  readonly paused: boolean;
  /** Over all sites; what goes beyond it, the reader agrees to in so many words. */
  readonly monthlyLimit: Micros | undefined;
}

/** Everything that paying needs, judged and verified. */
export interface Order {
  readonly mode: "direct" | "http";
  readonly kind: PaymentKind;
  readonly title: string;
  readonly merchant: string;
  readonly merchantName: string;
  readonly origin: string;
  readonly resourceUrl: string;
  /** As the page wrote them, in JSON: a site's own middleware compares them field by field. */
  readonly acceptedJson: string;
  readonly resourceJson: string;
  readonly amount: Micros;
  readonly least: Micros;
  readonly most: Micros;
  readonly refundWindowSeconds: number;
  /** What the merchant said of refunds, in its own words. */
  readonly refundPolicy?: string | undefined;
  readonly maxTimeoutSeconds: number;
  readonly seal: string | undefined;
  readonly isPrivate: boolean;
  /** The page brought no fresh record of its merchant, so the provider was asked for it. */
  readonly asksForMerchant?: boolean;
}

/** asking → approved → paying → paid | failed; asking → declined. */
export interface ApprovalRow {
  readonly id: string;
  readonly state: "asking" | "approved" | "declined" | "paying" | "paid" | "failed";
  readonly order: Order;
  readonly tabId: number;
  readonly requestKey: string;
  readonly at: number;
  readonly expiresAt: number;
  /** What the reader approved, and on which of their days ("2026-11-29"): there it counts as spent from then on. */
  readonly amount: Micros | undefined;
  readonly day: string | undefined;
  readonly paymentId: string | undefined;
  readonly error: ErrorCode | undefined;
}

/** A verified merchant record, until it expires. */
export interface MerchantRow {
  readonly id: string;
  readonly record: string;
  readonly fetchedAt: number;
}

export interface KeysetRow {
  readonly id: string;
  readonly unit: string;
  readonly active: boolean;
  /** Amount in micros → public key. */
  readonly keys: Readonly<Record<string, string>>;
}

/** What the backup knows of itself: its own parts at the provider, other devices' parts, and how far a restore has come. */
export type BackupRow = OwnBackupRow | OwnPartRow | DeviceRow | RestoreRow;

export const OWN_BACKUP_KEY = "own";
export const RESTORE_KEY = "restore";

export interface OwnBackupRow {
  readonly key: typeof OWN_BACKUP_KEY;
  readonly kind: "own";
  /** `saving` after a death is as good as `unsaved`: what was being written may not have arrived. */
  readonly state: "saved" | "unsaved" | "saving";
  /** When it is to be written, because the account was visited, or because it could not be written then. */
  readonly dueAt: number | undefined;
  /** When it was written last, and when other devices' parts were last looked at. */
  readonly savedAt: number | undefined;
  /** Why it could not be written the last time. */
  readonly error: ErrorCode | undefined;
  /** Of the head at the provider; 0 while there is none. */
  readonly version: number;
  /** Payments of this device with lower counters stand in parts of their own. */
  readonly sealedTo: number;
  readonly paymentParts: number;
  readonly sealedPayments: number;
  readonly coinParts: number;
  /** Own payments in such parts that were changed since. */
  readonly changedCounters: readonly number[];
  /** Payments of other devices that were changed here, and that were forgotten here. */
  readonly changed: readonly string[];
  readonly forgotten: readonly string[];
}

/** `coins <n>` or `payments <n>` of this device, as it stands at the provider. */
export interface OwnPartRow {
  readonly key: string;
  readonly kind: "part";
  readonly version: number;
  /** The provider does not have it as it was written. */
  readonly isLost: boolean;
  /** Of payments: the counters that it is about. */
  readonly from: number;
  readonly to: number;
}

/** Another device of the same phrase. */
export interface DeviceRow {
  /** `device <n>`. */
  readonly key: string;
  readonly kind: "device";
  readonly device: number;
  /** Of the parts that were merged, by kind and number; 0 where one is damaged. */
  readonly headVersion: number;
  readonly paymentVersions: readonly number[];
  /** What its coins were worth when it wrote its backup, unless they were taken over. */
  readonly coinsValue: Micros;
  readonly takeOver: "no" | "done";
  /** Where the search for what is newer goes on: outputs by `withdraw:<keyset>` and `swap:<keyset>`, payments by counter. */
  readonly outputs: readonly OutputCursor[];
  readonly nextPayment: number;
  readonly lastPayment: number;
  readonly openPayments: readonly number[];
  readonly isRevokedLookedUp: boolean;
  readonly isSearched: boolean;
}

export interface OutputCursor {
  readonly key: string;
  /** The first that was not asked for yet, and the first after the last one that was signed. */
  readonly next: number;
  readonly afterLast: number;
}

export interface RestoreRow {
  readonly key: typeof RESTORE_KEY;
  readonly kind: "restore";
  readonly startedAt: number;
  readonly receipts: number;
  readonly receiptsInBackup: number;
  readonly coins: number;
  /** Parts that did not open: what stood in them has to be found otherwise, or is lost. */
  readonly damagedParts: number;
}
