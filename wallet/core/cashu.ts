/**
 * The curve work of coins, and the only file that knows `@cashu/cashu-ts`: NUT-00 blinding and unblinding, NUT-02
 * keyset ids, NUT-12 proofs, NUT-13 derivation, NUT-20 signatures. A multiplication on the curve takes some
 * milliseconds in JavaScript, so whoever works through many coins lets other work in between two of them.
 */
import {
  Amount,
  blindMessage,
  deriveKeysetId,
  deriveSecretAndBlindingFactor,
  getPubKeyFromPrivKey,
  hashToCurve,
  pointFromHex,
  signMintQuote,
  unblindSignature,
  verifyDLEQProof,
} from "@cashu/cashu-ts";
import { fromHex, fromUtf8, toHex, utf8 } from "../../shared/bytes.ts";
import type { BlindedMessageJson } from "../../shared/protocol/cashu.ts";

/** A blank coin: what is sent (`B_`) and what makes a coin of its signature. */
export interface BlankCoin {
  readonly keysetId: string;
  readonly secret: string;
  readonly blindingFactor: bigint;
  readonly B_: string;
}

/** A signature as it stands in a row or an answer. */
export interface SignatureToOpen {
  readonly id: string;
  readonly C_: string;
  readonly dleq: { readonly e: string; readonly s: string };
}

/** NUT-13: the same seed, keyset and counter always give the same blank coin. */
export function makeBlankCoin(seed: Uint8Array, keysetId: string, counter: number): BlankCoin {
  const derived = deriveSecretAndBlindingFactor(seed, keysetId, counter);
  // NUT-13: the secret is the hex text of the derived bytes.
  const secret = toHex(derived.secret);
  const blinded = blindMessage(utf8(secret), BigInt(`0x${toHex(derived.blindingFactor)}`));
  return {
    keysetId,
    secret: fromUtf8(blinded.secret),
    blindingFactor: blinded.r,
    B_: blinded.B_.toHex(true),
  };
}

/** The coin's `C`; undefined if the signature is not by this public key (NUT-12). */
export function unblind(blank: BlankCoin, signature: SignatureToOpen, publicKey: string): string | undefined {
  if (signature.id !== blank.keysetId) return undefined;
  try {
    const key = pointFromHex(publicKey);
    const signed = pointFromHex(signature.C_);
    const proof = { e: fromHex(signature.dleq.e), s: fromHex(signature.dleq.s) };
    if (!verifyDLEQProof(proof, pointFromHex(blank.B_), signed, key)) return undefined;
    return unblindSignature(signed, blank.blindingFactor, key).toHex(true);
  } catch {
    return undefined;
  }
}

/** What a coin is known by at the provider: hash_to_curve(secret). */
export function yOf(secret: string): string {
  return hashToCurve(utf8(secret)).toHex(true);
}

export function quotePublicKey(privateKeyHex: string): string {
  return toHex(getPubKeyFromPrivKey(fromHex(privateKeyHex)));
}

/** NUT-20. */
export function signQuote(
  privateKeyHex: string,
  quote: string,
  outputs: readonly BlindedMessageJson[],
): string {
  return signMintQuote(
    privateKeyHex,
    quote,
    outputs.map(({ amount, id, B_ }) => ({ amount: Amount.from(amount), id, B_ })),
  );
}

/** NUT-02: an id that does not follow from its keys is a trap for one reader. */
export function keysetIdFits(id: string, unit: string, keys: Readonly<Record<string, string>>): boolean {
  try {
    return (
      deriveKeysetId({ ...keys }, { unit, versionByte: id.startsWith("01") ? 1 : 0, input_fee_ppk: 0 }) === id
    );
  } catch {
    return false;
  }
}
