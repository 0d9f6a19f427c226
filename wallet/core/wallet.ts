/**
 * The wallet, as its programs see it. Plain functions over ports (`ports.ts`); no browser API. Whatever matters is
 * in the store before anything is sent, so that a process that dies at any instruction goes on with `resume`.
 */
import type { PageRequestOf, PageRequestType, PageResults } from "../../shared/protocol/page.ts";
import type { UiRequestOf, UiResultJson, WalletSnapshotJson } from "../../shared/protocol/ui.ts";

/** Who asks, as the browser says it, never as the page says it. */
export interface PageSender {
  /** Serialized origin of the frame; "null" where it is opaque. */
  readonly origin: string;
  /** The frame's address. */
  readonly url: string;
  /** Of the tab's top page; the same as `origin` outside of frames. */
  readonly topOrigin: string;
  readonly isTopFrame: boolean;
  readonly tabId: number;
  /** In a private window: silent until a click, and nothing is kept of the recognition. */
  readonly isPrivate: boolean;
  /** A trusted click on our element stands behind the request. */
  readonly clicked: boolean;
}

export interface Wallet {
  /**
   * Answers a page. Rejects with a `TuppenceError`; `mayAnswer` says whether the page may learn it at all.
   * The same request id from the same tab attaches to what is under way.
   */
  page<T extends PageRequestType>(request: PageRequestOf<T>, sender: PageSender): Promise<PageResults[T]>;
  /** True where the page may know of the wallet: after a click of the reader's, or on a site that was dealt with. */
  mayAnswer(sender: PageSender): Promise<boolean>;

  snapshot(): Promise<WalletSnapshotJson>;
  /** Called after every change of what a snapshot shows. Returns the function that ends it. */
  onChange(listener: () => void): () => void;

  create(request: UiRequestOf<"createWallet">): Promise<UiResultJson<"createWallet">>;
  showPhrase(): Promise<UiResultJson<"showPhrase">>;
  /** Forgets what was opened from the store: after that was locked, erased or sealed anew. */
  forget(): void;
  /** Whether the reader has the phrase: some of its words are asked for. */
  confirmPhrase(request: UiRequestOf<"confirmPhrase">): Promise<UiResultJson<"confirmPhrase">>;
  putOffPhrase(): Promise<void>;
  /** Makes the top-up at the provider; the caller opens the checkout. */
  topUp(request: UiRequestOf<"topUp">): Promise<UiResultJson<"topUp">>;
  /** Asks the provider how the open top-ups stand, and restocks the drawer when one was paid. */
  refreshTopUps(): Promise<void>;
  decide(request: UiRequestOf<"decide">): Promise<void>;
  /** Starts the approval of a tip from the toolbar; nobody waits for its answer. */
  startTip(offer: unknown, sender: PageSender): Promise<UiResultJson<"startTip">>;
  /** The verified merchant of a tip offer, for the popup's "tip this site". Rejects with what is wrong with it. */
  tipSite(offer: unknown, sender: PageSender): Promise<{ origin: string; merchantName: string }>;
  /** Whether this question is still open: neither answered nor expired. */
  isAsking(approvalId: string): Promise<boolean>;
  /** Shows a question that is still asked, as its turn comes. */
  showQuestion(request: UiRequestOf<"showQuestion">): Promise<void>;
  /** Writes the backup now. @throws TuppenceError provider_*, backup_full */
  saveBackup(): Promise<void>;
  /** The other wallets of this phrase are gone: begins to take their coins. */
  takeOver(): Promise<void>;
  /** All coins back into the account. @throws TuppenceError provider_* */
  depositAll(): Promise<void>;
  /** Pays the account out, coins and all. @throws TuppenceError account_not_final, account_frozen, provider_* */
  closeAccount(): Promise<UiResultJson<"closeAccount">>;
  refund(request: UiRequestOf<"refund">): Promise<void>;
  setAllowance(request: UiRequestOf<"setAllowance">): Promise<void>;
  removeAllowance(request: UiRequestOf<"removeAllowance">): Promise<void>;
  /** One switch for everything: nothing is paid until it is set back. What was bought opens, and money comes back. */
  setPaused(request: UiRequestOf<"setPaused">): Promise<void>;
  setMonthlyLimit(request: UiRequestOf<"setMonthlyLimit">): Promise<void>;
  forgetSite(request: UiRequestOf<"forgetSite">): Promise<void>;

  /** Where the money went. */
  history(request: UiRequestOf<"history">): Promise<UiResultJson<"history">>;
  spending(request: UiRequestOf<"spending">): Promise<UiResultJson<"spending">>;
  payment(request: UiRequestOf<"payment">): Promise<UiResultJson<"payment">>;
  exportHistory(request: UiRequestOf<"exportHistory">): Promise<UiResultJson<"exportHistory">>;

  /** A question is asked, or a payment is on its way that somebody may be waiting for. Of a locked wallet: false. */
  isBusy(): Promise<boolean>;

  /** Origins that were dealt with (a receipt or an allowance): there the content script listens from the start. */
  knownOrigins(): Promise<string[]>;
  /** The provider's anonymous origin, its currency, and where the provider of the other mode is, once there is a wallet. */
  provider(): Promise<{ origin: string; currency: string; counterpart?: string } | undefined>;

  /**
   * Takes up whatever a dead process left: sends stored payments again, asks for sealed ones that expired, finishes
   * withdraws, swaps, refunds and a restore, restocks the drawer, writes the backup where it is due. Safe to call at any time and twice at once.
   */
  resume(): Promise<void>;
}
