/**
 * Takes the place of `wallet/core/cashu.ts` in a run (`hooks.ts`): the same functions with the same results, on the
 * server's native curve, because in JavaScript one coin costs thirty milliseconds and a seed has hundreds of coins.
 * `curve.test.ts` compares the two.
 */
import { createHmac } from "node:crypto";
import native from "secp256k1/bindings.js";
import { hashToCurve, publicKeyOf, verifyProof } from "../../server/mint/curve.ts";
import { keysetIdVersion2 } from "../../server/mint/keysets.ts";
import type { BlankCoin, SignatureToOpen } from "../../wallet/core/cashu.ts";

// The few of these that a run needs are not worth a second version.
export { signQuote } from "../../wallet/core/cashu.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const SECRET = 0;
const BLINDING_FACTOR = 1;

export function makeBlankCoin(seed: Uint8Array, keysetId: string, counter: number): BlankCoin {
  const secret = derive(seed, keysetId, counter, SECRET).toString("hex");
  const blindingFactor =
    BigInt(`0x${derive(seed, keysetId, counter, BLINDING_FACTOR).toString("hex")}`) % ORDER;
  const point = native.publicKeyCombine(
    [hashToCurve(Buffer.from(secret, "utf8")), Buffer.from(publicKeyOf(scalar(blindingFactor)), "hex")],
    true,
  );
  return { keysetId, secret, blindingFactor, B_: Buffer.from(point).toString("hex") };
}

export function unblind(blank: BlankCoin, signature: SignatureToOpen, publicKey: string): string | undefined {
  if (signature.id !== blank.keysetId) return undefined;
  const { C_, dleq } = signature;
  if (!verifyProof(publicKey, blank.B_, { C_, ...dleq })) return undefined;
  // C = C_ − r·A
  const taken = native.publicKeyTweakMul(Buffer.from(publicKey, "hex"), scalar(ORDER - blank.blindingFactor));
  return Buffer.from(native.publicKeyCombine([Buffer.from(C_, "hex"), taken], true)).toString("hex");
}

export function yOf(secret: string): string {
  return Buffer.from(hashToCurve(Buffer.from(secret, "utf8"))).toString("hex");
}

export function quotePublicKey(privateKeyHex: string): string {
  return publicKeyOf(Buffer.from(privateKeyHex, "hex"));
}

export function keysetIdFits(id: string, unit: string, keys: Readonly<Record<string, string>>): boolean {
  return keysetIdVersion2({ keys, unit }) === id;
}

/** NUT-13 for keysets of version 2. */
function derive(seed: Uint8Array, keysetId: string, counter: number, kind: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(counter));
  return createHmac("sha256", seed)
    .update("Cashu_KDF_HMAC_SHA256")
    .update(Buffer.from(keysetId, "hex"))
    .update(number)
    .update(Buffer.of(kind))
    .digest();
}

function scalar(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}
