/**
 * Lists of curve work, in the form in which they travel to a thread and back. Each task brings its keys along, so that a
 * thread knows a keyset as soon as there is one.
 */
import { type SignatureWithProof, signWithProof, verifyCoin } from "./curve.ts";

export interface VerifyTask {
  readonly kind: "verify";
  readonly coins: readonly { readonly key: Uint8Array; readonly secret: string; readonly C: string }[];
}

export interface SignTask {
  readonly kind: "sign";
  readonly blanks: readonly { readonly key: Uint8Array; readonly B_: string }[];
}

export interface VerifyResult {
  readonly y: string;
  readonly genuine: boolean;
}

export function verifyAll(coins: VerifyTask["coins"]): VerifyResult[] {
  return coins.map(({ key, secret, C }) => verifyCoin(key, secret, C));
}

export function signAll(blanks: SignTask["blanks"]): SignatureWithProof[] {
  return blanks.map(({ key, B_ }) => signWithProof(key, B_));
}
