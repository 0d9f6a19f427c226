/**
 * The mint's arithmetic on secp256k1, natively: NUT-00 (hash to curve, blind signatures), NUT-12 (DLEQ), BIP-340
 * verification for NUT-20. Importing the binding itself, not the package, makes a machine where it does not load fail
 * at the start: the fallback in JavaScript is fifty times slower.
 *
 * Products with a secret scalar go through ECDH, which takes the same time for every scalar; the plain
 * multiplication, a quarter faster, does not.
 */
import { createHash, createHmac } from "node:crypto";
import native from "secp256k1/bindings.js";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HASH_TO_CURVE_DOMAIN = Buffer.from("Secp256k1_HashToCurve_Cashu_", "utf8");
/** Half of all tries succeed; NUT-00 ends at 2^16. */
const MAX_HASH_TO_CURVE_TRIES = 65_536;

/** NUT-00. @returns the compressed point */
export function hashToCurve(message: Uint8Array): Uint8Array {
  const seed = sha256(HASH_TO_CURVE_DOMAIN, message);
  const counter = Buffer.alloc(4);
  const candidate = Buffer.alloc(33);
  candidate[0] = 2;
  for (let tries = 0; tries < MAX_HASH_TO_CURVE_TRIES; tries++) {
    counter.writeUInt32LE(tries);
    sha256(seed, counter).copy(candidate, 1);
    if (native.publicKeyVerify(candidate)) return candidate;
  }
  throw new Error("no point found for a message");
}

export function isPoint(compressed: string): boolean {
  return native.publicKeyVerify(Buffer.from(compressed, "hex"));
}

export function publicKeyOf(privateKey: Uint8Array): string {
  return toHex(native.publicKeyCreate(privateKey, true));
}

/** The blind signature k·B_ (NUT-00). */
export function signBlinded(privateKey: Uint8Array, blindedMessage: string): string {
  return toHex(compress(multiplySecret(Buffer.from(blindedMessage, "hex"), privateKey)));
}

/** Whether C = k·hash_to_curve(secret), and the Y that was hashed to. */
export function verifyCoin(
  privateKey: Uint8Array,
  secret: string,
  C: string,
): { y: string; genuine: boolean } {
  const y = hashToCurve(Buffer.from(secret, "utf8"));
  return { y: toHex(y), genuine: toHex(compress(multiplySecret(y, privateKey))) === C };
}

export interface SignatureWithProof {
  readonly C_: string;
  readonly e: string;
  readonly s: string;
}

/** Blind signature and NUT-12 proof. The nonce follows from key and message: the same request has the same answer. */
export function signWithProof(privateKey: Uint8Array, blindedMessage: string): SignatureWithProof {
  const B_ = native.publicKeyConvert(Buffer.from(blindedMessage, "hex"), false);
  const A = native.publicKeyCreate(privateKey, false);
  const C_ = multiplySecret(B_, privateKey);
  const nonce = deriveNonce(privateKey, A, B_, C_);
  const e = hashE([native.publicKeyCreate(nonce, false), multiplySecret(B_, nonce), A, C_]);
  // s = nonce + e·a. The binding works in place, so on a copy.
  const s = native.privateKeyTweakAdd(native.privateKeyTweakMul(Uint8Array.from(privateKey), e), nonce);
  return { C_: toHex(compress(C_)), e: toHex(e), s: toHex(s) };
}

/** `hash_e` of NUT-12: SHA-256 over the uncompressed points, written in hex. */
export function hashE(points: readonly Uint8Array[]): Buffer {
  return sha256(
    Buffer.from(points.map((point) => toHex(native.publicKeyConvert(point, false))).join(""), "utf8"),
  );
}

/** Verifies a DLEQ proof: R1 = s·G − e·A, R2 = s·B_ − e·C_, e = hash_e(R1, R2, A, C_). */
export function verifyProof(
  publicKey: string,
  blindedMessage: string,
  { C_, e, s }: SignatureWithProof,
): boolean {
  try {
    const [eBytes, sBytes, A, signature] = [e, s, publicKey, C_].map((value) => Buffer.from(value, "hex"));
    if (!eBytes || !sBytes || !A || !signature) return false;
    const minusE = native.privateKeyNegate(Uint8Array.from(eBytes));
    const R1 = native.publicKeyCombine([native.publicKeyCreate(sBytes), native.publicKeyTweakMul(A, minusE)]);
    const R2 = native.publicKeyCombine([
      native.publicKeyTweakMul(Buffer.from(blindedMessage, "hex"), sBytes),
      native.publicKeyTweakMul(signature, minusE),
    ]);
    return hashE([R1, R2, A, signature]).equals(eBytes);
  } catch {
    return false;
  }
}

/** BIP-340. @param publicKey compressed; only its x counts. Everything here is public, so time may tell. */
export function verifySchnorr(signature: string, digest: Uint8Array, publicKey: string): boolean {
  try {
    const r = Buffer.from(signature.slice(0, 64), "hex");
    const s = Buffer.from(signature.slice(64), "hex");
    const x = Buffer.from(publicKey.slice(2), "hex");
    const even = Buffer.concat([Buffer.from([2]), x]);
    const e = scalar(taggedHash("BIP0340/challenge", r, x, digest));
    const R = native.publicKeyCombine(
      [native.publicKeyCreate(s), native.publicKeyTweakMul(even, native.privateKeyNegate(e))],
      true,
    );
    return R[0] === 2 && Buffer.compare(R.subarray(1), r) === 0;
  } catch {
    // The binding throws for what is no point and no scalar.
    return false;
  }
}

/** A private key from uniform bytes. Zero and what exceeds the order do not happen (2⁻¹²⁷), and are refused. */
export function isPrivateKey(bytes: Uint8Array): boolean {
  return native.privateKeyVerify(bytes);
}

const NONCE_DOMAIN = Buffer.from("Cashu_DLEQ_R_v1", "utf8");
const MAX_NONCE_TRIES = 256;

function deriveNonce(privateKey: Uint8Array, A: Uint8Array, B_: Uint8Array, C_: Uint8Array): Uint8Array {
  for (let tries = 0; tries < MAX_NONCE_TRIES; tries++) {
    const mac = createHmac("sha256", privateKey)
      .update(NONCE_DOMAIN)
      .update(A)
      .update(B_)
      .update(C_)
      .update(Buffer.from([tries]))
      .digest();
    const nonce = scalar(mac);
    if (native.privateKeyVerify(nonce)) return nonce;
  }
  throw new Error("no nonce found");
}

/** k·P as an uncompressed point, in constant time. */
function multiplySecret(point: Uint8Array, secret: Uint8Array): Uint8Array {
  return native.ecdh(
    point,
    secret,
    { hashfn: uncompressed, xbuf: new Uint8Array(32), ybuf: new Uint8Array(32) },
    new Uint8Array(65),
  );
}

function uncompressed(x: Uint8Array, y: Uint8Array): Uint8Array {
  const point = new Uint8Array(65);
  point[0] = 4;
  point.set(x, 1);
  point.set(y, 33);
  return point;
}

function compress(point: Uint8Array): Uint8Array {
  const compressed = point.slice(0, 33);
  compressed[0] = ((point[64] ?? 0) & 1) === 1 ? 3 : 2;
  return compressed;
}

function scalar(bytes: Uint8Array): Uint8Array {
  const value = BigInt(`0x${toHex(bytes)}`) % ORDER;
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}

function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const tagHash = sha256(Buffer.from(tag, "utf8"));
  return sha256(tagHash, tagHash, ...parts);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
