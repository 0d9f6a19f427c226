/**
 * How the endpoints under `/v1/` refuse: HTTP 400 and `{ detail, code }` with the numbers of Cashu's own table. What
 * has no number there (a token, a limit of the account, a wrong address) is a problem as everywhere else.
 */
import { ERRORS, type ErrorCode, type TuppenceError } from "../../shared/errors.ts";

const CASHU_ERRORS = {
  10001: "Proof verification failed",
  11001: "Proofs already spent",
  11003: "Outputs already signed",
  11005: "Transaction is not balanced",
  11006: "Amount outside of limit range",
  11007: "Duplicate inputs provided",
  11008: "Duplicate outputs provided",
  11013: "Unit in request is not supported",
  12001: "Keyset is not known",
  12002: "Keyset is inactive, cannot sign messages",
  20001: "Quote request is not paid",
  20002: "Quote has already been issued",
  20006: "Invoice already paid",
  20007: "Quote is expired",
  20008: "Signature for mint request invalid",
  20009: "Pubkey required for mint quote",
} as const;

type CashuNumber = keyof typeof CASHU_ERRORS;

/** Thrown where only Cashu has a name for what is wrong; everything else is a TuppenceError. */
export class CashuRefusal extends Error {
  override readonly name = "CashuRefusal";
  readonly number: CashuNumber;

  constructor(number: CashuNumber) {
    super(`${number}: ${CASHU_ERRORS[number]}`);
    this.number = number;
  }
}

/** The answer as Cashu gives it; undefined where Cashu has no number for the error. */
export function cashuAnswer(
  error: CashuRefusal | TuppenceError,
): { readonly detail: string; readonly code: number } | undefined {
  if (error instanceof CashuRefusal) return { detail: CASHU_ERRORS[error.number], code: error.number };
  const number = NUMBERS[error.code]?.(error);
  return number === undefined ? undefined : { detail: ERRORS[error.code].title, code: number };
}

const NUMBERS: Partial<Record<ErrorCode, (error: TuppenceError) => CashuNumber | undefined>> = {
  coin_invalid: () => 10001,
  coin_spent: () => 11001,
  coin_repeated: () => 11007,
  outputs_signed: () => 11003,
  outputs_invalid: ({ details }) =>
    details.problem === "repeated" ? 11008 : details.problem === "amount" ? 11006 : undefined,
  keyset_unknown: ({ details }) => (details.problem === "inactive" ? 12002 : 12001),
  coins_too_small: () => 11005,
  change_not_possible: () => 11005,
  insufficient_balance: () => 20001,
};
