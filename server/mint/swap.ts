/** NUT-03. The same request gives the same signatures; the same coins for other outputs are spent. */
import type * as v from "valibot";
import type { SwapRequest, SwapResponse } from "../../shared/protocol/cashu.ts";
import { floatAccount, SWAP_CLEARING } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import { CashuRefusal } from "./cashu-errors.ts";
import type { MintDeps } from "./deps.ts";
import { fingerprintOf, refuse, spendCoins, totalOf } from "./group.ts";

export async function swap(
  { mint, ledger }: MintDeps,
  { inputs, outputs }: v.InferOutput<typeof SwapRequest>,
): Promise<v.InferInput<typeof SwapResponse>> {
  const coins = await mint.verifyCoins(inputs);
  const fingerprint = fingerprintOf(coins, outputs);
  const id = deriveId("swap", fingerprint);
  // The id says all that was asked for. What was signed is given again, whichever keysets have ended since.
  if ((await ledger.group(id)) !== undefined) return { signatures: await mint.sign(outputs) };
  const prepared = mint.prepareOutputs(outputs, id);
  if (totalOf(coins) !== prepared.total) throw new CashuRefusal(11005);

  const issued = {
    id: deriveId("swap issue", id),
    debit: SWAP_CLEARING,
    credit: floatAccount(prepared.keysetId),
    amount: prepared.total,
    code: "swap",
    reference: id,
  } as const;
  const outcome = await ledger.apply({
    id,
    fingerprint,
    transfers: [...spendCoins(coins, SWAP_CLEARING, "swap", id), issued],
    records: prepared.records,
  });
  if (outcome.status === "rejected") refuse(outcome.rejection);
  if (outcome.status === "conflict") throw new Error("a swap's id is the hash of all that it asks for");
  return { signatures: await mint.sign(outputs) };
}
