/** What a reader is told about an error, in their language: `shared/errors.ts`, whose English a test compares with ours. */
import type { ErrorCode } from "../../../shared/errors.ts";
import { type TextKey, t } from "./text.tsx";

/** What nobody answered at all; only the pages know this one. */
export const NO_ANSWER_CODE = "no_answer";

/** Refusals of what a merchant, an operator or a programmer asked for. A reader who meets one has met a fault. */
type NotForReaders =
  | "gateway_event_invalid"
  | "admin_token_invalid"
  | "merchant_invalid"
  | "merchant_taken"
  | "access_required"
  | "access_stale"
  | "handover_invalid"
  | "counterpart_unreachable"
  | "scope_missing"
  | "passkey_invalid"
  | "passkey_unknown"
  | "passkey_last"
  | "recovery_code_invalid"
  | "api_key_unknown"
  | "site_unknown"
  | "site_insecure"
  | "webhook_unknown"
  | "webhook_event_unknown"
  | "webhook_address_refused"
  | "webhook_disabled"
  | "too_many"
  | "settlement_unknown"
  | "payment_not_settled"
  // Told to a site, which a payment is shown to again.
  | "payment_used"
  | "method_not_allowed"
  | "body_too_large"
  | "unsupported_media_type"
  | "wrong_origin"
  | "account_token_not_allowed"
  // The wallet's own business with its backup.
  | "backup_unknown"
  | "backup_conflict";
type ReaderCode = Exclude<ErrorCode, NotForReaders> | typeof NO_ANSWER_CODE;
type Named<Prefix extends string> = TextKey extends infer K
  ? K extends `${Prefix}${infer Name}`
    ? Name
    : never
  : never;

/** By code: what was kept safe (`error_safe_…`) and what to do (`error_next_…`). Many share a sentence. */
export const ERROR_WORDS: Readonly<
  Record<ReaderCode, readonly [Named<"error_safe_">, Named<"error_next_">]>
> = {
  message_invalid: ["not_charged", "site_mends"],
  offer_invalid: ["not_charged", "site_mends"],
  amount_invalid: ["not_charged", "site_mends"],
  amount_not_payable: ["not_charged", "site_mends"],
  amount_too_large: ["not_charged", "only_if_trusted"],
  currency_unknown: ["not_charged", "site_mends"],
  provider_unknown: ["not_charged", "only_your_provider"],
  offer_of_test_mode: ["nothing_paid", "test_mode_or_not_open"],
  offer_of_live_mode: ["nothing_paid", "leave_test_mode"],
  resource_mismatch: ["not_charged", "site_mends"],
  merchant_unknown: ["not_charged", "careful_unregistered"],
  merchant_record_invalid: ["not_charged", "reload"],
  origin_not_verified: ["not_charged", "careful_pretends"],
  origin_opaque: ["not_charged", "open_on_site"],
  frame_not_allowed: ["not_charged", "open_by_itself"],
  click_required: ["not_charged", "click_button"],
  prompt_open: ["not_charged", "answer_first"],
  prompts_paused: ["not_charged", "wait_and_click"],
  wallet_paused: ["not_charged", "switch_on"],
  over_monthly_limit: ["not_charged", "agree_or_wait"],
  declined: ["not_charged", "click_whenever"],
  offer_changed: ["not_charged", "look_at_price"],
  approval_expired: ["not_charged", "click_to_pay"],
  wallet_missing: ["not_charged", "finish_setup"],
  wallet_exists: ["nothing_changed", "open_toolbar"],
  wallet_busy: ["nothing_changed", "answer_then_switch"],
  wallet_locked: ["not_charged", "unlock"],
  passphrase_wrong: ["safe_unchanged", "passphrase_again"],
  passphrase_weak: ["nothing_changed", "ten_characters"],
  phrase_invalid: ["nothing_changed", "check_words"],
  insufficient_balance: ["not_charged", "top_up"],
  nothing_to_tip: ["not_charged", "look_for_tip"],
  provider_unreachable: ["not_twice", "wallet_keeps_trying"],
  provider_answer_invalid: ["asks_again", "tell_provider"],
  request_invalid: ["nothing_changed", "software_fault"],
  request_conflict: ["first_stands", "software_fault"],
  not_found: ["nothing_changed", "check_address"],
  rate_limited: ["nothing_changed", "wait"],
  overloaded: ["nothing_changed", "wait"],
  internal: ["not_twice", "wallet_keeps_trying"],
  account_unknown: ["nothing_changed", "set_up_again"],
  account_frozen: ["coins_stay", "talk_to_provider"],
  account_not_final: ["money_in_account", "close_later"],
  account_token_invalid: ["nothing_changed", "restart_browser"],
  clock_skew: ["nothing_changed", "wallet_corrects"],
  backup_full: ["in_browser", "more_room"],
  restore_unfinished: ["nothing_changed", "wait"],
  devices_exceeded: ["nothing_changed", "new_wallet"],
  topup_unknown: ["nothing_charged", "start_new"],
  topup_limit: ["nothing_charged", "smaller_or_tomorrow"],
  topup_closed: ["nothing_charged_twice", "start_new"],
  withdraw_limit: ["money_in_account", "wallet_tries_again"],
  coin_invalid: ["coins", "tell_provider"],
  coin_spent: ["not_again", "wallet_sorts"],
  coin_repeated: ["coins", "software_fault"],
  coin_has_dleq: ["coins", "software_fault"],
  keyset_unknown: ["coins", "wallet_reloads"],
  coins_too_small: ["coins", "software_fault"],
  change_not_possible: ["coins", "software_fault"],
  outputs_invalid: ["coins", "software_fault"],
  outputs_signed: ["coins", "wallet_makes_new"],
  payment_unknown: ["not_for_it", "nothing"],
  payment_sealed_invalid: ["coins", "site_mends"],
  payment_expired: ["coins", "click_to_pay"],
  holder_invalid: ["not_given_away", "software_fault"],
  seal_invalid: ["coins", "site_mends"],
  seal_mismatch: ["coins", "site_mends"],
  seal_outdated: ["coins", "reload_or_site"],
  content_unreadable: ["comes_back", "site_mends"],
  site_failed: ["not_taken_comes_back", "try_again"],
  receipt_invalid: ["nothing_charged", "site_mends"],
  refund_preimage_invalid: ["nothing_changed", "software_fault"],
  refund_window_closed: ["article_stays", "ask_site"],
  refund_limit: ["asked_site", "ask_again_or_write"],
  refund_done: ["came_back_once", "nothing"],
  entitlement_unknown: ["nothing_charged", "click_to_read"],
  no_answer: ["not_twice", "close_and_retry"],
};

/** What happened, and in a second text what was kept safe and what to do. */
export function errorText(code: string): readonly [happened: string, rest: string] {
  const known = isForReaders(code) ? code : "internal";
  const [safe, next] = ERROR_WORDS[known];
  return [
    t(`error_${known}_title`),
    t("error_message", { safe: t(`error_safe_${safe}`), next: t(`error_next_${next}`) }),
  ];
}

function isForReaders(code: string): code is ReaderCode {
  return Object.hasOwn(ERROR_WORDS, code);
}
