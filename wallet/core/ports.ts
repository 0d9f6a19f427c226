/** What the wallet core needs from the program around it. Every program hands in its own. */
import type { SigningKey } from "../../shared/jws.ts";
import type { Micros } from "../../shared/money.ts";
import type {
  BlindedMessageJson,
  BlindSignature,
  MintQuoteResponse,
  ProofJson,
} from "../../shared/protocol/cashu.ts";
import type {
  AccountResponse,
  BackupListing,
  BackupPart,
  BackupWriteJson,
  ClosureRequestJson,
  Jwks,
  ProviderInfo,
  TopUpRequestJson,
  TopUpResponse,
} from "../../shared/protocol/provider.ts";
import type { SettleResponse } from "../../shared/protocol/x402.ts";
import type {
  AllowanceRow,
  ApprovalRow,
  BackupRow,
  CoinRow,
  CounterRow,
  DepositRow,
  KeysetRow,
  MerchantRow,
  PauseRow,
  PaymentRow,
  PaymentSummary,
  SettingsRow,
  SpendingRow,
  SwapRow,
  TopUpRow,
  WalletRow,
  WithdrawalRow,
} from "./rows.ts";

export interface WalletPorts {
  readonly store: WalletStore;
  readonly clock: Clock;
  readonly random: Randomness;
  /** The client of the provider at this anonymous origin (`wallet/provider`). */
  readonly connect: (anonymousOrigin: string) => ProviderPort;
  readonly prompt: PromptPort;
  readonly scheduler: Scheduler;
  /** The provider of a wallet that is made without naming one. */
  readonly defaultProviderOrigin: string;
  /** `test`: a wallet for play money beside the reader's own. It deals with a provider of test mode, and no other. */
  readonly mode?: "live" | "test";
  /** Hears of faults in background work that are no `TuppenceError`: bugs. */
  readonly onFault?: (error: unknown) => void;
}

export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
}

export interface Randomness {
  /** From a cryptographically secure source. */
  bytes(count: number): Uint8Array;
}

export interface Scheduler {
  /** Resolves after about that long; never, if the process dies before. Nothing that matters depends on it. */
  delay(milliseconds: number): Promise<void>;
  /** Asks the program to call `resume` at about that time, even if this process dies meanwhile. May do nothing. */
  wakeAt(timeMs: number): void;
}

export interface PromptPort {
  /**
   * Shows the question in a window of the wallet's own, in front; where another one is being asked (`isAsking` says which still
   * are), that one is brought to the front instead and this one waits. `tabId` is the tab that asks.
   */
  open(approvalId: string, tabId: number, isAsking: (approvalId: string) => Promise<boolean>): Promise<void>;
}

/** A table; rows go in and out as copies. `Index` names the fields that it can be asked by. */
export interface StoreTable<Row, Index extends keyof Row> {
  get(key: string): Promise<Row | undefined>;
  put(row: Row): Promise<void>;
  putAll(rows: readonly Row[]): Promise<void>;
  remove(key: string): Promise<void>;
  removeAll(keys: readonly string[]): Promise<void>;
  where(index: Index, value: Row[Index] & string): Promise<Row[]>;
  /** Of the rows with that value, one for which `matches` says true: for looking into many without reading all. */
  find(index: Index, value: Row[Index] & string, matches: (row: Row) => boolean): Promise<Row | undefined>;
  /** For each value that the index has, one row with it. */
  oneOfEach(index: Index): Promise<Row[]>;
  all(): Promise<Row[]>;
  count(): Promise<number>;
}

/** Which rows of a time: milliseconds since 1970, both ends included. */
export interface TimeSpan {
  readonly from?: number;
  readonly until?: number;
  /** So many of the newest in it are left out: those of one moment that were read already. */
  readonly skip?: number;
}

/** A table whose rows have a time, to show the newest of. */
export interface TimedStoreTable<Row, Index extends keyof Row> extends StoreTable<Row, Index> {
  /** By `at`, newest first. */
  newest(limit: number, span?: TimeSpan): Promise<Row[]>;
}

export type PaymentIndex = "state" | "change" | "resourceKey" | "origin" | "requestKey";

export interface StoreTables {
  readonly wallet: StoreTable<WalletRow, never>;
  readonly counters: StoreTable<CounterRow, never>;
  readonly pauses: StoreTable<PauseRow, never>;
  readonly coins: StoreTable<CoinRow, "state">;
  /** Whole: to look into many, or through them, there are `paymentSummaries`. */
  readonly payments: Omit<TimedStoreTable<PaymentRow, PaymentIndex>, "find" | "oneOfEach" | "count">;
  /** The same payments, short: what is written to `payments` is written here with it. */
  readonly paymentSummaries: Pick<
    TimedStoreTable<PaymentSummary, PaymentIndex>,
    "where" | "find" | "oneOfEach" | "all" | "count" | "newest"
  >;
  readonly withdrawals: StoreTable<WithdrawalRow, "state">;
  readonly deposits: StoreTable<DepositRow, "state">;
  readonly swaps: StoreTable<SwapRow, "state">;
  readonly topUps: TimedStoreTable<TopUpRow, "state">;
  readonly allowances: StoreTable<AllowanceRow, never>;
  readonly spending: StoreTable<SpendingRow, "period" | "origin" | "series">;
  readonly settings: StoreTable<SettingsRow, never>;
  readonly approvals: TimedStoreTable<ApprovalRow, "state" | "requestKey">;
  readonly merchants: StoreTable<MerchantRow, never>;
  readonly keysets: StoreTable<KeysetRow, never>;
  readonly backups: StoreTable<BackupRow, never>;
}

