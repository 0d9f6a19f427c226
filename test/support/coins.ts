/** Coins for tests, made as a wallet makes them: blank, signed by the real mint, opened with `@cashu/cashu-ts`. */
import { randomBytes } from "node:crypto";
import { blindMessage, pointFromHex, unblindSignature } from "@cashu/cashu-ts";
import type { Deps } from "../../server/deps.ts";
import { floatAccount, GATEWAY_CLEARING, readerAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import { fromUtf8, toHex, utf8 } from "../../shared/bytes.ts";
import { add, micros } from "../../shared/money.ts";
import type { BlindedMessageJson, BlindSignatureJson, ProofJson } from "../../shared/protocol/cashu.ts";

export interface BlankCoin {
  readonly output: BlindedMessageJson;
  readonly secret: string;
  readonly blindingFactor: bigint;
}

/** Amounts of micros. Zero for outputs whose amount the mint sets (change). */
export function makeBlankCoins(keysetId: string, amounts: readonly number[]): BlankCoin[] {
  return amounts.map((amount) => {
    const blinded = blindMessage(utf8(toHex(randomBytes(32))));
    return {
      output: { amount, id: keysetId, B_: blinded.B_.toHex(true) },
      secret: fromUtf8(blinded.secret),
      blindingFactor: blinded.r,
    };
  });
}

/** The coins of the first blanks, as many as there are signatures. */
export function openCoins(
  deps: Pick<Deps, "mint">,
  blanks: readonly BlankCoin[],
  signatures: readonly BlindSignatureJson[],
): ProofJson[] {
  return signatures.map((signature, index) => {
    const blank = blanks[index];
    const keyset = deps.mint.keysets().find(({ id }) => id === signature.id);
    const key = keyset?.publicKeys.get(micros(signature.amount));
    if (!blank || key === undefined) throw new Error(`no blank or no key for signature ${index}`);
    const C = unblindSignature(pointFromHex(signature.C_), blank.blindingFactor, pointFromHex(key)).toHex(
      true,
    );
    return { amount: signature.amount, id: signature.id, secret: blank.secret, C };
  });
}

/** Tops up an account that nobody else has and withdraws all of it as coins of these amounts (micros). */
export async function withdrawCoins(
  deps: Pick<Deps, "ledger" | "mint">,
  amounts: readonly number[],
): Promise<ProofJson[]> {
  const reader = toHex(randomBytes(16));
  const blanks = makeBlankCoins(deps.mint.activeKeysetId(), amounts);
  const outputs = blanks.map(({ output }) => ({ ...output, amount: micros(output.amount) }));
  const prepared = deps.mint.prepareOutputs(outputs, reader);
  const total = add(...outputs.map(({ amount }) => amount));
  const outcome = await deps.ledger.apply({
    id: deriveId("test withdraw", reader),
    fingerprint: reader,
    transfers: [
      {
        id: deriveId("test top-up transfer", reader),
        debit: GATEWAY_CLEARING,
        credit: readerAccount(reader),
        amount: total,
        code: "top_up",
        reference: reader,
      },
      {
        id: deriveId("test withdraw transfer", reader),
        debit: readerAccount(reader),
        credit: floatAccount(prepared.keysetId),
        amount: total,
        code: "withdraw",
        reference: reader,
      },
    ],
    records: prepared.records,
  });
  if (outcome.status !== "committed") throw new Error(`the withdraw was ${outcome.status}`);
  return openCoins(deps, blanks, await deps.mint.sign(prepared.outputs));
}

export function valueOf(coins: readonly ProofJson[]): bigint {
  return coins.reduce((total, { amount }) => total + BigInt(amount), 0n);
}
