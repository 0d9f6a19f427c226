/**
 * Every way in which Tuppence can refuse, in one closed map. A bug is an assertion, never an entry here.
 *
 * `status` is the HTTP status with which the provider answers (RFC 9457 problem details, `type` is
 * `urn:tuppence:error:<code>`). `retry` says what the same bytes, sent again, may do: `never` (the answer
 * is final for these bytes), `same` (nobody knows whether they arrived: send them again), `later` (refused
 * for now). Only a `never` may release what was reserved for a request. `title` tells a person what
 * happened, `safe` what was kept safe, `next` what to do.
 */

export interface ErrorEntry {
  readonly status: number;
  readonly retry: "never" | "same" | "later";
  readonly title: string;
  readonly safe: string;
  readonly next: string;
}

const NOT_CHARGED = "You were not charged.";
const COINS_SAFE = "You were not charged and your coins are untouched.";
const TELL_SITE = "The site has to mend this; there is nothing for you to do.";

export const ERRORS = {
  // What a page asks for
  message_invalid: entry(
    400,
    "never",
    "The page sent something that is not a request.",
    NOT_CHARGED,
    TELL_SITE,
  ),
  offer_invalid: entry(400, "never", "The site's offer cannot be read.", NOT_CHARGED, TELL_SITE),
  amount_invalid: entry(
    400,
    "never",
    "The site asked for an amount that is not a price.",
    NOT_CHARGED,
    TELL_SITE,
  ),
  amount_not_payable: entry(
    400,
    "never",
    "The price is finer than the smallest coin, a tenth of a cent.",
    NOT_CHARGED,
    TELL_SITE,
  ),
  amount_too_large: entry(
    400,
    "never",
    "The site asked for more than the wallet pays in one go.",
    NOT_CHARGED,
    "Do not try again unless you trust this site.",
  ),
  currency_unknown: entry(
    400,
    "never",
    "The site asks for a currency that this wallet does not hold.",
    NOT_CHARGED,
    TELL_SITE,
  ),
  provider_unknown: entry(
    400,
    "never",
    "The site takes payments through another provider.",
    NOT_CHARGED,
    "This wallet pays only through the provider that you chose.",
  ),
  offer_of_test_mode: entry(
    400,
    "never",
    "This page takes the play money of test mode, and your wallet is not in test mode.",
    "Nothing was paid.",
    "If you run this site, switch to test mode in the wallet’s settings. Otherwise it is not open yet.",
  ),
  offer_of_live_mode: entry(
    400,
    "never",
    "Your wallet is in test mode, and this page takes real money.",
    "Nothing was paid.",
    "Leave test mode in the toolbar, then click again.",
  ),
  resource_mismatch: entry(
    400,
    "never",
    "The offer is for something on another site.",
    NOT_CHARGED,
    TELL_SITE,
  ),
  merchant_unknown: entry(
    404,
    "never",
    "Your provider does not know this merchant.",
    NOT_CHARGED,
    "Be careful: whoever runs this page is not registered.",
  ),
  merchant_record_invalid: entry(
    400,
    "never",
    "The merchant's record is out of date or was altered.",
    NOT_CHARGED,
    "Reload the page and try again.",
  ),
  origin_not_verified: entry(
    403,
    "never",
    "This site is not one of the merchant's verified sites.",
    NOT_CHARGED,
    "Be careful: the page may pretend to be someone else.",
  ),
  origin_opaque: entry(
    403,
    "never",
    "This page has no address of its own, so nobody can be paid on it.",
    NOT_CHARGED,
    "Open the article on the site itself.",
  ),
  frame_not_allowed: entry(
    403,
    "never",
    "Payments inside a frame are not allowed here.",
    NOT_CHARGED,
    "Open the page by itself.",
  ),
  click_required: entry(
    403,
    "never",
    "A payment starts with your own click.",
    NOT_CHARGED,
    "Click the button on the page.",
  ),
  prompt_open: entry(
    409,
    "later",
    "This tab is already asking you something.",
    NOT_CHARGED,
    "Answer the open window first.",
  ),
  prompts_paused: entry(
    429,
    "later",
    "This page asked too often, so the wallet is not listening to it for a moment.",
    NOT_CHARGED,
    "Wait a little, then click again.",
  ),
  wallet_paused: entry(
    403,
    "later",
    "You have paused your wallet.",
    NOT_CHARGED,
    "Switch it on again in the toolbar, then click once more.",
  ),
  over_monthly_limit: entry(
    403,
    "later",
    "This goes beyond your monthly limit.",
    NOT_CHARGED,
    "Agree to that as well, or leave it for next month.",
  ),
  declined: entry(
    403,
    "never",
    "You did not approve this payment.",
    NOT_CHARGED,
    "Click again whenever you like.",
  ),
  offer_changed: entry(
    409,
    "never",
    "The site changed its price while you were being asked.",
    NOT_CHARGED,
    "Look at the price again, and pay only if you agree with it.",
  ),
  approval_expired: entry(
    403,
    "never",
    "The question was open for too long.",
    NOT_CHARGED,
    "Click again to pay.",
  ),
  wallet_missing: entry(
    403,
    "never",
    "Your wallet is not set up yet.",
    NOT_CHARGED,
    "Finish setting it up, then click again.",
  ),
  wallet_exists: entry(
    409,
    "never",
    "There is a wallet in this browser already.",
    "Nothing was changed.",
    "Open it from the toolbar.",
  ),
  wallet_busy: entry(
    409,
    "later",
    "Your wallet is in the middle of a payment.",
    "Nothing was changed.",
    "Answer what it asks, or wait a moment, then switch.",
  ),
  wallet_locked: entry(
    403,
    "later",
    "Your wallet is locked.",
    NOT_CHARGED,
    "Unlock it from the toolbar, then click again.",
  ),
  passphrase_wrong: entry(
    403,
    "never",
    "This is not the passphrase.",
    "Your money is safe, and nothing was changed.",
    "Try again. If it is lost, your recovery phrase brings the wallet back.",
  ),
  passphrase_weak: entry(
    400,
    "never",
    "This passphrase is too short to keep a thief out.",
    "Nothing was changed.",
    "Take at least ten characters: four words that do not belong together are good.",
  ),
  phrase_invalid: entry(
    400,
    "never",
    "These are not the words of a recovery phrase.",
    "Nothing was changed.",
    "Check the words and their order.",
  ),
  insufficient_balance: entry(
    402,
    "later",
    "There is not enough in your wallet.",
    NOT_CHARGED,
    "Top up; the offer is kept for you.",
  ),
  nothing_to_tip: entry(
    404,
    "never",
    "This page has not told the wallet who could be tipped.",
    NOT_CHARGED,
    "Look for a tip button on the page.",
  ),

  // Between wallet and provider
  provider_unreachable: entry(
    503,
    "same",
    "Your provider cannot be reached.",
    "Your money is safe: nothing is charged twice.",
    "The wallet keeps trying by itself.",
  ),
  provider_answer_invalid: entry(
    502,
    "same",
    "Your provider answered with something that makes no sense.",
    "Your money is safe: the wallet keeps what it sent and asks again.",
    "If this lasts, tell your provider.",
  ),
  request_invalid: entry(
    400,
    "never",
    "The request is not well formed.",
    "Nothing was changed.",
    "This is a fault in the software that sent it.",
  ),
  request_conflict: entry(
    409,
    "never",
    "The same id came with other content.",
    "What was done first stands.",
    "This is a fault in the software that sent it.",
  ),
  not_found: entry(
    404,
    "never",
    "There is nothing at this address.",
    "Nothing was changed.",
    "Check the address.",
  ),
  method_not_allowed: entry(
    405,
    "never",
    "This address does not take that method.",
    "Nothing was changed.",
    "Check the documentation of the provider.",
  ),
  body_too_large: entry(
    413,
    "never",
    "The request is too large.",
    "Nothing was changed.",
    "Send less at once.",
  ),
  unsupported_media_type: entry(
    415,
    "never",
    "The request is of a type that is not understood.",
    "Nothing was changed.",
    "Send JSON.",
  ),
  rate_limited: entry(429, "later", "Too many requests.", "Nothing was changed.", "Wait a moment."),
  overloaded: entry(503, "later", "The provider is busy.", "Nothing was changed.", "Wait a moment."),
  internal: entry(
    500,
    "same",
    "Something went wrong at the provider.",
    "Your money is safe: nothing is charged twice.",
    "The wallet keeps trying by itself.",
  ),
  wrong_origin: entry(
    404,
    "never",
    "This address belongs to the provider's other origin.",
    "Nothing was changed.",
    "This is a fault in the software that sent it.",
  ),
  account_token_not_allowed: entry(
    400,
    "never",
    "An account's token was sent where everyone is anonymous.",
    "It was not read.",
    "This is a fault in the software that sent it.",
  ),

  account_unknown: entry(
    404,
    "never",
    "The provider has no such account.",
    "Nothing was changed.",
    "Set up the wallet again.",
  ),
  account_frozen: entry(
    403,
    "never",
    "This account is frozen, because a top-up was charged back.",
    "The coins that you hold stay yours.",
    "Talk to your provider.",
  ),
  account_not_final: entry(
    409,
    "later",
    "A top-up of yours is not final yet, so the account cannot be paid out.",
    "The money stays in your account.",
    "Close it in a day or two.",
  ),
  account_token_invalid: entry(
    401,
    "never",
    "The request is not signed by the account.",
    "Nothing was changed.",
    "Restart the browser.",
  ),
  clock_skew: entry(
    401,
    "later",
    "The clock of this computer is off.",
    "Nothing was changed.",
    "The wallet corrects it by itself.",
  ),
  backup_unknown: entry(
    404,
    "never",
    "There is no such part of a backup.",
    "Nothing was changed.",
    "Nothing to do.",
  ),
  backup_conflict: entry(
    409,
    "never",
    "This part of the backup was written by somebody else meanwhile.",
    "Nothing was overwritten.",
    "The wallet reads it and tries again by itself.",
  ),
  backup_full: entry(
    409,
    "later",
    "Your provider keeps no more of your backup.",
    "Everything is in this browser, and your money is found again from the recovery phrase.",
    "Forget sites that you do not read any more, or ask your provider for more room.",
  ),
  restore_unfinished: entry(
    409,
    "never",
    "Your wallet is still being brought back.",
    "Nothing was changed.",
    "Wait a moment.",
  ),
  devices_exceeded: entry(
    409,
    "never",
    "This recovery phrase was brought back too many times.",
    "Nothing was changed.",
    "Make a new wallet and move your money into it.",
  ),
  topup_unknown: entry(404, "never", "There is no such top-up.", "Nothing was charged.", "Start a new one."),
  topup_limit: entry(
    403,
    "later",
    "This is more than may be topped up at once or in a day.",
    "Nothing was charged.",
    "Choose a smaller amount, or come back tomorrow.",
  ),
  topup_closed: entry(
    409,
    "never",
    "This top-up is already over.",
    "Nothing was charged twice.",
    "Start a new one.",
  ),
  withdraw_limit: entry(
    403,
    "later",
    "The provider waits until your payment is final before it hands out more coins.",
    "The money stays in your account.",
    "The wallet tries again by itself.",
  ),
  gateway_event_invalid: entry(
    401,
    "never",
    "The event is not signed by the gateway.",
    "Nothing was changed.",
    "Check the gateway's secret.",
  ),
  admin_token_invalid: entry(
    401,
    "never",
    "The administrator's token is missing or wrong.",
    "Nothing was changed.",
    "It stands in the data folder.",
  ),

  // Coins and payments
  coin_invalid: entry(
    400,
    "never",
    "A coin is not genuine.",
    COINS_SAFE,
    "If this lasts, tell your provider.",
  ),
  coin_spent: entry(
    409,
    "never",
    "A coin was spent already.",
    "You were not charged again.",
    "The wallet sorts out its coins and tries with others.",
  ),
  coin_repeated: entry(
    400,
    "never",
    "The same coin stands in the payment twice.",
    COINS_SAFE,
    "This is a fault in the software that sent it.",
  ),
  coin_has_dleq: entry(
    400,
    "never",
    "A coin came with the proof that would link it to its owner.",
    COINS_SAFE,
    "This is a fault in the software that sent it.",
  ),
  keyset_unknown: entry(
    400,
    "never",
    "A coin is of a keyset that the provider does not have.",
    COINS_SAFE,
    "The wallet reloads the keysets by itself.",
  ),
  coins_too_small: entry(
    400,
    "never",
    "The coins are worth less than the price.",
    COINS_SAFE,
    "This is a fault in the software that sent it.",
  ),
  change_not_possible: entry(
    400,
    "never",
    "The coins are worth more than the price and there is nowhere to put the change.",
    COINS_SAFE,
    "This is a fault in the software that sent it.",
  ),
  outputs_invalid: entry(
    400,
    "never",
    "The blank coins of the request are not well formed.",
    COINS_SAFE,
    "This is a fault in the software that sent it.",
  ),
  outputs_signed: entry(
    409,
    "never",
    "These blank coins were signed before.",
    COINS_SAFE,
    "The wallet makes new ones by itself.",
  ),
  payment_unknown: entry(
    404,
    "never",
    "The provider has not seen this payment.",
    "You were not charged for it.",
    "Nothing to do.",
  ),
  payment_sealed_invalid: entry(
    400,
    "never",
    "The sealed payment does not open, or is for another merchant, amount or time.",
    COINS_SAFE,
    TELL_SITE,
  ),
  payment_expired: entry(410, "never", "The payment came too late.", COINS_SAFE, "Click again to pay."),
  payment_used: entry(
    410,
    "never",
    "The payment was made before, and the time of its offer is over.",
    "It was charged once.",
    "Its receipt opens what it paid for.",
  ),
  holder_invalid: entry(
    401,
    "never",
    "The request is not signed by the holder of the payment.",
    "Nothing was given away.",
    "This is a fault in the software that sent it.",
  ),
  seal_invalid: entry(
    400,
    "never",
    "The article's seal is broken or was not signed by the merchant.",
    COINS_SAFE,
    TELL_SITE,
  ),
  seal_mismatch: entry(
    400,
    "never",
    "The article's seal is for another merchant, article or price.",
    COINS_SAFE,
    TELL_SITE,
  ),
  seal_outdated: entry(
    400,
    "never",
    "The article's seal is older than the merchant still accepts.",
    COINS_SAFE,
    "Reload the page; if this lasts, the site has to mend it.",
  ),
  content_unreadable: entry(
    422,
    "never",
    "The article could not be opened.",
    "Your payment comes back by itself.",
    TELL_SITE,
  ),
  site_failed: entry(
    502,
    "later",
    "The site did not hand over the article.",
    "Your wallet asks what became of the payment: what the site did not take comes back by itself.",
    "Try again in a moment; you are not charged twice.",
  ),
  receipt_invalid: entry(
    400,
    "never",
    "The receipt was altered, or is for something else.",
    "Nothing was charged.",
    TELL_SITE,
  ),
  refund_preimage_invalid: entry(
    401,
    "never",
    "The refund is not asked for by the one who paid.",
    "Nothing was changed.",
    "This is a fault in the software that sent it.",
  ),
  refund_window_closed: entry(
    409,
    "never",
    "The time for taking this payment back is over.",
    "The article stays yours.",
    "Ask the site for a refund.",
  ),
  refund_limit: entry(
    409,
    // The merchant may take days to decide, and a wallet that asked on by itself would show which payments are one reader's.
    "never",
    "Readers took back so much at this site that it decides about this payment itself.",
    "It was asked. Your money is still in the payment, and the article stays yours.",
    "Ask again later, or write to the site. If it gives the money back, one click in the payment's details fetches it.",
  ),
  refund_done: entry(
    409,
    "never",
    "This payment was refunded already.",
    "The money came back once.",
    "Nothing to do.",
  ),
  entitlement_unknown: entry(
    404,
    "never",
    "Nothing was bought here yet.",
    "Nothing was charged.",
    "Click to read on.",
  ),

  // Merchants and settlement
  merchant_invalid: entry(
    400,
    "never",
    "The merchant's data are not well formed.",
    "Nothing was changed.",
    "Check the name, the sites and the keys.",
  ),
  merchant_taken: entry(
    409,
    "never",
    "This id is taken.",
    "Nothing was changed.",
    "Choose another one: readers are shown the name, not the id.",
  ),
  access_required: entry(
    401,
    "never",
    "You are not signed in, or the API key opens nothing.",
    "Nothing was changed.",
    "Sign in again, or make another key.",
  ),
  passkey_invalid: entry(
    401,
    "never",
    "This passkey does not open anything here.",
    "Nothing was changed.",
    "Try again, or sign in by a recovery code.",
  ),
  passkey_unknown: entry(
    404,
    "never",
    "There is no such passkey.",
    "Nothing was changed.",
    "Reload the list.",
  ),
  passkey_last: entry(
    409,
    "never",
    "This is your only passkey.",
    "It still works.",
    "Add another one first.",
  ),
  recovery_code_invalid: entry(
    401,
    "never",
    "This is no recovery code, or it was used already.",
    "Nothing was changed.",
    "Check the characters, or take the next code of your list.",
  ),
  access_stale: entry(
    401,
    "later",
    "You signed in a while ago.",
    "Nothing was changed.",
    "Show your passkey again, then go on.",
  ),
  handover_invalid: entry(
    401,
    "never",
    "This way into test mode is not valid, or not any more.",
    "Nothing was changed.",
    "Come again from your live dashboard.",
  ),
  counterpart_unreachable: entry(
    503,
    "later",
    "The live provider did not say by which keys it signs.",
    "Nothing was changed.",
    "Come again in a moment.",
  ),
  scope_missing: entry(
    403,
    "never",
    "This API key may not do that.",
    "Nothing was changed.",
    "Make a key that has the scope.",
  ),
  api_key_unknown: entry(
    404,
    "never",
    "There is no such API key.",
    "Nothing was changed.",
    "Reload the list.",
  ),
  site_unknown: entry(404, "never", "There is no such site.", "Nothing was changed.", "Reload the list."),
  site_insecure: entry(
    400,
    "never",
    "A site has to be reached by https.",
    "Nothing was changed.",
    "Put a certificate on it, then add it with https:// in front.",
  ),
  webhook_unknown: entry(
    404,
    "never",
    "There is no such webhook.",
    "Nothing was changed.",
    "Reload the list.",
  ),
  webhook_event_unknown: entry(
    404,
    "never",
    "This webhook has no such event in its log.",
    "Nothing was changed.",
    "Reload the log: the oldest entries are removed in time.",
  ),
  webhook_address_refused: entry(
    400,
    "never",
    "Webhooks are sent to public addresses by https only.",
    "Nothing was changed.",
    "Give the address of a server on the internet, with https.",
  ),
  webhook_disabled: entry(409, "never", "This webhook is disabled.", "Nothing was sent.", "Enable it first."),
  too_many: entry(
    409,
    "never",
    "There are as many of these as there may be.",
    "Nothing was changed.",
    "Remove what is not needed any more, or ask your provider.",
  ),
  payment_not_settled: entry(
    409,
    "later",
    "This payment is not settled yet.",
    "Nothing was changed.",
    "Ask again once its refund window has ended and the provider has settled.",
  ),
  settlement_unknown: entry(
    404,
    "never",
    "There is no such settlement.",
    "Nothing was changed.",
    "Check its id.",
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

function entry(
  status: number,
  retry: ErrorEntry["retry"],
  title: string,
  safe: string,
  next: string,
): ErrorEntry {
  return { status, retry, title, safe, next };
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}

/** What an error may carry: facts for whoever handles it, never a secret, a coin or a page's text. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** The only error that crosses a boundary. Its `message` is the developer's; people are told the map's words. */
export class TuppenceError extends Error {
  override readonly name = "TuppenceError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(`${code}: ${ERRORS[code].title}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** What a person is told: what happened, what was kept safe, what to do. */
export function tellReader(code: ErrorCode): string {
  const { title, safe, next } = ERRORS[code];
  return `${title} ${safe} ${next}`;
}
