/** NUT-09. What was signed is signed again: keys and nonces are deterministic, so nothing has to be kept. */
import * as v from "valibot";
import type { BlindedMessage, RestoreRequest, RestoreResponse } from "../../shared/protocol/cashu.ts";
import { OutputRecord, outputRecordKey } from "../ledger/outputs.ts";
import type { MintDeps } from "./deps.ts";

export async function restore(
  { ledger, mint }: MintDeps,
  { outputs }: v.InferOutput<typeof RestoreRequest>,
): Promise<v.InferInput<typeof RestoreResponse>> {
  const records = await ledger.records(outputs.map(({ B_ }) => outputRecordKey(B_)));
  const signed = outputs.flatMap(({ B_ }): BlindedMessage[] => {
    const record = records.get(outputRecordKey(B_));
    if (record === undefined) return [];
    const { amount, keysetId } = v.parse(OutputRecord, JSON.parse(record));
    return [{ amount, id: keysetId, B_ }];
  });
  return {
    outputs: signed.map(({ amount, id, B_ }) => ({ amount: Number(amount), id, B_ })),
    signatures: await mint.sign(signed),
  };
}
