/** The numbers with which Cashu endpoints refuse, as codes of the closed set. */
import type { ErrorCode } from "../../shared/errors.ts";

const CODES: Readonly<Record<number, ErrorCode>> = {
  10001: "coin_invalid",
  11001: "coin_spent",
  11002: "overloaded",
  11003: "outputs_signed",
  11004: "overloaded",
  11005: "coins_too_small",
  11006: "withdraw_limit",
  11007: "coin_repeated",
  11008: "outputs_invalid",
  12001: "keyset_unknown",
  12002: "keyset_unknown",
  12003: "keyset_unknown",
  // The account does not cover the quote.
  20001: "insufficient_balance",
  20002: "outputs_signed",
  20005: "overloaded",
};

export function cashuErrorCode(code: number): ErrorCode {
  return CODES[code] ?? "request_invalid";
}
