/** What swap and deposit have in common: coins are spent into a clearing account, which the same group empties again. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../shared/canonical.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros } from "../../shared/money.ts";
import type { BlindedMessage } from "../../shared/protocol/cashu.ts";
import { floatAccount } from "../ledger/accounts.ts";
import type { AccountName, Rejection, Transfer, TransferCode } from "../ledger/ledger.ts";
import { OUTPUT_RECORD_PREFIX } from "../ledger/outputs.ts";
import type { GenuineCoin } from "./mint.ts";

export function spendCoins(
  coins: readonly GenuineCoin[],
  into: AccountName,
  code: TransferCode,
  reference: string,
): Transfer[] {
  return coins.map(({ transferId, amount, keysetId }) => ({
    id: transferId,
    debit: floatAccount(keysetId),
    credit: into,
    amount,
    code,
    reference,
  }));
}

export function totalOf(items: readonly { readonly amount: Micros }[]): Micros {
  return add(...items.map(({ amount }) => amount));
}

/** Everything that was asked for, so that a replay is told from a request with the same id. */
export function fingerprintOf(coins: readonly GenuineCoin[], outputs: readonly BlindedMessage[]): string {
  const asked = {
    coins: coins.map(({ y }) => y),
    outputs: outputs.map(({ amount, id, B_ }) => ({ amount: amount.toString(), id, B_ })),
  };
  return createHash("sha256").update(canonicalJson(asked)).digest("hex");
}

/** @throws TuppenceError always: the refusal that a rejection by the ledger stands for */
export function refuse(rejection: Rejection): never {
  if (rejection.reason === "transfer_exists") throw new TuppenceError("coin_spent");
  if (rejection.reason === "record_exists" && rejection.key.startsWith(OUTPUT_RECORD_PREFIX))
    throw new TuppenceError("outputs_signed");
  throw new Error(`the ledger refused a group that must hold: ${JSON.stringify(rejection)}`);
}
