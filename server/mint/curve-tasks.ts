/** Lists of curve work, in the form in which they travel to a thread and back. */
import { type SignatureWithProof, signWithProof, verifyCoin } from "./curve.ts";

/** A key's name: keyset and amount. */
export const keyName = (keysetId: string, amount: bigint): string => `${keysetId}/${amount}`;

export interface VerifyTask {
  readonly kind: "verify";
  readonly coins: readonly { readonly key: string; readonly secret: string; readonly C: string }[];
}

export interface SignTask {
  readonly kind: "sign";
  readonly blanks: readonly { readonly key: string; readonly B_: string }[];
}

export interface VerifyResult {
  readonly y: string;
  readonly genuine: boolean;
}

export type Keys = ReadonlyMap<string, Uint8Array>;

export function verifyAll(keys: Keys, { coins }: VerifyTask): VerifyResult[] {
  return coins.map(({ key, secret, C }) => verifyCoin(keyOf(keys, key), secret, C));
}

export function signAll(keys: Keys, { blanks }: SignTask): SignatureWithProof[] {
  return blanks.map(({ key, B_ }) => signWithProof(keyOf(keys, key), B_));
}

function keyOf(keys: Keys, name: string): Uint8Array {
  const key = keys.get(name);
  if (!key) throw new Error("a task names a key that the mint does not have");
  return key;
}