export interface WalletStore {
  /**
   * All of it happens, or nothing if `body` throws; no other transaction runs in between. `body` awaits nothing but
   * these tables: a browser's transaction ends by itself when something else is awaited.
   */
  transaction<T>(body: (tables: StoreTables) => Promise<T>): Promise<T>;
  /** As `transaction`, for reading only; others may read at the same time. */
  read<T>(body: (tables: StoreTables) => Promise<T>): Promise<T>;
  /** Ends its use, e.g. before it is opened again in a test. */
  close(): Promise<void>;
  /** How what is in it is kept from whoever has the disk. While it is locked, transactions reject with `wallet_locked`. */
  protection(): Promise<Protection>;
}

export interface Protection {
  readonly hasPassphrase: boolean;
  readonly isLocked: boolean;
  /** Without use for so long, the wallet locks itself; zero where it does not. */
  readonly lockAfterMinutes: number;
}

export interface PublishedKeyset {
  readonly id: string;
  readonly unit: string;
  readonly active: boolean;
}

/**
 * The provider's HTTP API, as far as the wallet uses it. Rejects with `TuppenceError`: the provider's own code, or
 * `provider_unreachable`, `provider_answer_invalid`. The first group goes to the anonymous origin, the second,
 * with a token of the account, to the accounts origin.
 */
export interface ProviderPort {
  info(): Promise<ProviderInfo>;
  jwks(): Promise<Jwks>;
  /** Ids in the append-only log. */
  keysetLog(): Promise<readonly string[]>;
  keysets(): Promise<readonly PublishedKeyset[]>;
  keys(keysetId: string): Promise<Readonly<Record<string, string>>>;
  /** `body` is sent as it is. */
  settle(body: string): Promise<SettleResponse>;
  lookup(
    paymentId: string,
    request: { readonly proof: string; readonly seal?: string },
  ): Promise<SettleResponse>;
  refund(
    paymentId: string,
    request: { readonly preimage: string; readonly outputs: readonly BlindedMessageJson[] },
  ): Promise<BlindSignature[]>;
  swap(inputs: readonly ProofJson[], outputs: readonly BlindedMessageJson[]): Promise<BlindSignature[]>;
  /** By Y: true where it is spent. */
  checkSpent(ys: readonly string[]): Promise<ReadonlyMap<string, boolean>>;
  /** Never for what was withdrawn: the account is known to have sent that. */
  restore(outputs: readonly BlindedMessageJson[]): Promise<ReadonlyMap<string, BlindSignature>>;
  /** Ids of refunded payments: of all there are, so that nobody is asked about one's own. */
  revoked(): Promise<readonly string[]>;
  /** The merchant's record, a JWS. */
  merchant(id: string): Promise<string>;

  register(account: SigningKey): Promise<AccountResponse>;
  account(account: SigningKey): Promise<AccountResponse>;
  createTopUp(account: SigningKey, request: TopUpRequestJson): Promise<TopUpResponse>;
  topUp(account: SigningKey, id: string): Promise<TopUpResponse>;
  backupParts(account: SigningKey): Promise<BackupListing["parts"]>;
  backupPart(account: SigningKey, name: string): Promise<BackupPart>;
  /** The version that it has from now on. */
  writeBackupPart(account: SigningKey, name: string, request: BackupWriteJson): Promise<number>;
  mintQuote(
    account: SigningKey,
    request: { readonly amount: Micros; readonly unit: string; readonly pubkey: string },
  ): Promise<MintQuoteResponse>;
  mint(
    account: SigningKey,
    request: {
      readonly quote: string;
      readonly outputs: readonly BlindedMessageJson[];
      readonly signature: string;
    },
  ): Promise<BlindSignature[]>;
  /** NUT-05: a quote for coins of this value to arrive in the account. */
  meltQuote(
    account: SigningKey,
    request: { readonly amount: Micros; readonly unit: string },
  ): Promise<{ readonly quote: string; readonly amount: Micros }>;
  /** Coins worth what the quote says, without change. */
  melt(
    account: SigningKey,
    request: { readonly quote: string; readonly inputs: readonly ProofJson[] },
  ): Promise<void>;
  /** Pays the account out; tells how much that was. */
  closeAccount(account: SigningKey, request: ClosureRequestJson): Promise<{ readonly returned: Micros }>;
  /** NUT-09 for what was withdrawn, and for nothing else. */
  restoreWithdrawn(
    account: SigningKey,
    outputs: readonly BlindedMessageJson[],
  ): Promise<ReadonlyMap<string, BlindSignature>>;
}
