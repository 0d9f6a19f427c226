/** NUT-07. A coin is spent if the transfer that spends it exists: there is no other book. */
import type * as v from "valibot";
import type { CheckStateRequest, CheckStateResponse } from "../../shared/protocol/cashu.ts";
import { coinTransferId } from "../ledger/ids.ts";
import type { MintDeps } from "./deps.ts";

export async function checkState(
  { ledger }: MintDeps,
  { Ys }: v.InferOutput<typeof CheckStateRequest>,
): Promise<v.InferInput<typeof CheckStateResponse>> {
  const spent = await ledger.existing(Ys.map(coinTransferId));
  return {
    states: Ys.map((Y) => ({ Y, state: spent.has(coinTransferId(Y)) ? "SPENT" : "UNSPENT", witness: null })),
  };
}
